//! `sqs_sync.recent_runs`.

use report::data::{Found, Run};
use report::time::Time;

use super::{maybe_text, maybe_time, millis, only, state, text};
use crate::pg::Result;
use crate::pg::sql::{self, Row};

const SHOWN: i32 = 20;

/// What [`read`] reads, of a relation that is called `r`.
pub fn columns() -> String {
    let [requested, started, finished] =
        ["r.requested_at", "r.started_at", "r.finished_at"].map(millis);
    format!(
        "r.run_id, r.sync, r.state, {requested}, {started}, {finished}, r.rows_added, r.rows_changed, \
         r.rows_removed, r.rows_silent, r.published, r.rejected, r.in_doubt, r.waiting_for, r.error, \
         r.sqlstate, r.hint"
    )
}

/// How many columns these are.
pub const COLUMNS: usize = 17;

pub fn read(row: &Row<'_>) -> Result<Run> {
    Ok(Run {
        id: row.need(1)?,
        sync: text(row, 2)?,
        state: state(&row.need::<String>(3)?)?,
        requested_at: Time(row.need(4)?),
        started_at: maybe_time(row, 5)?,
        finished_at: maybe_time(row, 6)?,
        found: Found {
            added: row.need(7)?,
            changed: row.need(8)?,
            removed: row.need(9)?,
            silent: row.need(10)?,
        },
        published: row.need(11)?,
        rejected: row.need(12)?,
        in_doubt: row.need(13)?,
        waiting_for: maybe_text(row, 14)?,
        error: maybe_text(row, 15)?,
        sqlstate: maybe_text(row, 16)?,
        hint: maybe_text(row, 17)?,
    })
}

/// The latest runs, the newest first: each is among the latest of its sync.
pub fn latest(name: Option<&str>) -> Result<Vec<Run>> {
    let (is_meant, arguments) = only("r.sync", name);
    let statement = format!(
        "SELECT {} FROM sqs_sync.recent_runs r WHERE {is_meant} ORDER BY r.run_id DESC LIMIT {SHOWN}",
        columns()
    );
    sql::rows(&statement, &arguments, read)
}
