//! `sqs_sync.hold`: what runs would have announced that their guard rail has held, a row a run.

use message::PerEvent;

use crate::pg::Result;
use crate::pg::sql;

pub struct Hold {
    /// Rows that the queue has been told of.
    pub told: i64,
    /// What would be announced.
    pub due: PerEvent<i64>,
    /// The keys of some of it, each the text of a JSON object.
    pub keys: PerEvent<Vec<String>>,
}

/// Notes why a run is held: in place of what it was held for before.
pub fn record(run_id: i64, hold: &Hold) -> Result<()> {
    forget(run_id)?;
    let Hold { told, due, keys } = hold;
    sql::execute(
        "INSERT INTO sqs_sync.hold (run_id, told_rows, rows_added, rows_changed, rows_removed, \
                                    added_keys, changed_keys, removed_keys) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            run_id.into(),
            (*told).into(),
            due.added.into(),
            due.changed.into(),
            due.removed.into(),
            keys.added.clone().into(),
            keys.changed.clone().into(),
            keys.removed.clone().into(),
        ],
    )?;
    Ok(())
}

pub fn forget(run_id: i64) -> Result<()> {
    sql::execute("DELETE FROM sqs_sync.hold WHERE run_id = $1", &[run_id.into()]).map(|_| ())
}

/// What somebody has let a run announce; none if nobody was asked.
pub fn approved(run_id: i64) -> Result<Option<PerEvent<i64>>> {
    sql::row(
        "SELECT h.rows_added, h.rows_changed, h.rows_removed \
         FROM sqs_sync.hold h JOIN sqs_sync.run r ON r.run_id = h.run_id \
         WHERE h.run_id = $1 AND r.approved_at IS NOT NULL",
        &[run_id.into()],
        |row| Ok(PerEvent { added: row.need(1)?, changed: row.need(2)?, removed: row.need(3)? }),
    )
}
