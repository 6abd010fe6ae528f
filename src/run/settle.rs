//! Results put into effect, in one transaction of milliseconds: what SQS has acknowledged
//! moves to the snapshot; what is rejected leaves the change set with its reason; what
//! certainly was not sent leaves it too, to be found again; what is in doubt stays.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use backlog::Sent;
use message::{Event, PerEvent};
use pgrx::PgSqlErrorCode;
use publisher::{Failure, FailureKind, Outcome};

use super::job::Job;
use super::log;
use super::pulse::Beat;
use super::rendering::Refused;
use super::{on_catalog, retried};
use crate::catalog::rejection::{Rejection, Tried};
use crate::catalog::request::Request;
use crate::catalog::{self, figures::Reasons};
use crate::changes::change_set::{self, ChangeSet, Identity};
use crate::pg::transaction::{despite_cancel, transaction};
use crate::pg::{Error, Result, failpoint};

/// Why a message was not sent. "Not sent" is the publisher's word for its own attempts: a change
/// that an earlier run, or another runner, may have sent stays in doubt.
pub struct Unsent {
    pub failure: Arc<Failure>,
    pub is_certain: bool,
}

/// Results that have not been put into effect.
#[derive(Default)]
pub struct Settlement {
    acknowledged: PerEvent<Vec<i64>>,
    refused: HashMap<i64, Refused>,
    unsent: Vec<i64>,
    /// Some messages have deduplication ids of the user's own.
    has_claims: bool,
    /// Of the definition that messages are made by.
    version: i32,
    /// How many of all were in doubt.
    resent: i64,
    /// How the run goes, if that is to be told now.
    pub beat: Option<Beat>,
    /// The calls that these are the results of, and what they take.
    requests: Vec<Request>,
    requests_bytes: usize,
    /// Calls that could not be written.
    lost_requests: Cell<i64>,
}

/// How often a settlement is tried that somebody's lock on our tables keeps from going through:
/// what SQS has acknowledged must not be forgotten for a VACUUM FULL.
const ATTEMPTS: u32 = 6;

impl Settlement {
    pub fn new(has_claims: bool, version: i32) -> Settlement {
        Settlement { has_claims, version, ..Settlement::default() }
    }

    /// Takes out what is to be put into effect now.
    pub fn take(&mut self) -> Settlement {
        let next = Settlement::new(self.has_claims, self.version);
        std::mem::replace(self, next)
    }

    /// Takes the outcome of a message; gives one that was not sent, or perhaps was, back.
    pub fn add(
        &mut self,
        id: i64,
        outcome: Outcome,
        sent: Sent,
        message_id: Option<String>,
        bytes: usize,
    ) -> Option<Unsent> {
        match outcome {
            Outcome::Acknowledged { .. } => self.acknowledged.get_mut(sent.event).push(id),
            Outcome::Rejected { code, reason } => {
                let refused =
                    Refused::new(&code, reason, None).with_message_id(message_id).with_size(bytes);
                let was_in_doubt = sent.was_in_doubt;
                self.add_refused(id, Refused { was_in_doubt, ..refused });
            }
            Outcome::NotSent { failure } => return Some(Unsent { failure, is_certain: true }),
            Outcome::InDoubt { failure } => return Some(Unsent { failure, is_certain: false }),
        }
        None
    }

    /// Changes that certainly have not been sent.
    pub fn add_unsent(&mut self, ids: Vec<i64>) {
        self.unsent.extend(ids);
    }

    /// A change that was in doubt was sent again, and has its fate.
    pub fn count_resent(&mut self) {
        self.resent += 1;
    }

    pub fn add_refused(&mut self, id: i64, refused: Refused) {
        self.refused.insert(id, refused);
    }

    pub fn add_request(&mut self, request: Request) {
        self.requests_bytes += request.bytes();
        self.requests.push(request);
    }

    /// What the calls take that are to be written.
    pub fn requests_bytes(&self) -> usize {
        self.requests_bytes
    }

    /// How many calls could not be written.
    pub fn lost_requests(&self) -> i64 {
        self.lost_requests.get()
    }

    /// Results, calls aside.
    pub fn len(&self) -> usize {
        self.count_acknowledged() + self.refused.len() + self.unsent.len()
    }

    /// Whether there are results, not calls alone.
    pub fn has_results(&self) -> bool {
        !self.refused.is_empty() || !self.unsent.is_empty() || self.count_acknowledged() > 0
    }

    pub fn is_empty(&self) -> bool {
        !self.has_results() && self.requests.is_empty()
    }

    fn count_acknowledged(&self) -> usize {
        Event::ALL.into_iter().map(|event| self.acknowledged.get(event).len()).sum()
    }

    /// A cancel waits for it.
    pub fn settle(&self, job: &Job, set: &ChangeSet<'_>) -> Result<()> {
        let settle = |over| {
            retried(ATTEMPTS, || {
                despite_cancel(|| transaction(|| self.put_into_effect(job, set, over)))
            })
        };
        match settle(false) {
            // Somebody has written to the snapshot. What SQS has acknowledged is settled for all
            // that, or it would be sent for ever.
            Err(Error {
                code:
                    PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION
                    | PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                ..
            }) => settle(true),
            result => result,
        }
    }

    /// In a transaction of the caller's. An added row that the snapshot has, or a removed one that
    /// it has not, is an error, unless it is to be gone `over`: to look first costs a fifth of
    /// the time.
    pub fn put_into_effect(&self, job: &Job, set: &ChangeSet<'_>, over: bool) -> Result<()> {
        if !self.requests.is_empty() {
            let is_written = log::write(job.sync.id, job.run.id, &self.requests)?;
            self.lost_requests.set(if is_written { 0 } else { self.requests.len() as i64 });
        }
        if !self.has_results() {
            return Ok(());
        }
        let refused: Vec<i64> = self.refused.keys().copied().collect();
        job.on_batch(|| set.acknowledge(&self.acknowledged, over))?;
        let more_rows =
            self.acknowledged.added.len() as i64 - self.acknowledged.removed.len() as i64;
        let rejections = match refused.is_empty() {
            true => Vec::new(),
            false => self.rejections(job.on_batch(|| set.identify(&refused))?),
        };
        let (doubtful, refused): (Vec<i64>, Vec<i64>) =
            refused.into_iter().partition(|id| self.was_in_doubt(id));
        let given_up = job.on_batch(|| set.give_up(&doubtful))? as i64;
        let leaving = [refused.as_slice(), self.unsent.as_slice()].concat();
        if !leaving.is_empty() {
            job.on_batch(|| change_set::drop_unsent(&job.tables, &leaving))?;
        }
        let [published, rejected] = [self.count_acknowledged(), rejections.len()].map(|n| n as i64);
        on_catalog(|| {
            let reasons = match rejections.is_empty() {
                true => Reasons::new(),
                false => catalog::rejection::record(job.sync.id, job.run.id, &rejections)?,
            };
            if self.has_claims {
                self.settle_claims(job.sync.id, &leaving, &doubtful)?;
            }
            catalog::position::add_told_rows(job.sync.id, more_rows + given_up)?;
            catalog::figures::count(job.run.id, published, rejected, self.resent)?;
            catalog::figures::add_reasons(job.run.id, &reasons)?;
            self.beat.as_ref().map_or(Ok(()), |beat| beat.write(job.run.id))
        })?;
        failpoint::reach("settling");
        Ok(())
    }

    fn settle_claims(&self, sync_id: i32, leaving: &[i64], doubtful: &[i64]) -> Result<()> {
        let PerEvent { added, changed, removed } = &self.acknowledged;
        let taken = [&added[..], changed, removed, doubtful].concat();
        catalog::claim::accepted(sync_id, &taken)?;
        catalog::claim::give_up(sync_id, leaving)
    }

    fn was_in_doubt(&self, id: &i64) -> bool {
        self.refused.get(id).is_some_and(|refused| refused.was_in_doubt)
    }

    fn rejections(&self, changes: Vec<Identity>) -> Vec<Rejection> {
        let rejection = |change: Identity| {
            let Identity { id, event, key, key_hash, content_hash } = change;
            let Refused { code, reason, hint, message_id, size, is_lasting, was_in_doubt } =
                self.refused.get(&id)?.clone();
            let version = self.version;
            let reason =
                if was_in_doubt { format!("{reason}; it may have arrived before") } else { reason };
            let tried = Tried { event, key_hash, content_hash, version, size, is_lasting };
            Some(Rejection { key, message_id, tried: Some(tried), rows: 1, code, reason, hint })
        };
        changes.into_iter().filter_map(rejection).collect()
    }
}

/// What a failure of the publisher is in SQL.
pub fn error_of(failure: &Failure) -> Error {
    let code = match failure.kind {
        FailureKind::Queue => PgSqlErrorCode::ERRCODE_FDW_TABLE_NOT_FOUND,
        FailureKind::Credentials => PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        FailureKind::Service => PgSqlErrorCode::ERRCODE_FDW_UNABLE_TO_CREATE_REPLY,
        FailureKind::Network => PgSqlErrorCode::ERRCODE_FDW_UNABLE_TO_ESTABLISH_CONNECTION,
        FailureKind::Cancelled => PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
    };
    Error { hint: failure.hint.clone(), ..Error::new(code, failure.message.clone()) }
}
