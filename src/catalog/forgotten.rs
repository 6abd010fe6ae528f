//! `sqs_sync.doubt_given_up`: who has given up changes in doubt.

use crate::pg::Result;
use crate::pg::sql;

/// So many changes of the change set, up to this one, are given up by the session's user: all, or
/// those of a key as he gives it.
pub fn record(sync_id: i32, change_id: i64, changes: i64, key: Option<&str>) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.doubt_given_up (sync_id, change_id, run_id, changes, key) \
         SELECT $1, $2, p.run_id, $3, $4 FROM sqs_sync.position p WHERE p.sync_id = $1",
        &[sync_id.into(), change_id.into(), changes.into(), key.into()],
    )?;
    Ok(())
}
