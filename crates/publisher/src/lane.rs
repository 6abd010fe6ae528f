//! One queue's messages on their way: what waits, what is packed together, what is retried.
//!
//! A batch, once tried, stays together until each of its messages has its fate: a retry does not
//! mix messages of different age, and the halves of a refused batch are never joined again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Failure, Trouble};
use crate::mailbox::Message;
use crate::pace::{Pace, after, backoff};

/// SQS's limits for one SendMessageBatch (botocore): entries, and bytes of them together.
const BATCH_ENTRIES: usize = 10;
const BATCH_BYTES: usize = 1_048_576;

/// A retry that found no free request until this long past its message's time is not made.
const GRACE: Duration = Duration::from_secs(1);

/// Messages that are sent, and retried, together.
pub(crate) struct Batch {
    pub(crate) messages: Vec<Message>,
    first_attempt: Instant,
    attempts: u32,
    /// Failures in a row, for the backoff.
    failures: u32,
    last: Option<Trouble>,
}

impl Batch {
    fn new(messages: Vec<Message>, now: Instant) -> Self {
        Self { messages, first_attempt: now, attempts: 0, failures: 0, last: None }
    }

    /// The rest of a batch, with its past.
    pub(crate) fn with(&self, messages: Vec<Message>) -> Self {
        Self {
            messages,
            first_attempt: self.first_attempt,
            attempts: self.attempts,
            failures: self.failures,
            last: self.last.clone(),
        }
    }

    pub(crate) fn give_up(self, trouble: &Trouble, now: Instant) {
        let time = now.saturating_duration_since(self.first_attempt);
        let failure = Arc::new(trouble.failure_after(self.attempts, time));
        fail_all(self.messages, &failure);
    }

    fn deadline(&self, retry_for: Duration) -> Instant {
        after(self.first_attempt, retry_for)
    }
}

pub(crate) fn fail_all(messages: impl IntoIterator<Item = Message>, failure: &Arc<Failure>) {
    for message in messages {
        message.fail(failure);
    }
}

/// Where a queue is, as far as is known.
pub(crate) enum Address {
    Unknown,
    /// SQS is being asked.
    Asked,
    Url(Arc<str>),
    /// The queue cannot be used: what is sent to it fails at once.
    Failed(Arc<Failure>),
}

/// What a lane wants to do next.
pub(crate) enum Step {
    Find,
    Send(Arc<str>, Batch),
}

pub(crate) struct Lane {
    pub(crate) queue: Arc<str>,
    pub(crate) address: Address,
    pub(crate) pace: Pace,
    pub(crate) in_flight: usize,
    fresh: VecDeque<Message>,
    /// By when each is due; the number makes the key unique.
    retries: BTreeMap<(Instant, u64), Batch>,
    retry_number: u64,
}

impl Lane {
    pub(crate) fn new(queue: Arc<str>, address: Address, limit: usize) -> Self {
        Self {
            queue,
            address,
            pace: Pace::new(limit),
            in_flight: 0,
            fresh: VecDeque::new(),
            retries: BTreeMap::new(),
            retry_number: 0,
        }
    }

    pub(crate) fn add(&mut self, message: Message) {
        match &self.address {
            Address::Failed(failure) => message.fail(failure),
            _ => self.fresh.push_back(message),
        }
    }

    /// Takes the next request to make, if there is one to make now.
    pub(crate) fn next(&mut self, now: Instant, retry_for: Duration) -> Option<Step> {
        if !self.pace.allows(self.in_flight) {
            return None;
        }
        match &self.address {
            Address::Unknown if !self.fresh.is_empty() && !self.pace.is_paused(now) => {
                self.address = Address::Asked;
                Some(Step::Find)
            }
            Address::Url(url) => {
                let url = Arc::clone(url);
                let mut batch = self.next_batch(now, retry_for)?;
                batch.attempts = batch.attempts.saturating_add(1);
                Some(Step::Send(url, batch))
            }
            _ => None,
        }
    }

    /// When [`Lane::next`] may have something that it has not now, unless a request ends earlier.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        if !self.pace.allows(self.in_flight) {
            return None;
        }
        let retry = self.retries.keys().next().map(|(due, _)| *due);
        let fresh = match self.address {
            Address::Asked | Address::Failed(_) => None,
            _ if self.fresh.is_empty() => None,
            _ => self.pace.paused_until(),
        };
        [retry, fresh].into_iter().flatten().min()
    }

    /// Queues what is left of a batch for another attempt, or gives it up when its time is over.
    pub(crate) fn retry(
        &mut self,
        mut batch: Batch,
        trouble: Trouble,
        now: Instant,
        retry_for: Duration,
    ) {
        let deadline = batch.deadline(retry_for);
        if now >= deadline {
            return batch.give_up(&trouble, now);
        }
        batch.failures = batch.failures.saturating_add(1);
        batch.last = Some(trouble);
        let due = after(now, backoff(batch.failures)).min(deadline);
        self.put_back(due, batch);
    }

    /// Halves a batch that was refused as a whole: the culprit ends up alone.
    pub(crate) fn halve(&mut self, mut batch: Batch, now: Instant) {
        let second = batch.messages.split_off(batch.messages.len() / 2);
        let second = batch.with(second);
        self.put_back(now, batch);
        self.put_back(now, second);
    }

    /// Nothing has succeeded for as long as a message is retried: what was not even tried shares
    /// the failure, instead of waiting its turn to fail.
    pub(crate) fn end_outage(&mut self, trouble: &Trouble, now: Instant, retry_for: Duration) {
        if let Some((attempts, time)) = self.pace.outage(now, retry_for) {
            let failure = Arc::new(trouble.failure_after(attempts, time));
            fail_all(self.fresh.drain(..), &failure);
            self.pace.forget_outage();
        }
    }

    /// The queue is unusable from now on.
    pub(crate) fn fail(&mut self, failure: &Arc<Failure>) {
        self.address = Address::Failed(Arc::clone(failure));
        self.fail_waiting(failure);
    }

    pub(crate) fn fail_waiting(&mut self, failure: &Arc<Failure>) {
        for batch in std::mem::take(&mut self.retries).into_values() {
            fail_all(batch.messages, failure);
        }
        fail_all(self.fresh.drain(..), failure);
    }

    fn put_back(&mut self, due: Instant, batch: Batch) {
        self.retry_number += 1;
        self.retries.insert((due, self.retry_number), batch);
    }

    fn next_batch(&mut self, now: Instant, retry_for: Duration) -> Option<Batch> {
        while let Some(first) = self.retries.first_entry() {
            if first.key().0 > now {
                break;
            }
            let batch = first.remove();
            let late = now > after(batch.deadline(retry_for), GRACE);
            match batch.last.clone().filter(|_| late) {
                Some(trouble) => batch.give_up(&trouble, now),
                None => return Some(batch),
            }
        }
        if self.fresh.is_empty() || self.pace.is_paused(now) {
            return None;
        }
        Some(Batch::new(pack(&mut self.fresh), now))
    }
}

/// Takes as many messages as one request may carry, at least one: if that one is too large, SQS
/// says so of it alone.
fn pack(waiting: &mut VecDeque<Message>) -> Vec<Message> {
    let mut messages = Vec::with_capacity(BATCH_ENTRIES.min(waiting.len()));
    let mut bytes = 0;
    while messages.len() < BATCH_ENTRIES {
        let Some(message) = waiting.front() else {
            break;
        };
        bytes += message.outgoing.size();
        if bytes > BATCH_BYTES && !messages.is_empty() {
            break;
        }
        messages.extend(waiting.pop_front());
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::{Mailbox, Outcome, Report};
    use crate::outgoing::Outgoing;

    const RETRY_FOR: Duration = Duration::from_secs(10);

    fn lane_with(count: i64, mailbox: &Arc<Mailbox>) -> Lane {
        let queue: Arc<str> = "orders".into();
        let mut lane = Lane::new(Arc::clone(&queue), Address::Url("url".into()), 4);
        for id in 0..count {
            let outgoing = Outgoing {
                id,
                queue: Arc::clone(&queue),
                body: "x".to_owned(),
                attributes: Vec::new(),
                group_id: None,
                dedup_id: None,
                delay_seconds: None,
            };
            lane.add(Message::new(outgoing, Arc::clone(mailbox)));
        }
        lane
    }

    fn take(lane: &mut Lane, now: Instant) -> Option<Batch> {
        match lane.next(now, RETRY_FOR)? {
            Step::Send(_, batch) => Some(batch),
            Step::Find => None,
        }
    }

    fn trouble() -> Trouble {
        Trouble::queue("it went wrong".to_owned(), "Do something.")
    }

    #[test]
    fn a_retry_is_made_at_the_latest_when_its_time_is_over() {
        let mailbox = Mailbox::open().unwrap();
        let mut lane = lane_with(1, &mailbox);
        let start = Instant::now();
        let mut now = start;
        let mut attempts = 0;
        while let Some(batch) = take(&mut lane, now) {
            attempts += 1;
            lane.retry(batch, trouble(), now, RETRY_FOR);
            now = lane.next_wake().unwrap_or(now);
            assert!(now <= start + RETRY_FOR);
        }
        assert!(attempts > 3, "{attempts}");
        assert_eq!(now, start + RETRY_FOR);
        assert_eq!(mailbox.drain().len(), 1);
    }

    #[test]
    fn a_retry_that_found_no_free_request_in_time_is_given_up() {
        let mailbox = Mailbox::open().unwrap();
        let mut lane = lane_with(11, &mailbox);
        let start = Instant::now();
        let batch = take(&mut lane, start).unwrap();
        lane.retry(batch, trouble(), start, RETRY_FOR);
        let late = start + RETRY_FOR + GRACE + Duration::from_millis(1);
        // What was never tried is not late.
        let fresh = take(&mut lane, late).unwrap();
        assert_eq!(fresh.messages[0].outgoing.id, 10);
        let reports = mailbox.drain();
        assert_eq!(reports.len(), 10);
        for Report { outcome, .. } in reports {
            match outcome {
                Outcome::NotSent { failure } => {
                    assert_eq!(failure.message, "it went wrong, after 1 attempt in 11 s");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_halves_of_a_batch_are_not_joined_again() {
        let mailbox = Mailbox::open().unwrap();
        let mut lane = lane_with(12, &mailbox);
        let now = Instant::now();
        let batch = take(&mut lane, now).unwrap();
        lane.halve(batch, now);
        let sizes = std::iter::from_fn(|| take(&mut lane, now)).map(|batch| batch.messages.len());
        assert_eq!(sizes.collect::<Vec<_>>(), [5, 5, 2]);
    }
}
