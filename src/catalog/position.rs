//! `sqs_sync.position`: how far a sync has come. Only runners write it, one a sync.

use crate::pg::sql;
use crate::pg::{Error, Result};

pub fn insert(sync_id: i32) -> Result<()> {
    sql::execute("INSERT INTO sqs_sync.position (sync_id) VALUES ($1)", &[sync_id.into()])?;
    Ok(())
}

/// Changes up to this id that still are in the change set are in doubt.
pub fn handed_through(sync_id: i32) -> Result<i64> {
    sql::value("SELECT handed_through FROM sqs_sync.position WHERE sync_id = $1", &[sync_id.into()])
}

/// Notes, before anything is sent, how far the change set goes to the publisher.
pub fn set_handed_through(sync_id: i32, change_id: i64) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.position SET handed_through = $2 WHERE sync_id = $1 AND handed_through < $2",
        &[sync_id.into(), change_id.into()],
    )?;
    Ok(())
}

/// Takes `count` change ids and returns the first. They are never given twice: on a new
/// timeline the counter jumps, since before an asynchronous promotion ids may have been sent
/// that this server knows nothing of.
pub fn take_change_ids(sync_id: i32, count: i64, timeline: u32) -> Result<i64> {
    sql::returning(
        "UPDATE sqs_sync.position \
         SET next_change_id = GREATEST(next_change_id, $3 << 40) + $2 \
         WHERE sync_id = $1 RETURNING next_change_id - $2",
        &[sync_id.into(), count.into(), i64::from(timeline).into()],
        |row| row.need(1),
    )?
    .pop()
    .ok_or_else(|| Error::internal(format!("sync {sync_id} does not exist")))
}
