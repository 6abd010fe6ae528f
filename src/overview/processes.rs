//! `sqs_sync.workers`.

use report::data::{Process, Processes};

use super::{maybe_text, maybe_time, millis, text};
use crate::pg::Result;
use crate::pg::sql;

/// Of all syncs, or of queued runs those of one.
pub fn read(name: Option<&str>) -> Result<Processes> {
    let (on_standby, max_runners, copy) = sql::row(
        "SELECT pg_is_in_recovery(), current_setting('sqs_sync.max_runners')::int4, sqs_sync.why_paused()",
        &[],
        |row| Ok((row.need(1)?, row.need(2)?, maybe_text(row, 3)?)),
    )?
    .unwrap_or_default();
    let statement = format!(
        "SELECT w.pid, w.kind, w.sync, w.run_id, {}, w.activity FROM sqs_sync.workers w ORDER BY w.started_at, w.pid",
        millis("w.started_at")
    );
    let all = sql::rows(&statement, &[], |row| {
        Ok(Process {
            pid: row.get(1)?,
            kind: text(row, 2)?,
            sync: maybe_text(row, 3)?,
            run_id: row.get(4)?,
            since: maybe_time(row, 5)?,
            activity: maybe_text(row, 6)?,
        })
    })?;
    let (running, mut queued): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|process| process.pid.is_some());
    if let Some(name) = name {
        queued.retain(|run| run.sync.as_ref().is_some_and(|sync| sync.as_str() == name));
    }
    Ok(Processes { on_standby, copy, max_runners, running, queued })
}
