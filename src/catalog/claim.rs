//! `sqs_sync.claim`: the deduplication ids of the user's own that a queue may still know. One
//! change has each. Only a sync's runner writes its rows.

use crate::pg::Result;
use crate::pg::sql;

/// How long a FIFO queue knows a deduplication id. (SQS API reference, SendMessage,
/// MessageDeduplicationId: the deduplication interval is five minutes.)
const WINDOW: &str = "'5 minutes'::pg_catalog.interval";

/// An id that a change has.
pub struct Claim {
    pub id: String,
    pub change_id: i64,
    /// Seconds until the queue no longer knows the id from an earlier change; none: it does not.
    pub held_for: Option<f64>,
}

/// What is known of an id that was claimed before.
pub struct Known {
    pub id: String,
    pub change_id: i64,
    pub run_id: i64,
    /// Seconds until the queue no longer knows it.
    pub known_for: f64,
    /// Seconds until the change that has it may be sent.
    pub held_for: Option<f64>,
}

pub fn find(sync_id: i32, ids: &[String]) -> Result<Vec<Known>> {
    let seconds = |time: &str| {
        format!("pg_catalog.date_part('epoch', {time} - pg_catalog.clock_timestamp())")
    };
    let statement = format!(
        "SELECT id, change_id, run_id, {}, {} FROM sqs_sync.claim WHERE sync_id = $1 AND id = ANY ($2)",
        seconds(&format!("(at + {WINDOW})")),
        seconds("not_before"),
    );
    sql::rows(&statement, &[sync_id.into(), ids.to_vec().into()], |row| {
        Ok(Known {
            id: row.need(1)?,
            change_id: row.need(2)?,
            run_id: row.need(3)?,
            known_for: row.need(4)?,
            held_for: row.get(5)?,
        })
    })
}

/// Gives ids to changes of a run, in place of those that had them.
pub fn put(sync_id: i32, run_id: i64, claims: &[Claim]) -> Result<()> {
    let ids: Vec<String> = claims.iter().map(|c| c.id.clone()).collect();
    let changes: Vec<i64> = claims.iter().map(|c| c.change_id).collect();
    let held: Vec<Option<f64>> = claims.iter().map(|c| c.held_for).collect();
    sql::execute(
        "INSERT INTO sqs_sync.claim (sync_id, run_id, id, change_id, at, not_before) \
         SELECT $1, $2, c.id, c.change_id, pg_catalog.clock_timestamp(), \
                pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => c.held_for) \
         FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5)) AS c (id, change_id, held_for) \
         ON CONFLICT (sync_id, id) DO UPDATE SET run_id = EXCLUDED.run_id, change_id = EXCLUDED.change_id, \
           at = EXCLUDED.at, not_before = EXCLUDED.not_before",
        &[sync_id.into(), run_id.into(), ids.into(), changes.into(), held.into()],
    )?;
    Ok(())
}

/// The queue has taken these changes, or may have, and knows their ids from now on at the latest.
pub fn accepted(sync_id: i32, changes: &[i64]) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.claim SET at = pg_catalog.clock_timestamp() WHERE sync_id = $1 AND change_id = ANY ($2)",
        &[sync_id.into(), changes.to_vec().into()],
    )?;
    Ok(())
}

/// The queue has certainly not taken these changes.
pub fn give_up(sync_id: i32, changes: &[i64]) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.claim WHERE sync_id = $1 AND change_id = ANY ($2)",
        &[sync_id.into(), changes.to_vec().into()],
    )?;
    Ok(())
}

/// Forgets what no queue knows any more, but for the ids of a run that goes on.
pub fn forget_old(sync_id: i32, run_id: i64) -> Result<()> {
    let statement = format!(
        "DELETE FROM sqs_sync.claim WHERE sync_id = $1 AND run_id <> $2 AND at < pg_catalog.clock_timestamp() - {WINDOW}"
    );
    sql::execute(&statement, &[sync_id.into(), run_id.into()])?;
    Ok(())
}
