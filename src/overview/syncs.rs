//! `sqs_sync.syncs` and `events`, with the latest runs of each.

use std::collections::HashMap;

use report::data::{Event, Run, State, Sync};
use report::text::Text;
use report::time::Time;

use super::{maybe_text, maybe_time, millis, only, runs, state, text, texts};
use crate::pg::Result;
use crate::pg::sql;

/// The latest runs of a sync.
struct Recent {
    last: Run,
    /// The newest first.
    states: Vec<State>,
    told_at: Option<Time>,
}

pub fn read(name: Option<&str>) -> Result<Vec<Sync>> {
    let mut recent = recent_runs(name)?;
    let mut events = match name {
        Some(name) => events(name)?,
        None => Vec::new(),
    };
    let (is_meant, arguments) = only("s.name", name);
    // Whose owner is gone is a superuser's.
    let statement = format!(
        "SELECT s.name, s.owner::text, s.model, array_to_string(s.key, ', '), s.server, s.queue, s.version, s.state, \
           s.schedule, {}, s.runs_after, \
           CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles o WHERE o.rolname = s.owner AND pg_has_role(o.oid, 'USAGE')) \
                  OR s.owner IS NULL AND pg_has_role(10::oid, 'USAGE') \
                THEN COALESCE(j.keys, 0) END \
         FROM sqs_sync.syncs s \
         LEFT JOIN (SELECT sync, count(*) AS keys FROM sqs_sync.rejections GROUP BY sync) j ON j.sync = s.name \
         WHERE {is_meant} ORDER BY s.name",
        millis("s.next_run_at")
    );
    let mut syncs = sql::rows(&statement, &arguments, |row| {
        Ok(Sync {
            name: text(row, 1)?,
            owner: maybe_text(row, 2)?,
            model: text(row, 3)?,
            key: text(row, 4)?,
            server: text(row, 5)?,
            queue: maybe_text(row, 6)?.unwrap_or_default(),
            version: row.need(7)?,
            state: state(&row.need::<String>(8)?)?,
            schedule: maybe_text(row, 9)?,
            next_at: maybe_time(row, 10)?,
            after: maybe_text(row, 11)?,
            rejected: row.get(12)?,
            ..Sync::default()
        })
    })?;
    for sync in &mut syncs {
        sync.events = std::mem::take(&mut events);
        if let Some(recent) = recent.remove(&sync.name) {
            sync.last = Some(recent.last);
            sync.recent = recent.states;
            sync.told_at = recent.told_at;
        }
    }
    Ok(syncs)
}

fn recent_runs(name: Option<&str>) -> Result<HashMap<Text, Recent>> {
    let (is_meant, arguments) = only("r.sync", name);
    let told_at = millis(
        "max(r.finished_at) FILTER (WHERE r.state IN ('succeeded', 'partly_failed')) OVER of_sync",
    );
    let statement = format!(
        "SELECT DISTINCT ON (r.sync) {}, string_agg(r.state, ' ') OVER of_sync, {told_at} \
         FROM sqs_sync.recent_runs r WHERE {is_meant} \
         WINDOW of_sync AS (PARTITION BY r.sync ORDER BY r.run_id DESC \
                            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) \
         ORDER BY r.sync, r.run_id DESC",
        runs::columns()
    );
    let recent = sql::rows(&statement, &arguments, |row| {
        let states: String = row.need(runs::COLUMNS + 1)?;
        Ok(Recent {
            last: runs::read(row)?,
            states: states.split(' ').map(state).collect::<Result<_>>()?,
            told_at: maybe_time(row, runs::COLUMNS + 2)?,
        })
    })?;
    Ok(recent.into_iter().map(|recent| (recent.last.sync.clone(), recent)).collect())
}

fn events(name: &str) -> Result<Vec<Event>> {
    let statement = "SELECT e.event, NULLIF(e.own::text, '{}'), e.without, e.condition \
                     FROM sqs_sync.events e WHERE e.sync = $1";
    sql::rows(statement, &[name.into()], |row| {
        Ok(Event {
            name: text(row, 1)?,
            own: maybe_text(row, 2)?,
            without: texts(row, 3)?,
            condition: maybe_text(row, 4)?,
        })
    })
}
