//! `sqs_sync.tally`: what the runs of a sync come to. Its runner adds to one row of it; a reset is
//! another row, so that neither waits for the other.

use crate::pg::Result;
use crate::pg::sql;

const COUNTS: [&str; 13] = [
    "succeeded",
    "partly_failed",
    "failed",
    "cancelled",
    "published",
    "rejected",
    "resent",
    "calls",
    "failed_calls",
    "throttled",
    "retries",
    "bytes",
    "possible_duplicates",
];

/// Counts the runs of the sync that have ended and were not counted: also those that a session
/// ended.
pub fn add_ended(sync_id: i32) -> Result<()> {
    let ended: Vec<i64> = sql::rows(
        "SELECT run_id FROM sqs_sync.run WHERE sync_id = $1 AND NOT tallied \
         AND state NOT IN ('queued', 'diffing', 'held', 'publishing')",
        &[sync_id.into()],
        |row| row.need(1),
    )?;
    let add = |count: &str| format!("{count} = t.{count} + EXCLUDED.{count}");
    let add = format!(
        "INSERT INTO sqs_sync.tally AS t (sync_id, is_reset, {}, latencies) \
         SELECT $1, false, {} WHERE run_id = ANY ($2) ON CONFLICT (sync_id, is_reset) DO UPDATE SET {}, \
           latencies = ARRAY(SELECT COALESCE(a, 0) + COALESCE(b, 0) \
             FROM ROWS FROM (unnest(t.latencies), unnest(EXCLUDED.latencies)) WITH ORDINALITY AS u (a, b, place) \
             ORDER BY place)",
        COUNTS.join(", "),
        sums("", "run_id = ANY ($2)"),
        COUNTS.map(add).join(", "),
    );
    sql::execute(&add, &[sync_id.into(), ended.clone().into()])?;
    sql::execute(
        "UPDATE sqs_sync.run SET tallied = true WHERE run_id = ANY ($1)",
        &[ended.into()],
    )?;
    Ok(())
}

/// Lets the counts of the sync begin anew.
pub fn reset(sync_id: i32) -> Result<()> {
    let set = |count: &str| format!("{count} = EXCLUDED.{count}");
    let statement = format!(
        "INSERT INTO sqs_sync.tally (sync_id, is_reset, {}, latencies) \
         SELECT $1, true, {} WHERE sync_id = $1 AND NOT is_reset \
         ON CONFLICT (sync_id, is_reset) DO UPDATE SET {}, latencies = EXCLUDED.latencies, since = EXCLUDED.since",
        COUNTS.join(", "),
        sums("-", "sync_id = $1 AND NOT is_reset"),
        COUNTS.map(set).join(", "),
    );
    sql::execute(&statement, &[sync_id.into()])?;
    Ok(())
}

/// What is selected of what is counted: the sums, and those of the latencies.
fn sums(sign: &str, of: &str) -> String {
    let sum = |count: &str| format!("COALESCE({sign}sum({count}), 0)");
    format!(
        "{}, ARRAY(SELECT {sign}sum(b.calls) FROM sqs_sync.counted c \
                   CROSS JOIN LATERAL unnest(c.latencies) WITH ORDINALITY AS b (calls, place) \
                   WHERE {of} GROUP BY b.place ORDER BY b.place)::int8[] FROM sqs_sync.counted",
        COUNTS.map(sum).join(", ")
    )
}
