//! A runner: the process that executes one run.

use pgrx::bgworkers::BackgroundWorker;
use pgrx::pg_sys;

use crate::pg::transaction::transaction;
use crate::pg::{Error, lock, process, version};

/// Started by name by Postgres.
#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn sqs_sync_runner_main(argument: pg_sys::Datum) {
    process::begin(Some(super::database_argument(argument)));
    let Some((run_id, sync_id)) = parse(BackgroundWorker::get_extra()) else {
        return process::log_warning(&Error::internal("a runner was started without a run"));
    };
    match transaction(|| version::check().map(|()| lock::try_hold_runner(sync_id))) {
        Ok(true) => crate::run::execute(run_id),
        // Its sync has a runner: the worker starts another when that one is done.
        Ok(false) => {}
        Err(error) => process::log_warning(&error),
    }
}

/// The worker writes the run's and the sync's id.
fn parse(extra: &str) -> Option<(i64, i32)> {
    let (run_id, sync_id) = extra.split_once(' ')?;
    Some((run_id.parse().ok()?, sync_id.parse().ok()?))
}
