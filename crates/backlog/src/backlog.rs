//! The backlog: what is parked, what is with the publisher, and which lanes have set something aside.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use publisher::Outgoing;

use crate::entry::{Entry, Place, Reported, Sent, Waiting, Wanted};
use crate::lane::{Lane, lane_of, share};

/// Requests that wait for their answer at once.
pub const MAX_REQUESTS_IN_FLIGHT: usize = 128;
/// Messages with the publisher: those in flight, and as many behind them.
pub const MAX_OUTSTANDING: usize = 2 * 10 * MAX_REQUESTS_IN_FLIGHT;
/// Bytes of messages in memory.
pub const MAX_BYTES: usize = 64 << 20;
/// Messages that are parked at the most when more is read.
const MAX_PARKED: usize = 1000;
/// Lanes that are kept in mind. With so many slow ones, what comes after them waits.
const MAX_LANES: usize = 4 * MAX_OUTSTANDING;

struct Outstanding {
    lane: i64,
    queue: Arc<str>,
    bytes: usize,
    about: Sent,
    message_id: Option<String>,
    key: Option<String>,
}

#[derive(Default)]
pub struct Backlog {
    lanes: HashMap<i64, Lane>,
    outstanding: HashMap<i64, Outstanding>,
    /// How many of those each queue has.
    of_queue: HashMap<Arc<str>, usize>,
    parked: usize,
    bytes: usize,
    lanes_aside: usize,
    /// To be set aside with the next batch.
    overflow: Vec<Waiting>,
    /// There is but one lane: nothing is kept from being read by it.
    has_one_lane: bool,
    has_one_queue: bool,
    /// Lanes and queues that take nothing more in this run.
    failed_lanes: HashSet<i64>,
    failed_queues: HashSet<Arc<str>>,
}

impl Backlog {
    pub fn new(has_one_lane: bool, has_one_queue: bool) -> Backlog {
        Backlog { has_one_lane, has_one_queue, ..Backlog::default() }
    }

    /// Takes a message. It is set aside behind what its lane has set aside. So is all of a lane that
    /// has failed: what comes later in it must not be told before what was given up.
    pub fn add(&mut self, entry: Entry) {
        let (id, is_group) = lane_of(&entry.message);
        let aside = || self.lanes.get(&id).and_then(|lane| lane.aside);
        let is_behind = || aside().is_some_and(|after| entry.message.id > after);
        match self.has_failed(id, &entry.message.queue) || is_behind() {
            true => self.set_aside(id, entry.message.id, entry.about),
            false => self.park(id, is_group, entry),
        }
    }

    fn set_aside(&mut self, lane: i64, change_id: i64, about: Sent) {
        self.overflow.push(Waiting { lane, change_id, in_doubt: about.was_in_doubt });
    }

    fn has_failed(&self, lane: i64, queue: &Arc<str>) -> bool {
        self.failed_lanes.contains(&lane) || self.failed_queues.contains(queue)
    }

    /// The lane of a change that was not sent, or its whole queue, takes nothing more. The change
    /// and what comes after it in the lane are set aside, so that they keep their order if this
    /// runner dies; the next run drops them, and finds them again.
    pub fn fail(&mut self, change_id: i64, about: Sent, place: &Place, whole_queue: bool) {
        self.set_aside(place.lane, change_id, about);
        if whole_queue {
            self.failed_queues.insert(Arc::clone(&place.queue));
        }
        self.failed_lanes.insert(place.lane);
        let (failed_lanes, failed_queues) = (&self.failed_lanes, &self.failed_queues);
        for (id, lane) in &mut self.lanes {
            let in_queue = |e: &Entry| failed_queues.contains(&e.message.queue);
            if !failed_lanes.contains(id) && !lane.parked.front().is_some_and(in_queue) {
                continue;
            }
            for Entry { message, about, .. } in lane.parked.drain(..) {
                self.parked -= 1;
                self.bytes -= message.size();
                let in_doubt = about.was_in_doubt;
                self.overflow.push(Waiting { lane: *id, change_id: message.id, in_doubt });
            }
            if failed_lanes.contains(id) && lane.aside.take().is_some() {
                self.lanes_aside -= 1;
            }
        }
        self.lanes.retain(|_, lane| !lane.is_idle());
    }

    /// Whether more lanes have failed than can be kept in mind.
    pub fn has_failed_too_often(&self) -> bool {
        self.failed_lanes.len() > MAX_LANES
    }

    fn park(&mut self, id: i64, is_group: bool, entry: Entry) {
        self.parked += 1;
        self.bytes += entry.message.size();
        let queue = &entry.message.queue;
        let lane = self.lanes.entry(id).or_insert_with(|| Lane::of(Arc::clone(queue), is_group));
        lane.held_until = entry.not_before.or(lane.held_until);
        lane.parked.push_back(entry);
    }

    /// The messages that there is room for now, which go to the publisher.
    pub fn release(&mut self, now: Instant) -> Vec<Outgoing> {
        if self.parked == 0 {
            return Vec::new();
        }
        let mut released = Vec::new();
        let lanes = self.lanes.len();
        for (id, lane) in &mut self.lanes {
            let share = share(lane.is_group, lanes);
            while lane.outstanding < share && self.outstanding.len() < MAX_OUTSTANDING {
                let of_queue = self.of_queue.get(&lane.queue).copied().unwrap_or(0);
                let free = MAX_OUTSTANDING - self.outstanding.len();
                if !self.has_one_queue && leaves_no_room(of_queue, free) {
                    break;
                }
                if lane.parked.front().is_none_or(|entry| entry.is_held(now)) {
                    break;
                }
                let Some(entry) = lane.parked.pop_front() else { break };
                let Entry { message, about, message_id, key, .. } = entry;
                *self.of_queue.entry(Arc::clone(&message.queue)).or_default() += 1;
                lane.outstanding += 1;
                self.parked -= 1;
                let bytes = message.size();
                let queue = Arc::clone(&message.queue);
                let outstanding = Outstanding { lane: *id, queue, bytes, about, message_id, key };
                self.outstanding.insert(message.id, outstanding);
                released.push(message);
            }
        }
        released
    }

    /// Event and key of a message that is with the publisher.
    pub fn about(&self, id: i64) -> Option<(&'static str, Option<&str>)> {
        self.outstanding
            .get(&id)
            .map(|message| (message.about.event.as_str(), message.key.as_deref()))
    }

    /// The publisher has reported a message; None if it was abandoned.
    pub fn reported(&mut self, id: i64) -> Option<Reported> {
        let Outstanding { lane: lane_id, queue, bytes, about, message_id, .. } =
            self.outstanding.remove(&id)?;
        self.bytes -= bytes;
        if let Some(count) = self.of_queue.get_mut(&queue) {
            *count -= 1;
            if *count == 0 {
                self.of_queue.remove(&queue);
            }
        }
        if let Some(lane) = self.lanes.get_mut(&lane_id) {
            lane.outstanding -= 1;
            if lane.is_idle() {
                self.lanes.remove(&lane_id);
            }
        }
        Some(Reported { about, message_id, bytes, place: Place { lane: lane_id, queue } })
    }

    /// Whether a batch of so many rows and bytes may be read.
    pub fn has_room(&self, rows: usize, bytes: usize) -> bool {
        self.parked + self.outstanding.len() + rows <= MAX_OUTSTANDING + MAX_PARKED
            && self.parked <= MAX_PARKED
            && self.bytes + bytes <= MAX_BYTES
    }

    /// Bytes of messages that there is room for.
    pub fn room(&self) -> usize {
        MAX_BYTES.saturating_sub(self.bytes)
    }

    /// Sets aside all that is parked and was not before: it keeps other lanes from being read.
    pub fn set_parked_aside(&mut self, now: Instant) {
        if self.has_one_lane || self.lanes.len() > MAX_LANES {
            return;
        }
        for (id, lane) in &mut self.lanes {
            // What was taken again is to be sent soon, unless it has to wait for its time.
            let is_meant = |first: &&Entry| lane.aside.is_none() || first.is_held(now);
            let Some(first) = lane.parked.front().filter(is_meant) else { continue };
            let after = first.message.id - 1;
            self.lanes_aside += usize::from(lane.aside.is_none());
            lane.aside = Some(lane.aside.map_or(after, |aside| aside.min(after)));
            for Entry { message, about, .. } in lane.parked.drain(..) {
                self.parked -= 1;
                self.bytes -= message.size();
                let in_doubt = about.was_in_doubt;
                self.overflow.push(Waiting { lane: *id, change_id: message.id, in_doubt });
            }
        }
    }

    /// Lanes with room now for what they have set aside, in a batch of so many rows and bytes.
    pub fn wanted(&self, rows: usize, bytes: usize, now: Instant) -> Vec<Wanted> {
        if self.lanes_aside == 0 || self.bytes + bytes > MAX_BYTES {
            return Vec::new();
        }
        let lanes = self.lanes.len();
        let free = MAX_OUTSTANDING - self.outstanding.len();
        // What is taken and finds no room would keep other lanes from being read.
        let mut room = free.min(MAX_PARKED.saturating_sub(self.parked));
        let mut wanted = Vec::new();
        for (id, lane) in &self.lanes {
            let is_held = lane.held_until.is_some_and(|time| time > now);
            let Some(after) = lane.aside.filter(|_| lane.parked.is_empty() && !is_held) else {
                continue;
            };
            let share = share(lane.is_group, lanes);
            let of_queue = self.of_queue.get(&lane.queue).copied().unwrap_or(0);
            let is_full = !self.has_one_queue && leaves_no_room(of_queue, free);
            if lane.outstanding * 2 > share || is_full || room == 0 {
                continue;
            }
            // No more than can be sent: what is parked would keep others from being read. Two at
            // the least: that there was but one shows that it was the last.
            let changes = (share - lane.outstanding).min(room).clamp(2, rows);
            room = room.saturating_sub(changes);
            wanted.push(Wanted { lane: *id, after, changes: changes as i64 });
        }
        wanted
    }

    /// What a lane had set aside was taken, as far as it was wanted.
    pub fn refilled(&mut self, wanted: &Wanted, taken: &[Waiting], put_back: &[Waiting]) {
        let of_lane = |w: &&Waiting| w.lane == wanted.lane;
        let took = taken.iter().filter(of_lane).count() as i64;
        let again = put_back.iter().filter(of_lane).map(|w| w.change_id).min();
        let last = taken.iter().filter(of_lane).map(|w| w.change_id).max();
        let Some(lane) = self.lanes.get_mut(&wanted.lane) else { return };
        lane.aside = match (again, last) {
            (Some(first), _) => Some(first - 1),
            (None, Some(last)) if took == wanted.changes => Some(last),
            _ => None,
        };
        if lane.aside.is_none() {
            self.lanes_aside -= 1;
            if lane.is_idle() {
                self.lanes.remove(&wanted.lane);
            }
        }
    }

    /// What is to be set aside; kept until [`Backlog::overflow_is_set_aside`].
    pub fn overflow(&self) -> &[Waiting] {
        &self.overflow
    }

    pub fn overflows(&self) -> bool {
        !self.overflow.is_empty()
    }

    pub fn overflow_is_set_aside(&mut self) {
        self.overflow.clear();
    }

    /// Messages with the publisher.
    pub fn unanswered(&self) -> usize {
        self.outstanding.len()
    }

    pub fn is_with_publisher(&self) -> bool {
        !self.outstanding.is_empty()
    }

    /// Nothing is in memory, and nothing set aside.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.overflow.is_empty()
    }

    /// Gives up what the publisher has not been given. Returns the ids of changes that
    /// certainly have not been sent.
    pub fn give_back(&mut self) -> Vec<i64> {
        let mut unsent: Vec<i64> =
            self.overflow.drain(..).filter(|w| !w.in_doubt).map(|w| w.change_id).collect();
        for lane in self.lanes.values_mut() {
            let parked = lane.parked.drain(..);
            unsent.extend(parked.filter(|e| !e.about.was_in_doubt).map(|e| e.message.id));
            lane.aside = None;
        }
        self.lanes.retain(|_, lane| !lane.is_idle());
        self.lanes_aside = 0;
        self.parked = 0;
        unsent
    }

    /// Awaits no answer any more.
    pub fn abandon(&mut self) {
        *self = Backlog::new(self.has_one_lane, self.has_one_queue);
    }
}

/// Whether a queue has so much with the publisher that others must find room first, however
/// many lanes it has: three quarters of all.
fn leaves_no_room(of_queue: usize, free: usize) -> bool {
    of_queue >= 3 * free
}
