//! Publishing: reading, rendering, sending and acknowledging overlap. This thread reads and
//! renders changes and settles results; the publisher's thread sends, many requests at once.
//! What is read and not yet settled is bounded ([`backlog`]); no transaction is open
//! while anything is waited for.

mod turn;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backlog::{Backlog, MAX_REQUESTS_IN_FLIGHT, Place, Reported, Sent};
use message::PerEvent;
use publisher::{Failure, FailureKind, Outcome, Report, Settings};

use super::job::{self, Job};
use super::log::Log;
use super::owned::Shape;
use super::pulse::{Beat, Pulse};
use super::rendering::{Read, Refused, Renderer};
use super::sender::Sender;
use super::settle::{Settlement, Unsent};
use super::{End, State};
use crate::catalog;
use crate::catalog::progress::Phase;
use crate::changes::change_set::Wanted;
use crate::connection;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::transaction;
use crate::pg::{Error, Result, failpoint, process};

/// Results that are settled in one transaction, unless there is nothing else to do.
const SETTLE_AT: usize = 1000;
/// How long a result waits for others to be settled with.
const SETTLE_AFTER: Duration = Duration::from_millis(50);
/// How long a call that has settled nothing waits to be written with what others have.
const LOG_AFTER: Duration = Duration::from_secs(1);
/// Bytes of calls that are written at once, whatever else there is to do.
const LOG_AT: usize = 8 << 20;
/// How long answers in flight are awaited when a run is cancelled.
const CANCEL_PATIENCE: Duration = Duration::from_secs(10);
/// Queues that take nothing, and are remembered by their names.
const MOST_DEAD_QUEUES: usize = 100;
/// How long this thread waits before it looks around again, whatever wakes it.
const LOOK_AROUND: Duration = Duration::from_secs(1);

pub struct Pipeline<'a> {
    job: &'a Job,
    shape: Shape,
    /// What messages are made of, which alone is read.
    wanted: Wanted,
    renderer: Renderer,
    publisher: Sender,
    log: Log,
    /// Changes up to this id have been read.
    after: i64,
    through: i64,
    /// Changes up to this id may have been sent before this pipeline began, unless they wait.
    in_doubt_through: i64,
    /// Changes up to this id may wait, set aside by a runner before.
    sift_through: i64,
    exhausted: bool,
    /// What was read and is not made into messages yet, for want of room.
    unrendered: VecDeque<Read>,
    backlog: Backlog,
    /// Since when there is more to read, and no room.
    stuck_since: Option<Instant>,
    unsettled: Settlement,
    unsettled_since: Option<Instant>,
    /// The first of a message that was given up.
    failure: Option<Arc<Failure>>,
    /// Queues that take nothing, each with the reason.
    dead_queues: Vec<(Arc<str>, Arc<Failure>)>,
    /// A failure has ended the run.
    is_ended: bool,
    has_one_lane: bool,
    /// The events whose queue is of the row's choice.
    row_names_queue: PerEvent<bool>,
    /// Why nothing more can be read.
    error: Option<Error>,
    cancelled_at: Option<Instant>,
    /// When the catalog was last looked at for a cancel.
    looked_at: Instant,
    pulse: Pulse,
    /// What is sent again was found longer ago than a FIFO queue knows it.
    is_late: bool,
}

impl<'a> Pipeline<'a> {
    /// For the changes up to `through`.
    pub fn start(job: &'a Job, through: i64) -> Result<Pipeline<'a>> {
        let load = || {
            let origin = catalog::position::origin(job.sync.id)?
                .ok_or_else(|| Error::internal("the change set comes from no run"))?;
            let definition = catalog::definition::load(job.sync.id, origin.version)?;
            // What is in doubt keeps its definition; how much the consumer bears is of today.
            let max_messages_per_second =
                catalog::definition::max_rate(job.sync.id, job.version()?)?;
            let shape = Shape::of(job)?;
            let (wanted, compiled) = job::compile_narrow(&job.sync, &definition, &shape.columns)?;
            let connection = connection::of(&definition.server, job.owner, &job.sync.name)
                .map_err(|error| error.in_sync(&job.sync.name))?;
            let sift_through = catalog::waiting::last(job.sync.id)?;
            catalog::claim::forget_old(job.sync.id, origin.run_id)?;
            let is_late = catalog::position::is_origin_old(job.sync.id)?;
            let pulse = Pulse::load(job)?;
            let loaded = (definition, origin, shape, wanted, compiled, connection, sift_through);
            Ok((loaded, max_messages_per_second, is_late, pulse))
        };
        let (loaded, max_messages_per_second, is_late, pulse) = transaction(|| as_superuser(load))?;
        let (definition, origin, shape, wanted, definitions, connection, sift_through) = loaded;
        let settings = Settings {
            retry_for: Duration::from_secs_f64(
                definition.retry_seconds.clamp(0.0, MAX_RETRY_SECONDS),
            ),
            max_requests_in_flight: MAX_REQUESTS_IN_FLIGHT,
            one_per_group: definition.order_by.is_some(),
            one_queue: definition.has_one_queue(),
            max_messages_per_second,
        };
        let publisher = Sender::start(connection.clone(), settings)?;
        let mut log = Log::new(job.sync.id);
        transaction(|| as_superuser(|| log.begin(&publisher)))?;
        let version = origin.version;
        let renderer = Renderer::new(
            &job.sync,
            &definition,
            definitions,
            &wanted,
            origin,
            &publisher,
            connection,
        );
        Ok(Pipeline {
            job,
            shape,
            wanted,
            publisher,
            log,
            after: 0,
            through,
            in_doubt_through: job.handed_through()?,
            sift_through: sift_through.unwrap_or(0),
            exhausted: false,
            unrendered: VecDeque::new(),
            backlog: Backlog::new(definition.has_one_lane(), definition.has_one_queue()),
            stuck_since: None,
            unsettled: Settlement::new(renderer.claims_ids(), version),
            renderer,
            unsettled_since: None,
            failure: None,
            dead_queues: Vec::new(),
            is_ended: false,
            has_one_lane: definition.has_one_lane(),
            row_names_queue: definition.row_names_queue(),
            error: None,
            cancelled_at: None,
            looked_at: Instant::now(),
            pulse,
            is_late,
        })
    }

    /// Publishes to the end. Returns how the run ends, if it cannot go on.
    pub fn publish(mut self) -> Result<Option<End>> {
        let published = self.publish_all();
        self.job.traffic.replace(self.pulse.traffic(&self.publisher.counters()));
        published?;
        self.write_dead_queues()?;
        Ok(self.end())
    }

    fn publish_all(&mut self) -> Result<()> {
        loop {
            self.look_for_cancel();
            self.collect();
            self.render();
            self.release();
            let hand_over = self.next_hand_over();
            if hand_over.is_some() || self.is_time_to_settle() {
                self.take_turn(hand_over)?;
                failpoint::reach("turn_taken");
            } else if self.is_done() {
                return Ok(());
            } else if self.has_waited_enough() {
                self.backlog.abandon();
            } else {
                process::wait(self.publisher.notifier(), self.patience());
            }
        }
    }

    /// A signal says it at once; the catalog says it too, for one that a signal missed.
    fn look_for_cancel(&mut self) {
        let is_cancelled = self.cancelled_at.is_some();
        let mut cancelled = !is_cancelled && process::cancel_requested();
        if !cancelled && self.looked_at.elapsed() >= LOOK_AROUND {
            self.looked_at = Instant::now();
            let beat = self.beat();
            // It may not be to be read now: the next look is soon.
            let (job, log, publisher) = (self.job, &mut self.log, &self.publisher);
            let look = || job.look_around(beat.as_ref(), || log.look(publisher));
            cancelled = transaction(look).unwrap_or(false);
        }
        if cancelled && !is_cancelled {
            self.cancel();
        }
    }

    /// How the run goes, if that is to be told now.
    fn beat(&mut self) -> Option<Beat> {
        if !self.pulse.is_due() {
            return None;
        }
        let phase = match (self.cancelled_at, self.through) {
            (Some(_), _) => Phase::Cancelling,
            (None, i64::MAX) => Phase::Publishing,
            (None, _) => Phase::Resending,
        };
        let counters = self.publisher.counters();
        self.pulse.beat(self.job, phase, self.backlog.unanswered(), &counters)
    }

    fn cancel(&mut self) {
        self.cancelled_at = Some(Instant::now());
        self.stop();
    }

    /// A message was given up. What is wrong with its queue or group ends them alone for this
    /// run; what is wrong with all of SQS ends the run, and what is not in flight is given back.
    fn fail(&mut self, failure: Unsent, id: i64, sent: Sent, place: &Place) {
        let Unsent { failure, is_certain } = failure;
        let sent = Sent { was_in_doubt: sent.was_in_doubt || !is_certain, ..sent };
        let is_local = matches!(failure.kind, FailureKind::Queue | FailureKind::Service);
        let ends_all = !is_local || self.has_one_lane || self.backlog.has_failed_too_often();
        if !ends_all && !self.has_stopped() {
            self.backlog.fail(id, sent, place, failure.kind == FailureKind::Queue);
        } else if !sent.was_in_doubt {
            self.unsettled.add_unsent(vec![id]);
        }
        if ends_all && !self.has_stopped() {
            self.is_ended = true;
            self.stop();
        }
        let reason = failure.code.clone().unwrap_or_else(|| failure.kind.as_str().to_owned());
        *self.job.given_up.borrow_mut().entry(reason).or_default() += 1;
        if failure.kind == FailureKind::Queue {
            self.note_dead_queue(&place.queue, &failure);
        }
        self.failure.get_or_insert(failure);
    }

    fn note_dead_queue(&mut self, queue: &Arc<str>, failure: &Arc<Failure>) {
        let is_known = self.dead_queues.iter().any(|(given_up, _)| given_up == queue);
        if !is_known && self.dead_queues.len() < MOST_DEAD_QUEUES {
            self.dead_queues.push((Arc::clone(queue), Arc::clone(failure)));
        }
    }

    /// Makes known which queues take nothing, if there are any.
    fn write_dead_queues(&self) -> Result<()> {
        if self.dead_queues.is_empty() {
            return Ok(());
        }
        let queues: Vec<(String, String)> = self
            .dead_queues
            .iter()
            .map(|(queue, failure)| (queue.to_string(), failure.message.clone()))
            .collect();
        super::catalog_transaction(|| catalog::given_up::set(self.job.sync.id, &queues))
    }

    fn stop(&mut self) {
        self.publisher.cancel();
        self.give_back();
    }

    /// What the publisher has not been given is not sent.
    fn give_back(&mut self) {
        self.unsettled.add_unsent(self.backlog.give_back());
        let unsent = self.unrendered.drain(..).filter(|read| !read.in_doubt);
        self.unsettled.add_unsent(unsent.map(|read| read.change.id).collect());
        self.note_unsettled();
    }

    fn has_stopped(&self) -> bool {
        self.is_ended || self.cancelled_at.is_some()
    }

    fn is_done(&self) -> bool {
        let is_read = self.exhausted || self.has_stopped();
        let is_rendered = self.unrendered.is_empty();
        is_read && is_rendered && self.backlog.is_empty() && self.unsettled.is_empty()
    }

    fn patience(&self) -> Duration {
        let settle = (!self.unsettled.is_empty()).then_some(self.settle_after());
        let unstick = self.stuck_since.map(|_| turn::STUCK_AFTER);
        [settle, unstick].into_iter().flatten().min().unwrap_or(LOOK_AROUND)
    }

    fn settle_after(&self) -> Duration {
        if self.unsettled.has_results() { SETTLE_AFTER } else { LOG_AFTER }
    }

    /// Takes what the publisher reports, and the calls that it has made.
    fn collect(&mut self) {
        failpoint::reach("collecting");
        let reports = self.publisher.reports();
        // Taken after the reports: the calls that these are of are there.
        for exchange in self.publisher.exchanges() {
            let row = self.log.row_of(exchange, |id| self.backlog.about(id));
            self.unsettled.add_request(row);
        }
        if !reports.is_empty() {
            failpoint::reach("answered");
        }
        for Report { id, outcome } in reports {
            let Some(reported) = self.backlog.reported(id) else { continue };
            let Reported { about: sent, message_id, bytes, place } = reported;
            self.count(sent, &outcome, &place);
            if let Outcome::NotSent { failure } = &outcome
                && *self.row_names_queue.get(sent.event)
                && is_row_s_affair(failure, sent)
            {
                let refused = Refused::by_queue(failure).with_message_id(message_id);
                self.unsettled.add_refused(id, refused.with_size(bytes));
            } else if let Some(failure) = self.unsettled.add(id, outcome, sent, message_id, bytes) {
                self.fail(failure, id, sent, &place);
            }
        }
        self.note_unsettled();
    }

    fn count(&mut self, sent: Sent, outcome: &Outcome, place: &Place) {
        let is_acknowledged = matches!(outcome, Outcome::Acknowledged { .. });
        if !is_acknowledged && !matches!(outcome, Outcome::Rejected { .. }) {
            return;
        }
        self.pulse.count(1);
        if sent.was_in_doubt {
            self.unsettled.count_resent();
            if is_acknowledged && (self.is_late || !place.queue.ends_with(".fifo")) {
                self.pulse.count_possible_duplicate();
            }
        }
    }

    fn note_unsettled(&mut self) {
        if !self.unsettled.is_empty() {
            self.unsettled_since.get_or_insert_with(Instant::now);
        }
    }

    /// Sends what there is room for.
    fn release(&mut self) {
        let messages = self.backlog.release(Instant::now());
        if !messages.is_empty() {
            self.publisher.send(messages);
            failpoint::reach("sent");
        }
    }

    fn is_time_to_settle(&self) -> bool {
        let after = self.settle_after();
        let waited = self.unsettled_since.is_some_and(|since| since.elapsed() >= after);
        let is_much =
            self.unsettled.len() >= SETTLE_AT || self.unsettled.requests_bytes() >= LOG_AT;
        !self.unsettled.is_empty() && (waited || is_much || !self.backlog.is_with_publisher())
    }

    fn has_waited_enough(&self) -> bool {
        self.cancelled_at.is_some_and(|at| at.elapsed() >= CANCEL_PATIENCE)
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

/// The row has named a queue that takes nothing. One that is not there has no reader who could
/// have been told, whatever an earlier attempt did.
fn is_row_s_affair(failure: &Failure, sent: Sent) -> bool {
    let is_missing = |code: &String| code.contains("NonExistent") || code.contains("DoesNotExist");
    failure.kind == FailureKind::Queue
        && (!sent.was_in_doubt || failure.code.as_ref().is_none_or(is_missing))
}

/// A year: what a duration for retries is cut to.
const MAX_RETRY_SECONDS: f64 = 366.0 * 86_400.0;
