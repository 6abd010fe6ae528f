//! The way of a run: what is in doubt is sent again, the diff is taken, its changes are
//! published and acknowledged, the run is finished. Executed by a runner; all that it knows is
//! in the catalog and in the change set, so that another runner can go on where one died.

mod diffing;
mod job;
mod pipeline;
mod sender;
mod settle;

use crate::catalog::{self, Run, State};
use crate::pg::rights::as_superuser;
use crate::pg::transaction::{transaction, without_cancel};
use crate::pg::{Error, Result, process};
use job::Job;
pub use job::compile;
use pipeline::Pipeline;

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
    let result = begin(run_id).and_then(|job| {
        let end = work(&job).unwrap_or_else(End::failed);
        finish(&job, end)
    });
    if let Err(error) = result {
        let message = format!("run {run_id} could not be finished: {}", error.message);
        process::log_warning(&Error { message, ..error });
    }
}

fn begin(run_id: i64) -> Result<Job> {
    let run = without_cancel(|| transaction(|| as_superuser(|| catalog::run::begin(run_id))))?;
    without_cancel(|| transaction(|| as_superuser(|| Job::load(&run)))).or_else(|error| {
        end_without_job(&run, &error)?;
        Err(error)
    })
}

/// The sync's tables are gone, say: the run fails, and nothing else is touched.
fn end_without_job(run: &Run, error: &Error) -> Result<()> {
    transaction(|| {
        as_superuser(|| catalog::run::finish(run.id, State::Failed, run.in_doubt, Some(error)))
    })
}

fn work(job: &Job) -> Result<End> {
    if job.run.cancel_requested {
        return Ok(End { state: State::Cancelled, error: None });
    }
    job.become_owner()?;
    if job.run.state != State::Publishing {
        let resent = publish(job, job.handed_through()?)?;
        if let Some(end) = resent {
            return Ok(end);
        }
        if let Some(held) = diffing::diff(job)? {
            return Ok(End { state: State::Held, error: Some(held) });
        }
    }
    if let Some(end) = publish(job, i64::MAX)? {
        return Ok(end);
    }
    let rejected = transaction(|| as_superuser(|| catalog::run::by_id(job.run.id)))?.rejected;
    let state = if rejected > 0 { State::PartlyFailed } else { State::Succeeded };
    Ok(End { state, error: None })
}

/// Publishes the change set up to `through`, each change by the definition that it was found
/// under. Returns how the run ends, if it cannot go on.
fn publish(job: &Job, through: i64) -> Result<Option<End>> {
    for version in job.versions_through(through)? {
        let end = Pipeline::start(job, version, through)?.publish()?;
        if end.is_some() {
            return Ok(end);
        }
    }
    Ok(None)
}

fn finish(job: &Job, end: End) -> Result<()> {
    let in_doubt =
        without_cancel(|| transaction(|| job.count_in_doubt())).unwrap_or(job.run.in_doubt);
    without_cancel(|| {
        transaction(|| {
            as_superuser(|| {
                if matches!(end.state, State::Succeeded | State::PartlyFailed) {
                    catalog::rejection::forget_before(job.sync.id, job.run.id)?;
                    catalog::sync::set_initial_done(job.sync.id)?;
                }
                if end.state == State::Held {
                    catalog::run::cancel_queued(job.sync.id)?;
                }
                catalog::run::finish(job.run.id, end.state, in_doubt, end.error.as_ref())
            })
        })
    })
}
