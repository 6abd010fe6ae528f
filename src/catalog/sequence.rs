//! `sqs_sync.sequence`: syncs that run when another one has succeeded.

use crate::pg::sql;
use crate::pg::{Error, Result};

/// Has a sync run after another from now on, in place of what it ran after before. An error if
/// that would be a circle.
pub fn set(sync_id: i32, after_id: i32) -> Result<()> {
    let is_circle: bool = sql::value(
        "WITH RECURSIVE before (sync_id) AS ( \
           SELECT $1 UNION SELECT q.after_id FROM sqs_sync.sequence q JOIN before USING (sync_id)) \
         SELECT EXISTS (SELECT 1 FROM before WHERE sync_id = $2)",
        &[after_id.into(), sync_id.into()],
    )?;
    if is_circle {
        return Err(Error::invalid(
            "a sync cannot run after itself, nor after one that runs after it",
        )
        .hint("sqs_sync.syncs shows in runs_after what runs after what."));
    }
    sql::execute(
        "INSERT INTO sqs_sync.sequence (sync_id, after_id, through) \
         SELECT $1, $2, COALESCE(max(run_id), 0) FROM sqs_sync.run WHERE sync_id = $2 \
         ON CONFLICT (sync_id) DO UPDATE SET after_id = EXCLUDED.after_id, through = EXCLUDED.through",
        &[sync_id.into(), after_id.into()],
    )?;
    Ok(())
}

pub fn unset(sync_id: i32) -> Result<bool> {
    let statement = "DELETE FROM sqs_sync.sequence WHERE sync_id = $1";
    Ok(sql::execute(statement, &[sync_id.into()])? > 0)
}

/// A sync whose predecessor has succeeded since it was last looked at.
pub struct Next {
    pub sync_id: i32,
    /// The run that has succeeded.
    pub after_run: i64,
}

/// Only reads. (Of each predecessor the runs since are few: an index gives them.)
pub fn due() -> Result<Vec<Next>> {
    sql::rows(
        "SELECT q.sync_id, max(r.run_id) FROM sqs_sync.sequence q \
         JOIN sqs_sync.sync s ON s.sync_id = q.sync_id AND NOT s.paused \
         JOIN sqs_sync.run r ON r.sync_id = q.after_id AND r.run_id > q.through AND r.state = 'succeeded' \
         GROUP BY q.sync_id",
        &[],
        |row| Ok(Next { sync_id: row.need(1)?, after_run: row.need(2)? }),
    )
}

/// Queues a run of a sync that is due, unless one waits already.
pub fn start(next: &Next) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.run (sync_id, state, requested_by) \
         SELECT $1, 'queued', requested_by FROM sqs_sync.run WHERE run_id = $2 \
         ON CONFLICT (sync_id) WHERE state IN ('queued', 'held') DO NOTHING",
        &[next.sync_id.into(), next.after_run.into()],
    )?;
    sql::execute(
        "UPDATE sqs_sync.sequence SET through = $2 WHERE sync_id = $1 AND through < $2",
        &[next.sync_id.into(), next.after_run.into()],
    )?;
    Ok(())
}
