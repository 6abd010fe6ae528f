//! Publishing: reading, rendering, sending and acknowledging overlap. This thread reads and
//! renders changes and settles results; the publisher's thread sends, many requests at once.
//! What is read and not yet settled is bounded; no transaction is open while anything is
//! waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use message::{Change, Event};
use publisher::{Attribute, AttributeValue, Failure, Outgoing, Report, Settings};

use super::job::{self, Job, Shape};
use super::sender::Sender;
use super::settle::{Refused, Settlement};
use super::{End, State};
use crate::catalog::{self, Definition};
use crate::connection;
use crate::pg::rights::as_superuser;
use crate::pg::rows::{ChangeRow, Limit};
use crate::pg::transaction::{flush_at_commit, transaction};
use crate::pg::{Error, Result, process};

/// Requests that wait for their answer at once.
const MAX_REQUESTS_IN_FLIGHT: usize = 128;
/// Messages read and not settled: those in flight, and as many behind them.
const MAX_OUTSTANDING: usize = 2 * 10 * MAX_REQUESTS_IN_FLIGHT;
/// Bytes of messages that are read and not settled.
const MAX_OUTSTANDING_BYTES: usize = 64 << 20;
/// What is read at once.
const BATCH: Limit = Limit { rows: 1000, bytes: 8 << 20 };
/// Results that are settled in one transaction, unless there is nothing else to do.
const SETTLE_AT: usize = 1000;
/// How long a result waits for others to be settled with.
const SETTLE_AFTER: Duration = Duration::from_millis(50);
/// How long answers in flight are awaited when a run is cancelled.
const CANCEL_PATIENCE: Duration = Duration::from_secs(10);
/// How long this thread waits before it looks around again, whatever wakes it.
const LOOK_AROUND: Duration = Duration::from_secs(1);

pub struct Pipeline<'a> {
    job: &'a Job,
    shape: Shape,
    definition: message::Definition,
    queue: Arc<str>,
    version: i32,
    publisher: Sender,
    /// Changes up to this id have been read.
    after: i64,
    through: i64,
    /// Changes up to this id may have been sent before this pipeline began.
    in_doubt_through: i64,
    exhausted: bool,
    /// Bytes of each message that the publisher has and has not reported.
    outstanding: std::collections::HashMap<i64, usize>,
    outstanding_bytes: usize,
    unsettled: Settlement,
    unsettled_since: Option<Instant>,
    failure: Option<Arc<Failure>>,
    /// Why nothing more can be read.
    error: Option<Error>,
    cancelled_at: Option<Instant>,
    /// When the catalog was last looked at for a cancel.
    looked_at: Instant,
}

impl<'a> Pipeline<'a> {
    /// For the changes up to `through` that were found under this version of the definition.
    pub fn start(job: &'a Job, version: i32, through: i64) -> Result<Pipeline<'a>> {
        let load = || {
            let definition: Definition = catalog::definition::load(job.sync.id, version)?;
            let shape = Shape::of(job)?;
            let compiled = job::compile(&job.sync, &definition, &shape.names())?;
            let connection = connection::of(&definition.server, job.owner)
                .map_err(|error| error.in_sync(&job.sync.name))?;
            Ok((definition, shape, compiled, connection))
        };
        let (definition, shape, compiled, connection) = transaction(|| as_superuser(load))?;
        let settings = Settings {
            retry_for: Duration::from_secs_f64(
                definition.retry_seconds.clamp(0.0, MAX_RETRY_SECONDS),
            ),
            max_requests_in_flight: MAX_REQUESTS_IN_FLIGHT,
            one_per_group: false,
        };
        let publisher = Sender::start(connection, settings)?;
        Ok(Pipeline {
            job,
            shape,
            definition: compiled,
            queue: definition.queue.into(),
            version,
            publisher,
            after: 0,
            through,
            in_doubt_through: job.handed_through()?,
            exhausted: false,
            outstanding: std::collections::HashMap::new(),
            outstanding_bytes: 0,
            unsettled: Settlement::default(),
            unsettled_since: None,
            failure: None,
            error: None,
            cancelled_at: None,
            looked_at: Instant::now(),
        })
    }

    /// Publishes to the end. Returns how the run ends, if it cannot go on.
    pub fn publish(mut self) -> Result<Option<End>> {
        loop {
            self.look_for_cancel();
            self.collect();
            if self.is_time_to_settle() {
                self.settle()?;
            }
            if self.wants_more() {
                self.fill();
            } else if self.outstanding.is_empty() && self.unsettled.is_empty() {
                break;
            } else if self.has_waited_enough() {
                self.give_up();
            } else {
                process::wait(self.publisher.notifier(), self.patience());
            }
        }
        Ok(self.end())
    }

    /// A signal says it at once; the catalog says it too, for one that a signal missed.
    fn look_for_cancel(&mut self) {
        if self.cancelled_at.is_some() {
            return;
        }
        let mut cancelled = process::cancel_requested();
        if !cancelled && self.looked_at.elapsed() >= LOOK_AROUND {
            self.looked_at = Instant::now();
            // It may not be to be read now: the next look is soon.
            cancelled = transaction(|| self.job.look_for_cancel()).unwrap_or(false);
        }
        if cancelled {
            self.cancel();
        }
    }

    fn cancel(&mut self) {
        self.cancelled_at = Some(Instant::now());
        self.publisher.cancel();
    }

    /// The first failure ends the run: what is not in flight is given back at once.
    fn stop_for(&mut self, failure: Arc<Failure>) {
        if self.failure.is_none() {
            self.failure = Some(failure);
            self.publisher.cancel();
        }
    }

    fn has_stopped(&self) -> bool {
        self.failure.is_some() || self.cancelled_at.is_some()
    }

    fn wants_more(&self) -> bool {
        !self.exhausted
            && !self.has_stopped()
            && self.outstanding.len() + BATCH.rows <= MAX_OUTSTANDING
            && self.outstanding_bytes + BATCH.bytes <= MAX_OUTSTANDING_BYTES
    }

    fn patience(&self) -> Duration {
        if self.unsettled.is_empty() { LOOK_AROUND } else { SETTLE_AFTER }
    }

    /// Takes what the publisher reports.
    fn collect(&mut self) {
        for Report { id, outcome } in self.publisher.reports() {
            if let Some(bytes) = self.outstanding.remove(&id) {
                self.outstanding_bytes -= bytes;
            }
            let was_in_doubt = id <= self.in_doubt_through;
            if let Some(failure) = self.unsettled.add(id, outcome, was_in_doubt) {
                self.stop_for(failure);
            }
        }
        if !self.unsettled.is_empty() {
            self.unsettled_since.get_or_insert_with(Instant::now);
        }
    }

    fn is_time_to_settle(&self) -> bool {
        let waited = self.unsettled_since.is_some_and(|since| since.elapsed() >= SETTLE_AFTER);
        !self.unsettled.is_empty()
            && (waited || self.unsettled.len() >= SETTLE_AT || self.outstanding.is_empty())
    }

    fn settle(&mut self) -> Result<()> {
        let settlement = std::mem::take(&mut self.unsettled);
        self.unsettled_since = None;
        settlement.settle(self.job, &self.shape.change_set(self.job))
    }

    /// Reads a batch, makes it known that it goes to the publisher, and only then renders and
    /// sends it.
    fn fill(&mut self) {
        let batch = match super::retried(super::CATALOG_ATTEMPTS, || self.hand_over()) {
            Ok(batch) => batch,
            // What is on its way is awaited all the same, and settled.
            Err(error) => {
                self.error = (!error.is_cancel()).then_some(error);
                return self.cancel();
            }
        };
        let Some(last) = batch.last() else {
            self.exhausted = true;
            return;
        };
        self.after = last.id;
        let messages = batch.iter().filter_map(|change| self.render(change)).collect();
        self.publisher.send(messages);
    }

    /// Committed and flushed when it returns: what may have been sent is known after a crash.
    fn hand_over(&self) -> Result<Vec<ChangeRow>> {
        transaction(|| {
            flush_at_commit()?;
            let set = self.shape.change_set(self.job);
            let batch =
                self.job.on_batch(|| set.read(self.after, self.through, self.version, BATCH))?;
            if let Some(last) = batch.last() {
                super::on_catalog(|| {
                    catalog::position::set_handed_through(self.job.sync.id, last.id)
                })?;
            }
            Ok(batch)
        })
    }

    fn render(&mut self, change: &ChangeRow) -> Option<Outgoing> {
        if change.silent {
            self.unsettled.add_silent(change.id);
            return None;
        }
        let rendered = change
            .event
            .parse::<Event>()
            .map_err(|_| Refused::unknown_event(&change.event))
            .and_then(|event| {
                let change = Change { id: change.id, event, row: &change.values };
                self.definition.render(&change).map_err(Refused::from)
            });
        match rendered {
            Ok(message) => {
                let bytes = message.size();
                self.outstanding.insert(change.id, bytes);
                self.outstanding_bytes += bytes;
                let attribute = |a: message::Attribute| Attribute {
                    data_type: a.data_type().into(),
                    name: a.name.into(),
                    value: AttributeValue::Text(a.value),
                };
                let attributes = message.attributes.into_iter().map(attribute).collect();
                Some(Outgoing {
                    id: change.id,
                    queue: self.queue.clone(),
                    body: message.body,
                    attributes,
                    group_id: None,
                    dedup_id: None,
                    delay_seconds: None,
                })
            }
            Err(refused) => {
                self.unsettled.add_refused(change.id, refused);
                None
            }
        }
    }

    fn has_waited_enough(&self) -> bool {
        self.cancelled_at.is_some_and(|at| at.elapsed() >= CANCEL_PATIENCE)
    }

    /// What has not been answered stays in the change set, in doubt.
    fn give_up(&mut self) {
        self.outstanding.clear();
        self.outstanding_bytes = 0;
    }

    fn end(mut self) -> Option<End> {
        if let Some(error) = self.error.take() {
            return Some(End::failed(error.in_sync(&self.job.sync.name)));
        }
        if self.cancelled_at.is_some() {
            return Some(End { state: State::Cancelled, error: None });
        }
        self.failure.as_ref().map(|failure| End {
            state: State::Failed,
            error: Some(super::settle::error_of(failure).in_sync(&self.job.sync.name)),
        })
    }
}

/// A year: what a duration for retries is cut to.
const MAX_RETRY_SECONDS: f64 = 366.0 * 86_400.0;
