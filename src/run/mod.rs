//! The way of a run: what is in doubt is sent again, the diff is taken, its changes are
//! published and acknowledged, the run is finished. Executed by a runner; all that it knows is
//! in the catalog and in the change set, so that another runner can go on where one died.

pub mod baseline;
mod claims;
mod diffing;
pub mod doubt;
mod facts;
mod guard;
mod handing;
pub mod inspect;
mod job;
mod log;
pub mod outgoing;
pub mod owned;
mod pipeline;
mod pulse;
pub mod rendering;
mod sender;
mod settle;

use crate::catalog::progress::{self, Phase};
use crate::catalog::{self, State};
use crate::home;
use crate::pg::rights::{self, as_superuser};
use crate::pg::transaction::{despite_cancel, transaction};
use crate::pg::{Error, Result, failpoint, process};
pub use claims::would_be_suppressed;
use job::Job;
pub use job::compile;
use pipeline::Pipeline;
pub use pulse::grouped;
pub use settle::error_of;

/// How a run has ended.
struct End {
    state: State,
    error: Option<Error>,
}

impl End {
    fn failed(error: Error) -> End {
        let state = if error.is_cancel() { State::Cancelled } else { State::Failed };
        End { state, error: Some(error) }
    }
}

/// Executes a run to its end. A run that cannot be finished, since the server goes down, stays
/// as it is, and the worker finds it.
pub fn execute(run_id: i64) {
    let result = begin(run_id).and_then(|job| match job {
        Some(job) => {
            failpoint::reach("run_begun");
            finish(&job, &work(&job).unwrap_or_else(End::failed))?;
            log::cut(job.sync.id);
            Ok(())
        }
        None => Ok(()),
    });
    if let Err(error) = result {
        let message = format!("run {run_id} could not be finished: {}", error.message);
        process::log_warning(&Error { message, ..error });
    }
}

/// None if the run is not to be executed any more, or not now.
fn begin(run_id: i64) -> Result<Option<Job>> {
    // Before all else: a copy of the database sends nothing.
    transaction(home::check)?;
    let begun = catalog_transaction(|| {
        let begun = catalog::run::begin(run_id)?;
        match begun.as_ref().map(|run| run.state) {
            None => {}
            Some(State::Publishing) => progress::enter(run_id, Phase::Publishing, None)?,
            Some(_) => progress::enter(run_id, Phase::Checking, None)?,
        }
        Ok(begun)
    })?;
    let Some(run) = begun else { return Ok(None) };
    match catalog_transaction(|| Job::load(&run)) {
        Ok(job) => Ok(Some(job)),
        // The sync's tables are gone, say: the run fails, and nothing else is touched.
        Err(error) => {
            catalog_transaction(|| {
                catalog::run::finish(run.id, State::Failed, run.in_doubt, Some(&error))
            })?;
            Ok(None)
        }
    }
}

fn work(job: &Job) -> Result<End> {
    if job.is_cancel_requested()? {
        return Ok(End { state: State::Cancelled, error: None });
    }
    job.become_owner()?;
    job.check_tables()?;
    job.check_snapshot()?;
    job.distrust_waiting()?;
    if job.run.state != State::Publishing {
        job.drop_waiting()?;
        failpoint::reach("waiting_dropped");
        let resent = resend(job)?;
        if let Some(end) = resent {
            return Ok(end);
        }
        failpoint::reach("doubt_settled");
        job.enter(Phase::Diffing, None)?;
        if let Some(held) = diffing::diff(job)? {
            return Ok(End { state: State::Held, error: Some(held) });
        }
        failpoint::reach("diffed");
        // A signal that came before this process was known is missed; a diff is long.
        if job.is_cancel_requested()? {
            return Ok(End { state: State::Cancelled, error: None });
        }
    }
    if let Some(end) = publish(job, i64::MAX)? {
        return Ok(end);
    }
    let rejected = catalog_transaction(|| catalog::run::by_id(job.run.id))?.rejected;
    let state = if rejected > 0 { State::PartlyFailed } else { State::Succeeded };
    Ok(End { state, error: None })
}

/// Sends again what an earlier run may have sent.
fn resend(job: &Job) -> Result<Option<End>> {
    let through = job.handed_through()?;
    if !job.has_changes_through(through)? {
        return Ok(None);
    }
    job.enter(Phase::Resending, Some(transaction(|| job.count_in_doubt())?))?;
    publish(job, through)
}

/// Publishes the change set up to `through` by the definition that it was found under. Returns
/// how the run ends, if it cannot go on.
fn publish(job: &Job, through: i64) -> Result<Option<End>> {
    match job.has_changes_through(through)? {
        true => Pipeline::start(job, through)?.publish(),
        false => Ok(None),
    }
}

fn finish(job: &Job, end: &End) -> Result<()> {
    failpoint::reach("published");
    let in_doubt =
        despite_cancel(|| transaction(|| job.count_in_doubt())).unwrap_or(job.run.in_doubt);
    catalog_transaction(|| {
        if matches!(end.state, State::Succeeded | State::PartlyFailed) {
            catalog::rejection::forget_before(job.sync.id, job.run.id)?;
            catalog::position::set_initial_done(job.sync.id)?;
            catalog::given_up::set(job.sync.id, &[])?;
        }
        if end.state == State::Held {
            catalog::run::cancel_queued(job.sync.id)?;
        }
        catalog::figures::set_traffic(job.run.id, &job.traffic.borrow())?;
        catalog::figures::add_reasons(job.run.id, &job.given_up.borrow())?;
        catalog::run::finish(job.run.id, end.state, in_doubt, end.error.as_ref())?;
        catalog::tally::add_ended(job.sync.id)?;
        failpoint::reach("finishing");
        Ok(())
    })?;
    failpoint::reach("finished");
    Ok(())
}

/// How often a transaction on our catalog is tried that somebody else's locks, or a run that
/// is queued at the same moment, keep from going through.
const CATALOG_ATTEMPTS: u32 = 10;

/// A short transaction on our catalog. A cancel waits for it; it waits for nobody for long, and
/// is tried again: what has happened must be written down.
fn catalog_transaction<T>(work: impl Fn() -> Result<T>) -> Result<T> {
    retried(CATALOG_ATTEMPTS, || despite_cancel(|| transaction(|| on_catalog(&work))))
}

/// Runs `work` with raised rights and no endless wait for a lock.
fn on_catalog<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    as_superuser(|| {
        rights::set_locally(owned::LOCK_TIMEOUT.0, owned::LOCK_TIMEOUT.1)?;
        work()
    })
}

fn retried<T>(attempts: u32, work: impl Fn() -> Result<T>) -> Result<T> {
    let mut attempt = 1;
    loop {
        match work() {
            Err(error) if attempt < attempts && error.is_passing() => attempt += 1,
            result => return result,
        }
    }
}
