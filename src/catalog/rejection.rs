//! `sqs_sync.rejection`: rows that could not be published, a row a key.

use message::PerEvent;

use crate::pg::Result;
use crate::pg::sql;

pub struct Rejection {
    /// JSON object of the key's columns.
    pub key: String,
    /// What the user's `message_id` calls the message.
    pub message_id: Option<String>,
    pub event: Option<String>,
    /// How many rows of the model have this key.
    pub rows: i64,
    pub code: String,
    pub reason: String,
    pub hint: Option<String>,
}

/// Records rejections of a run; one that an earlier run had counts one attempt more.
pub fn record(sync_id: i32, run_id: i64, rejections: &[Rejection]) -> Result<()> {
    for rejection in rejections {
        sql::execute(
            "INSERT INTO sqs_sync.rejection AS r (sync_id, run_id, key, event, rows, code, reason, hint, message_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (sync_id, pg_catalog.md5(key)) DO UPDATE \
             SET run_id = EXCLUDED.run_id, event = EXCLUDED.event, rows = EXCLUDED.rows, \
                 code = EXCLUDED.code, reason = EXCLUDED.reason, hint = EXCLUDED.hint, \
                 message_id = EXCLUDED.message_id, \
                 attempts = r.attempts + 1, last_at = EXCLUDED.last_at",
            &[
                sync_id.into(),
                run_id.into(),
                rejection.key.as_str().into(),
                rejection.event.clone().into(),
                rejection.rows.into(),
                rejection.code.as_str().into(),
                rejection.reason.as_str().into(),
                rejection.hint.clone().into(),
                rejection.message_id.clone().into(),
            ],
        )?;
    }
    Ok(())
}

/// How many changes of each event were rejected when they were last tried.
pub fn known(sync_id: i32) -> Result<PerEvent<i64>> {
    sql::row(
        "SELECT count(*) FILTER (WHERE event = 'added'), count(*) FILTER (WHERE event = 'changed'), \
                count(*) FILTER (WHERE event = 'removed') FROM sqs_sync.rejection WHERE sync_id = $1",
        &[sync_id.into()],
        |row| Ok(PerEvent { added: row.need(1)?, changed: row.need(2)?, removed: row.need(3)? }),
    )
    .map(Option::unwrap_or_default)
}

/// Forgets the rejected changes: all rows are taken as told. Keys that are unfit stay so.
pub fn forget_changes(sync_id: i32) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.rejection WHERE sync_id = $1 AND event IS NOT NULL",
        &[sync_id.into()],
    )?;
    Ok(())
}

/// Forgets what a run that went to its end did not meet again: it succeeded or went away.
pub fn forget_before(sync_id: i32, run_id: i64) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.rejection WHERE sync_id = $1 AND run_id < $2",
        &[sync_id.into(), run_id.into()],
    )?;
    Ok(())
}
