//! `sqs_sync.queue_given_up`: queues that took no messages.

use crate::pg::Result;
use crate::pg::sql;

/// A run has given these up, and no others.
pub fn set(sync_id: i32, queues: &[(String, String)]) -> Result<()> {
    let (names, reasons): (Vec<String>, Vec<String>) = queues.iter().cloned().unzip();
    sql::execute(
        "DELETE FROM sqs_sync.queue_given_up WHERE sync_id = $1 AND queue <> ALL ($2)",
        &[sync_id.into(), names.clone().into()],
    )?;
    if names.is_empty() {
        return Ok(());
    }
    sql::execute(
        "INSERT INTO sqs_sync.queue_given_up (sync_id, queue, reason) \
         SELECT $1, n.queue, n.reason FROM unnest($2::text[], $3::text[]) AS n (queue, reason) \
         ON CONFLICT (sync_id, queue) DO UPDATE SET reason = EXCLUDED.reason",
        &[sync_id.into(), names.into(), reasons.into()],
    )?;
    Ok(())
}
