//! Messages that are sent, and retried, together.
//!
//! A batch, once tried, takes in nothing more: a retry does not mix messages of different age, and
//! the halves of a refused batch are never joined again. It holds its groups until each of their
//! messages in it has its fate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Failure, Trouble};
use crate::mailbox::Message;
use crate::pace::after;
use crate::sqs::Answer;

/// The id of a message group.
pub(crate) type GroupId = Arc<str>;

/// For how long a FIFO queue discards a message that it has taken before.
const DEDUPLICATED_FOR: Duration = Duration::from_secs(300);

pub(crate) struct Batch {
    pub(crate) messages: Vec<Message>,
    /// The groups that it holds: those of its messages.
    pub(crate) groups: Vec<GroupId>,
    /// Later parts of a refused batch of one group, the next one last: each is sent once the one
    /// before it has its fate.
    later: Vec<Vec<Message>>,
    first_attempt: Instant,
    attempts: u32,
    /// Failures in a row, for the backoff.
    failures: u32,
    last: Option<Trouble>,
}

impl Batch {
    pub(crate) fn new(messages: Vec<Message>, groups: Vec<GroupId>, now: Instant) -> Self {
        Self {
            messages,
            groups,
            later: Vec::new(),
            first_attempt: now,
            attempts: 0,
            failures: 0,
            last: None,
        }
    }

    pub(crate) fn count_attempt(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// An attempt was made before the one that is counted last.
    pub(crate) fn has_been_tried(&self) -> bool {
        self.attempts > 1
    }

    /// As SQS counts it, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.messages.iter().map(|message| message.outgoing.size()).sum()
    }

    /// How many are acknowledged now that an earlier attempt may have brought there too.
    pub(crate) fn possible_duplicates(
        &self,
        answers: &Result<Vec<Answer>, Trouble>,
        now: Instant,
    ) -> u64 {
        let is_late = now > after(self.first_attempt, DEDUPLICATED_FOR);
        let is_one = |(message, answer): &(&Message, &Answer)| {
            answer.is_ok()
                && message.is_in_doubt()
                && (is_late || !message.outgoing.queue.ends_with(".fifo"))
        };
        let answers = answers.iter().flatten();
        self.messages.iter().zip(answers).filter(is_one).count() as u64
    }

    /// How often it was tried.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns how many failures in a row this makes.
    pub(crate) fn count_failure(&mut self, trouble: Trouble) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.last = Some(trouble);
        self.failures
    }

    /// What went wrong last, if anything did.
    pub(crate) fn last_trouble(&self) -> Option<&Trouble> {
        self.last.as_ref()
    }

    pub(crate) fn deadline(&self, retry_for: Duration) -> Instant {
        after(self.first_attempt, retry_for)
    }

    /// The failure that this trouble is once the batch is given up.
    pub(crate) fn failure(&self, trouble: &Trouble, now: Instant) -> Arc<Failure> {
        let time = now.saturating_duration_since(self.first_attempt);
        Arc::new(trouble.failure_after(self.attempts, time))
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether each of its messages has a group.
    pub(crate) fn is_grouped(&self) -> bool {
        self.messages.iter().all(|message| message.group().is_some())
    }

    /// All that is in it, later parts too.
    pub(crate) fn into_messages(self) -> Vec<Message> {
        let later = self.later.into_iter().rev().flatten();
        self.messages.into_iter().chain(later).collect()
    }

    /// Drops the groups that have no message left in it, and returns them.
    pub(crate) fn let_go(&mut self) -> Vec<GroupId> {
        let messages = &self.messages;
        let is_left = |id: &GroupId| messages.iter().any(|m| m.group() == Some(id));
        self.groups.extract_if(.., |id| !is_left(id)).collect()
    }

    /// Goes on to the next part, when this one has its fate. `None` if there is none.
    pub(crate) fn next_part(mut self) -> Option<Self> {
        self.messages = self.later.pop()?;
        Some(self)
    }

    /// Two halves that share no group; if there is but one group, one half after the other.
    pub(crate) fn halve(mut self) -> (Self, Option<Self>) {
        let (middle, is_boundary) = middle(&self.messages);
        let second = self.messages.split_off(middle);
        if !is_boundary {
            self.later.push(second);
            return (self, None);
        }
        let half = Self {
            messages: second,
            groups: Vec::new(),
            later: Vec::new(),
            last: self.last.clone(),
            ..self
        };
        (self.regrouped(), Some(half.regrouped()))
    }

    fn regrouped(mut self) -> Self {
        self.groups = groups_of(&self.messages);
        self
    }
}

/// The groups of messages of which each group's stand together.
fn groups_of(messages: &[Message]) -> Vec<GroupId> {
    let mut groups: Vec<GroupId> = messages.iter().filter_map(|m| m.group().cloned()).collect();
    groups.dedup();
    groups
}

/// Where to halve, and whether no group is divided there: messages without one stand alone.
fn middle(messages: &[Message]) -> (usize, bool) {
    let half = messages.len() / 2;
    let is_boundary = |at: &usize| match (messages[at - 1].group(), messages[*at].group()) {
        (Some(before), Some(after)) => before != after,
        _ => true,
    };
    let nearest = (1..messages.len()).filter(is_boundary).min_by_key(|at| at.abs_diff(half));
    (nearest.unwrap_or(half), nearest.is_some())
}
