//! `sqs_sync_approve` and `sqs_sync_discard`: what becomes of a run that is held.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::sync_of_run;
use crate::catalog;
use crate::pg::commit::{AtCommit, at_commit};
use crate::pg::rights::{self, as_superuser};
use crate::pg::transaction::with_latest_snapshot;
use crate::pg::{Error, Result};

type Answer<T> = std::result::Result<T, ErrorReport>;

/// How long a call waits for another session that decides of the same run.
const PATIENCE: &str = "10s";

#[pg_extern(sql = false)]
fn sqs_sync_approve(run_id: i64) -> Answer<()> {
    let approve = || {
        decide(run_id, catalog::run::approve)?;
        at_commit(AtCommit::WakeWorker);
        Ok(())
    };
    approve().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_discard(run_id: i64) -> Answer<()> {
    decide(run_id, catalog::run::discard).map_err(ErrorReport::from)
}

fn decide(run_id: i64, decide: impl Fn(i64) -> Result<bool>) -> Result<()> {
    sync_of_run(run_id)?;
    let decided = as_superuser(|| {
        rights::set_locally("lock_timeout", PATIENCE)?;
        decide(run_id)
    })?;
    if decided {
        return Ok(());
    }
    let run = with_latest_snapshot(|| as_superuser(|| catalog::run::by_id(run_id)))?;
    let state = run.state.as_str();
    Err(Error::not_in_state(format!("run {run_id} is not held: it is {state}"))
        .hint("The view sqs_sync.held lists the runs that are held."))
}
