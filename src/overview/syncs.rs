//! `sqs_sync.syncs` and `events`, with the latest runs of each.

use report::data::{Event, Sync};

use super::runs::{Recent, Summary};
use super::{maybe_text, maybe_time, millis, only, state, text, texts};
use crate::pg::Result;
use crate::pg::sql;

pub fn read(name: Option<&str>, recent: &mut Recent) -> Result<Vec<Sync>> {
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
        let Summary { last, states, told_at } = recent.summary(&sync.name);
        (sync.last, sync.recent, sync.told_at) = (last, states, told_at);
    }
    Ok(syncs)
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
