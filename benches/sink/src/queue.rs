//! One queue: its settings, its account, and what becomes of a message.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::account::{Account, Missing, Sums};
use crate::chance::{Dice, Fault};
use crate::check;
use crate::error::{EntryError, RequestError};
use crate::journal::{Journal, Line};
use crate::rate::Bucket;
use crate::settings::Settings;
use crate::window::Window;
use crate::wire::Entry;

/// What a queue did to its requests, beside taking messages.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Incidents {
    /// All that came, whatever became of them.
    requests: u64,
    /// Messages that a FIFO queue took, and had delivered before.
    suppressed: u64,
    /// Refused with what SQS refuses.
    pub(crate) invalid_requests: u64,
    invalid_entries: u64,
    /// Injected, as set.
    throttled_requests: u64,
    throttled_entries: u64,
    failed_entries: u64,
    rejected_entries: u64,
    pub(crate) missing_entries: u64,
    pub(crate) cut_answers: u64,
    pub(crate) resets_before: u64,
    pub(crate) resets_after: u64,
    pub(crate) unavailable: u64,
    pub(crate) hangs: u64,
}

#[derive(Serialize)]
pub(crate) struct Counts {
    #[serde(flatten)]
    sums: Sums,
    #[serde(flatten)]
    incidents: Incidents,
}

/// A delivered message, whole.
#[derive(Serialize)]
struct Kept {
    message_id: MessageId,
    body: String,
    /// By name, as they were sent.
    attributes: Value,
    group_id: Option<String>,
    deduplication_id: Option<String>,
}

/// A UUID in form: the queue's ordinal and the message's number in it.
#[derive(Clone, Copy)]
pub(crate) struct MessageId {
    queue: u32,
    number: u32,
}

impl MessageId {
    pub(crate) fn text(self) -> String {
        format!("{:08x}-0000-4000-8000-0000{:08x}", self.queue, self.number)
    }

    /// The sequence number that a FIFO queue gives, in SQS's 20 digits.
    pub(crate) fn sequence(self) -> String {
        format!("{:020}", self.number)
    }
}

impl Serialize for MessageId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

pub(crate) struct Queue {
    pub(crate) name: String,
    ordinal: u32,
    settings: Settings,
    account: Account,
    pub(crate) incidents: Incidents,
    window: Window,
    bucket: Bucket,
    /// By the group's hash.
    group_buckets: HashMap<u64, Bucket>,
    kept: VecDeque<Kept>,
    journal: Option<Arc<Journal>>,
    /// The last message's. It repeats after four billion messages.
    number: u32,
}

impl Queue {
    /// The ordinal makes message ids different from those of other queues.
    pub(crate) fn new(
        name: String,
        ordinal: u32,
        settings: Settings,
        journal: Option<Arc<Journal>>,
    ) -> Self {
        Self {
            name,
            ordinal,
            account: Account::new(&settings.id_name, settings.sequence_name.as_deref()),
            settings,
            incidents: Incidents::default(),
            window: Window::default(),
            bucket: Bucket::full(),
            group_buckets: HashMap::new(),
            kept: VecDeque::new(),
            journal,
            number: 0,
        }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn set(&mut self, settings: Settings) {
        self.account.rename(&settings.id_name, settings.sequence_name.as_deref());
        self.settings = settings;
        self.keep_no_more();
    }

    /// Forgets all that was sent, and draws faults from the beginning. Message ids go on.
    pub(crate) fn reset(&mut self) {
        let (name, journal) = (mem::take(&mut self.name), self.journal.take());
        let new = Queue::new(name, self.ordinal, self.settings.clone(), journal);
        *self = Queue { number: self.number, ..new };
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { sums: self.account.sums(), incidents: self.incidents }
    }

    pub(crate) fn missing(&self, from: i64, through: i64) -> Missing {
        self.account.missing(from, through)
    }

    /// The last delivered messages, the oldest first.
    pub(crate) fn kept(&self) -> impl Serialize {
        &self.kept
    }

    /// Counts a request and returns what its fate is drawn from.
    pub(crate) fn begin(&mut self) -> Dice {
        self.incidents.requests += 1;
        Dice::new(self.settings.seed, self.incidents.requests)
    }

    /// Whether a request as a whole may come in.
    pub(crate) fn admit(
        &mut self,
        entries: &[Entry<'_>],
        dice: Dice,
        now: Duration,
    ) -> Result<(), RequestError> {
        check::groups(entries, self.is_fifo())
            .inspect_err(|_| self.incidents.invalid_requests += 1)?;
        let within_rate = match self.settings.queue_messages_per_second {
            Some(rate) => self.bucket.take(entries.len(), rate, now),
            None => true,
        };
        let code = if !within_rate {
            "ThrottlingException"
        } else if !dice.falls(Fault::Throttled, self.settings.throttled_share) {
            return Ok(());
        } else if dice.falls(Fault::ThrottlingException, 0.5) {
            "ThrottlingException"
        } else {
            "RequestThrottled"
        };
        self.incidents.throttled_requests += 1;
        Err(RequestError::new(code, "Rate exceeded"))
    }

    /// Takes the entry at `index` of its request, or says why not.
    pub(crate) fn take(
        &mut self,
        entry: &Entry<'_>,
        index: usize,
        dice: Dice,
        now: Duration,
    ) -> Result<MessageId, EntryError> {
        check::entry(entry, self.is_fifo()).inspect_err(|_| self.incidents.invalid_entries += 1)?;
        self.meet_faults(entry, index, dice, now)?;
        self.number = self.number.wrapping_add(1);
        if let Some(number) = self.delivered_before(entry, now) {
            self.incidents.suppressed += 1;
            return Ok(MessageId { queue: self.ordinal, number });
        }
        let id = MessageId { queue: self.ordinal, number: self.number };
        self.write_down(entry);
        self.account.deliver(&entry.message_body, entry.message_group_id.as_deref());
        if self.settings.keep > 0 {
            self.keep(id, entry);
        }
        Ok(id)
    }

    fn meet_faults(
        &mut self,
        entry: &Entry<'_>,
        index: usize,
        dice: Dice,
        now: Duration,
    ) -> Result<(), EntryError> {
        if let (Some(rate), Some(group)) =
            (self.settings.group_messages_per_second, &entry.message_group_id)
        {
            let bucket =
                self.group_buckets.entry(xxh3_64(group.as_bytes())).or_insert(Bucket::full());
            if !bucket.take(1, rate, now) {
                self.incidents.throttled_entries += 1;
                return Err(EntryError::service("RequestThrottled", "Rate exceeded"));
            }
        }
        if dice.falls_on(Fault::Failed, self.settings.failed_share, index) {
            self.incidents.failed_entries += 1;
            return Err(EntryError::service("InternalError", "Injected: try again."));
        }
        if dice.falls_on(Fault::Rejected, self.settings.rejected_share, index) {
            self.incidents.rejected_entries += 1;
            return Err(EntryError::sender("InvalidMessageContents", "Injected: never try again."));
        }
        Ok(())
    }

    /// The number of the message that was delivered with this one's deduplication id.
    fn delivered_before(&mut self, entry: &Entry<'_>, now: Duration) -> Option<u32> {
        if !self.is_fifo() {
            return None;
        }
        let id = entry.message_deduplication_id.as_ref().unwrap_or(&entry.message_body);
        self.window.first(id, self.number, self.settings.deduplication_ms, now)
    }

    /// A message of an earlier sink's: its deduplication id is known, as if it had just come.
    pub(crate) fn remember(&mut self, line: &Line) {
        self.number = self.number.wrapping_add(1);
        self.account.deliver(&line.body, line.group_id.as_deref());
        if self.is_fifo() {
            let id = line.deduplication_id.as_ref().unwrap_or(&line.body);
            self.window.first(id, self.number, self.settings.deduplication_ms, Duration::ZERO);
        }
    }

    fn write_down(&self, entry: &Entry<'_>) {
        let Some(journal) = &self.journal else { return };
        let owned = |text: &Option<_>| text.as_deref().map(str::to_owned);
        let line = Line {
            queue: self.name.clone(),
            body: entry.message_body.to_string(),
            attributes: serde_json::to_value(&entry.message_attributes).unwrap_or_default(),
            group_id: owned(&entry.message_group_id),
            deduplication_id: owned(&entry.message_deduplication_id),
        };
        // A message that is acknowledged must be there: without its journal the sink is of no use.
        if journal.write(&line).is_err() {
            process::exit(1);
        }
    }

    fn keep(&mut self, message_id: MessageId, entry: &Entry<'_>) {
        let owned = |text: &Option<_>| text.as_deref().map(str::to_owned);
        self.kept.push_back(Kept {
            message_id,
            body: entry.message_body.to_string(),
            attributes: serde_json::to_value(&entry.message_attributes).unwrap_or_default(),
            group_id: owned(&entry.message_group_id),
            deduplication_id: owned(&entry.message_deduplication_id),
        });
        self.keep_no_more();
    }

    fn keep_no_more(&mut self) {
        let too_many = self.kept.len().saturating_sub(self.settings.keep);
        self.kept.drain(..too_many);
    }
}
