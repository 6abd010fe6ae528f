//! What waits for a queue, and whose turn it is.
//!
//! Groups take turns. A group is held from when messages of it are taken for a batch until the
//! batch lets it go, and what is added to it meanwhile waits behind; a held group is no part of
//! the turns, so it holds up no other. Messages without a group take their turn as one that is
//! never held. Adding and taking a message cost the same however much waits, and nothing is kept
//! of a group of which nothing waits and nothing is held.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::batch::{Batch, GroupId};
use crate::mailbox::Message;

/// SQS's limits for one SendMessageBatch (botocore): entries, and bytes of them together.
pub(crate) const BATCH_ENTRIES: usize = 10;
const BATCH_BYTES: usize = 1_048_576;

#[derive(Default)]
struct Group {
    waiting: VecDeque<Message>,
    is_held: bool,
    /// When messages of it failed last, unless a batch of it has gone well at once since.
    failed_at: Option<Instant>,
    is_slow: bool,
}

pub(crate) struct Waiting {
    one_per_group: bool,
    /// The most messages that a request is to carry.
    batch_entries: usize,
    without_group: VecDeque<Message>,
    groups: HashMap<GroupId, Group>,
    /// The turns: each group that is not held and has something waiting, once; `None` are the
    /// messages without a group.
    ready: VecDeque<Option<GroupId>>,
    /// Turns of their own for groups that fail while others do not: who shares a request with one
    /// may have to share its fate.
    slow: VecDeque<Option<GroupId>>,
    is_slow_turn: bool,
}

impl Waiting {
    pub(crate) fn new(one_per_group: bool, batch_entries: usize) -> Self {
        Self {
            one_per_group,
            batch_entries,
            without_group: VecDeque::new(),
            groups: HashMap::new(),
            ready: VecDeque::new(),
            slow: VecDeque::new(),
            is_slow_turn: false,
        }
    }

    pub(crate) fn add(&mut self, message: Message) {
        let Some(id) = message.group() else {
            if self.without_group.is_empty() {
                self.ready.push_back(None);
            }
            return self.without_group.push_back(message);
        };
        match self.groups.get_mut(id) {
            Some(group) => group.waiting.push_back(message),
            None => {
                let id = id.clone();
                self.ready.push_back(Some(id.clone()));
                self.groups.insert(id, Group { waiting: [message].into(), ..Group::default() });
            }
        }
    }

    /// Whether there is something to take.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty() || !self.slow.is_empty()
    }

    /// Takes as much as one request is to carry, and holds its groups. One group's messages stand
    /// together, in their order. At least one message is taken: if that is too large, SQS says so
    /// of it alone.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Batch> {
        self.is_slow_turn = !self.is_slow_turn;
        let from_slow = (self.is_slow_turn && !self.slow.is_empty()) || self.ready.is_empty();
        let turns = if from_slow { &mut self.slow } else { &mut self.ready };
        let (mut pack, mut groups) = (Pack::new(self.batch_entries), Vec::new());
        while let Some(turn) = turns.pop_front() {
            let taken = match turn.as_ref().map(|id| self.groups.get_mut(id)) {
                None => pack.fill(&mut self.without_group, self.batch_entries),
                Some(Some(group)) => {
                    let most = if self.one_per_group { 1 } else { self.batch_entries };
                    let taken = pack.fill(&mut group.waiting, most);
                    group.is_held = taken > 0;
                    taken
                }
                // Never so: what has a turn is there.
                Some(None) => continue,
            };
            match turn {
                Some(id) if taken > 0 => groups.push(id),
                None if taken > 0 && self.without_group.is_empty() => {}
                None if taken > 0 => turns.push_back(None),
                does_not_fit => {
                    turns.push_front(does_not_fit);
                    break;
                }
            }
            if pack.is_full() {
                break;
            }
        }
        (!pack.messages.is_empty()).then(|| Batch::new(pack.messages, groups, now))
    }

    /// A batch holds the group no longer. `at_once`: it went well at its first attempt.
    pub(crate) fn release(&mut self, id: &GroupId, at_once: bool) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.waiting.is_empty() {
            self.groups.remove(id);
            return;
        }
        group.is_held = false;
        if at_once {
            group.failed_at = None;
            group.is_slow = false;
        }
        let turns = if group.is_slow { &mut self.slow } else { &mut self.ready };
        turns.push_back(Some(id.clone()));
    }

    /// Messages of these groups, which are held, have failed for now. Returns whether that is
    /// about these groups and not the queue: each is slow, or has failed before, and the queue has
    /// taken messages since.
    pub(crate) fn count_failure(
        &mut self,
        ids: &[GroupId],
        worked_at: Option<Instant>,
        now: Instant,
    ) -> bool {
        let mut is_theirs = !ids.is_empty();
        for id in ids {
            if let Some(group) = self.groups.get_mut(id) {
                let has_worked = group.failed_at.is_some_and(|at| worked_at > Some(at));
                is_theirs &= group.is_slow || has_worked;
                group.failed_at = Some(now);
            }
        }
        is_theirs
    }

    pub(crate) fn set_slow(&mut self, ids: &[GroupId]) {
        for id in ids {
            if let Some(group) = self.groups.get_mut(id) {
                group.is_slow = true;
            }
        }
    }

    /// Ends a group that is held, and returns what waits of it.
    pub(crate) fn remove(&mut self, id: &GroupId) -> VecDeque<Message> {
        self.groups.remove(id).unwrap_or_default().waiting
    }

    #[cfg(test)]
    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Takes all that waits, each group's messages in their order.
    pub(crate) fn drain(&mut self) -> Vec<Message> {
        self.ready.clear();
        self.slow.clear();
        let grouped = self.groups.values_mut().flat_map(|group| group.waiting.drain(..));
        let messages = self.without_group.drain(..).chain(grouped).collect();
        self.groups.retain(|_, group| group.is_held);
        messages
    }
}

/// A request in the making.
struct Pack {
    entries: usize,
    messages: Vec<Message>,
    bytes: usize,
}

impl Pack {
    fn new(entries: usize) -> Self {
        Self { entries, messages: Vec::with_capacity(entries), bytes: 0 }
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.entries
    }

    /// Moves messages over as far as they fit, but at most so many. Returns how many it moved.
    fn fill(&mut self, waiting: &mut VecDeque<Message>, most: usize) -> usize {
        let before = self.messages.len();
        while !self.is_full() && self.messages.len() - before < most {
            let Some(message) = waiting.front() else {
                break;
            };
            let bytes = self.bytes + message.outgoing.size();
            if bytes > BATCH_BYTES && !self.messages.is_empty() {
                break;
            }
            self.bytes = bytes;
            self.messages.extend(waiting.pop_front());
        }
        self.messages.len() - before
    }
}
