//! `sqs_sync.cancellation`: runs under way that somebody wanted to end. A table of its own, so that a
//! session that asks and a runner that writes its run's row do not wait for one another.

use crate::pg::Result;
use crate::pg::sql;

/// Asks for the end of a run that is under way.
pub fn request(run_id: i64) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.cancellation (run_id) VALUES ($1) ON CONFLICT DO NOTHING",
        &[run_id.into()],
    )?;
    Ok(())
}

pub fn is_requested(run_id: i64) -> Result<bool> {
    sql::value(
        "SELECT EXISTS (SELECT 1 FROM sqs_sync.cancellation WHERE run_id = $1)",
        &[run_id.into()],
    )
}

/// The run has ended.
pub fn remove(run_id: i64) -> Result<()> {
    sql::execute("DELETE FROM sqs_sync.cancellation WHERE run_id = $1", &[run_id.into()])?;
    Ok(())
}

/// All runs have ended.
pub fn remove_all() -> Result<()> {
    sql::execute("DELETE FROM sqs_sync.cancellation", &[])?;
    Ok(())
}
