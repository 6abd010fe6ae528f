//! One queue's messages on their way: what is sent next, and what an answer means for it.
//!
//! A queue has a lane, whatever it is called. At most one request with messages of a group is in
//! flight: the group is held by the batch that they are in (`waiting`, `batch`), from its first
//! attempt until they have their fate, through all waiting for retries. What is given up takes
//! along what waits behind it in its group (`given_up`).
//!
//! A group that fails while the queue takes other messages is retried by itself and does not slow
//! the queue down: its failures say nothing about the queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::batch::Batch;
use crate::connection::Settings;
use crate::error::{Class, Failure, Trouble};
use crate::fates::Fates;
use crate::given_up::GivenUp;
use crate::mailbox::{Epoch, Message, fail_all};
use crate::pace::{Pace, after, backoff};
use crate::rate;
use crate::sqs::Answer;
use crate::waiting::Waiting;

/// A retry that found no free request until this long past its message's time is not made.
const GRACE: Duration = Duration::from_secs(1);

/// A batch of several groups that was throttled so many times in a row is divided, though the
/// queue takes nothing else either: it may be that all that there is shares a request with a group
/// that has its limit.
const SUSPECT_AFTER: u32 = 3;

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
    address: Address,
    retry_for: Duration,
    /// How long past its message's time a retry is still made.
    grace: Duration,
    pace: Pace,
    in_flight: usize,
    waiting: Waiting,
    /// By when each is due; the number makes the key unique.
    retries: BTreeMap<(Instant, u64), Batch>,
    retry_number: u64,
    given_up: GivenUp,
    /// When it last reported something.
    told: Epoch,
}

impl Lane {
    pub(crate) fn new(queue: Arc<str>, address: Address, settings: &Settings) -> Self {
        Self {
            queue,
            address,
            retry_for: settings.retry_for,
            // What the caller's own limit holds up is not given up for it.
            grace: settings.max_messages_per_second.map_or(GRACE, |_| Duration::MAX),
            pace: Pace::new(settings.max_requests_in_flight),
            in_flight: 0,
            waiting: Waiting::new(
                settings.one_per_group,
                rate::batch_entries(settings.max_messages_per_second),
            ),
            retries: BTreeMap::new(),
            retry_number: 0,
            given_up: GivenUp::default(),
            told: Epoch::default(),
        }
    }

    /// It has reported something by then.
    pub(crate) fn has_told(&mut self, epoch: Epoch) {
        self.told = self.told.max(epoch);
    }

    /// Nothing of it is under way, and who has handed over messages in `epoch` knows of all that has
    /// failed: it can be forgotten.
    pub(crate) fn is_at_rest(&self, epoch: Epoch) -> bool {
        self.in_flight == 0
            && !self.waiting.is_ready()
            && self.retries.is_empty()
            && self.told < epoch
    }

    /// Adds a message that was handed over in `epoch`.
    pub(crate) fn add(&mut self, message: Message, epoch: Epoch) {
        if let Address::Failed(failure) = &self.address {
            let told = message.fail(failure);
            return self.has_told(told);
        }
        let Some(id) = message.group() else {
            return self.waiting.add(message);
        };
        match self.given_up.failure(id, epoch) {
            None => self.waiting.add(message),
            Some(failure) => {
                let id = id.clone();
                let told = message.fail(&failure);
                self.has_told(told);
                self.given_up.add(id, told, &failure);
            }
        }
    }

    /// Takes the next request to make, if there is one to make now. No more than `share` are to be
    /// in flight.
    pub(crate) fn next(&mut self, now: Instant, share: usize) -> Option<Step> {
        if !self.may_start(share) {
            return None;
        }
        let step = match &self.address {
            Address::Unknown if self.waiting.is_ready() && !self.pace.is_paused(now) => {
                self.address = Address::Asked;
                Step::Find
            }
            Address::Url(url) => {
                let url = Arc::clone(url);
                let mut batch = self.next_batch(now)?;
                batch.count_attempt();
                Step::Send(url, batch)
            }
            _ => return None,
        };
        self.in_flight += 1;
        Some(step)
    }

    /// When [`Lane::next`] may have something that it has not now, unless a request ends earlier.
    pub(crate) fn next_wake(&self, share: usize) -> Option<Instant> {
        if !self.may_start(share) {
            return None;
        }
        let retry = self.retries.keys().next().map(|(due, _)| *due);
        let fresh = match self.address {
            Address::Asked | Address::Failed(_) => None,
            _ if !self.waiting.is_ready() => None,
            _ => self.pace.paused_until(),
        };
        [retry, fresh].into_iter().flatten().min()
    }

    /// How many requests its pace allows.
    pub(crate) fn window(&self) -> usize {
        self.pace.window()
    }

    /// Until when nothing new is sent, if it is paused.
    pub(crate) fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.pace.paused_until().filter(|until| *until > now)
    }

    /// Whether messages wait for their turn, which the rate of all queues may be what holds up.
    pub(crate) fn is_ready(&self) -> bool {
        self.waiting.is_ready() || !self.retries.is_empty()
    }

    fn may_start(&self, share: usize) -> bool {
        self.in_flight < share && self.pace.allows(self.in_flight)
    }

    /// SQS answered where the queue is. Returns a failure of the credentials.
    pub(crate) fn located(
        &mut self,
        started: Instant,
        url: Result<String, Trouble>,
        now: Instant,
    ) -> Option<Failure> {
        self.in_flight -= 1;
        let trouble = match url {
            Ok(url) => {
                self.address = Address::Url(url.into());
                self.pace.succeeded(now);
                return None;
            }
            Err(trouble) => trouble,
        };
        match trouble.class {
            // Of a request without messages, a row's fault can only be the queue's name.
            Class::Row | Class::Queue => self.fail(&Arc::new(trouble.failure())),
            Class::Credentials => return Some(trouble.failure()),
            Class::Throttled | Class::Service | Class::Network => {
                self.address = Address::Unknown;
                self.pace.failed(started, now, self.retry_for);
                self.end_outage(&trouble, now);
            }
        }
        None
    }

    /// A batch was answered. What is left of it is tried again, unless all has `ended`. Returns
    /// a failure of the credentials.
    pub(crate) fn conclude(
        &mut self,
        started: Instant,
        mut batch: Batch,
        answers: Result<Vec<Answer>, Trouble>,
        ended: Option<&Arc<Failure>>,
        now: Instant,
    ) -> Option<Failure> {
        self.in_flight -= 1;
        let is_whole = answers.is_err();
        let answers = match answers {
            Ok(answers) => answers,
            Err(trouble) if trouble.class == Class::Row && batch.messages.len() > 1 => {
                self.pace.succeeded(now);
                match self.no_more(ended) {
                    Some(failure) => self.end_batch(batch, &failure),
                    None => self.put_back_halves(batch, now, now),
                }
                return None;
            }
            Err(trouble) => vec![Err(trouble); batch.messages.len()],
        };
        let fates = Fates::of(std::mem::take(&mut batch.messages), answers);
        batch.messages = fates.left;
        if fates.works {
            self.pace.succeeded(now);
        }
        if let Some(trouble) = &fates.queue {
            self.fail(&Arc::new(trouble.failure()));
        }
        let credentials = fates.credentials.as_ref().map(Trouble::failure);
        let ended = ended.cloned().or_else(|| credentials.clone().map(Arc::new));
        match (fates.retry, self.no_more(ended.as_ref())) {
            (_, Some(failure)) => self.end_batch(batch, &failure),
            (None, None) => self.go_on(batch, now),
            (Some(trouble), None) => {
                let slow_down = !fates.works || trouble.class == Class::Throttled;
                let started = slow_down.then_some(started);
                self.retry(batch, trouble, is_whole, started, now);
            }
        }
        credentials
    }

    /// Gives up what waits to another lane: they are of one queue.
    pub(crate) fn dissolve(&mut self) -> Vec<Message> {
        self.in_flight -= 1;
        self.waiting.drain()
    }

    /// The queue is unusable from now on.
    fn fail(&mut self, failure: &Arc<Failure>) {
        self.address = Address::Failed(Arc::clone(failure));
        self.fail_waiting(failure);
    }

    pub(crate) fn fail_waiting(&mut self, failure: &Arc<Failure>) {
        for batch in std::mem::take(&mut self.retries).into_values() {
            self.end_batch(batch, failure);
        }
        fail_all(self.waiting.drain(), failure);
    }

    /// Nothing of the batch is left: its next part is due, or its groups are free.
    fn go_on(&mut self, batch: Batch, now: Instant) {
        let (groups, at_once) = (batch.groups.clone(), !batch.has_failed());
        match batch.next_part() {
            Some(batch) => self.put_back(now, batch),
            None => groups.iter().for_each(|id| self.waiting.release(id, at_once)),
        }
    }

    /// What is left of a batch waits for another attempt, or is given up when its time is over.
    /// `slow_down`: when the request was started that says that the queue takes too much.
    fn retry(
        &mut self,
        mut batch: Batch,
        trouble: Trouble,
        is_whole: bool,
        slow_down: Option<Instant>,
        now: Instant,
    ) {
        let at_once = !batch.has_failed();
        batch.let_go().iter().for_each(|id| self.waiting.release(id, at_once));
        let is_theirs = self.waiting.count_failure(&batch.groups, self.pace.worked_at(), now)
            && batch.is_grouped();
        if let Some(started) = slow_down.filter(|_| !is_theirs) {
            self.pace.failed(started, now, self.retry_for);
        }
        let has_company = is_whole && batch.groups.len() > 1;
        if is_theirs && !has_company {
            self.waiting.set_slow(&batch.groups);
        }
        let deadline = batch.deadline(self.retry_for);
        if now >= deadline {
            let failure = batch.failure(&trouble, now);
            self.give_up(batch, &failure);
        } else {
            let failures = batch.count_failure(trouble.clone());
            let due = || after(now, backoff(failures)).min(deadline);
            // One of the groups may be the cause: the others must not share its fate for long.
            let is_throttled = trouble.class == Class::Throttled && failures >= SUSPECT_AFTER;
            match has_company && (is_theirs || is_throttled) {
                true => self.put_back_halves(batch, due(), due()),
                false => self.put_back(due(), batch),
            }
        }
        self.end_outage(&trouble, now);
    }

    /// Nothing has succeeded for as long as a message is retried: what was not even tried shares
    /// the failure, instead of waiting its turn to fail.
    fn end_outage(&mut self, trouble: &Trouble, now: Instant) {
        if let Some((attempts, time)) = self.pace.outage(now, self.retry_for) {
            let failure = Arc::new(trouble.failure_after(attempts, time));
            let waiting = self.waiting.drain();
            waiting.into_iter().for_each(|message| self.give_up_message(message, &failure));
            self.pace.forget_outage();
        }
    }

    fn give_up(&mut self, batch: Batch, failure: &Arc<Failure>) {
        let groups = batch.groups.clone();
        let mut messages = batch.into_messages();
        groups.iter().for_each(|id| messages.extend(self.waiting.remove(id)));
        messages.into_iter().for_each(|message| self.give_up_message(message, failure));
    }

    fn give_up_message(&mut self, message: Message, failure: &Arc<Failure>) {
        let id = message.group().cloned();
        let reported = message.fail(failure);
        if let Some(id) = id {
            self.given_up.add(id, reported, failure);
        }
    }

    /// Fails what is left of a batch, where nothing that waits is sent any more either.
    fn end_batch(&mut self, batch: Batch, failure: &Arc<Failure>) {
        batch.groups.iter().for_each(|id| self.waiting.release(id, false));
        fail_all(batch.into_messages(), failure);
    }

    /// Why messages may not be tried again, if they may not.
    fn no_more(&self, ended: Option<&Arc<Failure>>) -> Option<Arc<Failure>> {
        match (ended, &self.address) {
            (Some(failure), _) | (None, Address::Failed(failure)) => Some(Arc::clone(failure)),
            _ => None,
        }
    }

    fn put_back_halves(&mut self, batch: Batch, due: Instant, second_due: Instant) {
        let (first, second) = batch.halve();
        self.put_back(due, first);
        if let Some(second) = second {
            self.put_back(second_due, second);
        }
    }

    fn put_back(&mut self, due: Instant, batch: Batch) {
        self.retry_number += 1;
        self.retries.insert((due, self.retry_number), batch);
    }

    fn next_batch(&mut self, now: Instant) -> Option<Batch> {
        while let Some(first) = self.retries.first_entry() {
            if first.key().0 > now {
                break;
            }
            let batch = first.remove();
            let is_late = now > after(batch.deadline(self.retry_for), self.grace);
            match batch.last_trouble().filter(|_| is_late) {
                Some(trouble) => {
                    let failure = batch.failure(trouble, now);
                    self.give_up(batch, &failure);
                }
                None => return Some(batch),
            }
        }
        if self.pace.is_paused(now) { None } else { self.waiting.take(now) }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
