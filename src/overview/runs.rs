//! `sqs_sync.recent_runs`.

use std::collections::{BTreeSet, HashMap};

use report::data::{Found, Run, State};
use report::text::Text;
use report::time::Time;

use super::{maybe_text, maybe_time, millis, only, state, text};
use crate::pg::Result;
use crate::pg::sql::{self, Row};

/// How many of the latest runs of all are shown.
const SHOWN: usize = 20;

/// The latest runs of each sync.
pub struct Recent {
    of_syncs: HashMap<Text, OfSync>,
    runs: HashMap<i64, Run>,
    /// The latest of all, the newest first.
    latest: Vec<i64>,
    requested_at: Vec<Time>,
}

/// Of one sync, the newest first.
struct OfSync {
    ids: Vec<i64>,
    states: Vec<State>,
    told_at: Option<Time>,
}

/// What a sync's latest runs come to.
#[derive(Default)]
pub struct Summary {
    pub last: Option<Run>,
    /// The newest first.
    pub states: Vec<State>,
    pub told_at: Option<Time>,
}

impl Recent {
    /// Reads each run's columns only of those that are shown.
    pub fn read(name: Option<&str>) -> Result<Recent> {
        let (is_meant, arguments) = only("r.sync", name);
        let told_at =
            millis("max(r.finished_at) FILTER (WHERE r.state IN ('succeeded', 'partly_failed'))");
        let statement = format!(
            "SELECT r.sync, array_agg(r.run_id ORDER BY r.run_id DESC), \
               string_agg(r.state, ' ' ORDER BY r.run_id DESC), {told_at}, \
               array_agg((date_part('epoch', r.requested_at) * 1000)::int8) \
             FROM sqs_sync.recent_runs r WHERE {is_meant} GROUP BY r.sync"
        );
        let mut requested_at = Vec::new();
        let mut of_syncs = HashMap::new();
        let read = sql::rows(&statement, &arguments, |row| {
            let states: String = row.need(3)?;
            let states = states.split(' ').map(state).collect::<Result<_>>()?;
            let of_sync = OfSync { ids: row.need(2)?, states, told_at: maybe_time(row, 4)? };
            Ok((text(row, 1)?, of_sync, row.need::<Vec<i64>>(5)?))
        })?;
        for (sync, of_sync, requested) in read {
            requested_at.extend(requested.into_iter().map(Time));
            of_syncs.insert(sync, of_sync);
        }
        let newest = of_syncs.values().flat_map(|of_sync| of_sync.ids.iter().copied());
        let latest: Vec<i64> =
            newest.collect::<BTreeSet<_>>().into_iter().rev().take(SHOWN).collect();
        let last = of_syncs.values().filter_map(|of_sync| of_sync.ids.first().copied());
        let runs = by_ids(latest.iter().copied().chain(last).collect())?;
        Ok(Recent { of_syncs, runs, latest, requested_at })
    }

    /// When each was asked for.
    pub fn requested_at(&self) -> &[Time] {
        &self.requested_at
    }

    pub fn summary(&mut self, sync: &Text) -> Summary {
        let Some(OfSync { ids, states, told_at }) = self.of_syncs.remove(sync) else {
            return Summary::default();
        };
        let last = ids.first().and_then(|id| self.runs.get(id).cloned());
        Summary { last, states, told_at }
    }

    /// The latest of all.
    pub fn latest(&self) -> Vec<Run> {
        self.latest.iter().filter_map(|id| self.runs.get(id).cloned()).collect()
    }
}

fn by_ids(ids: Vec<i64>) -> Result<HashMap<i64, Run>> {
    let statement = format!("SELECT {} FROM sqs_sync.runs r WHERE r.run_id = ANY ($1)", columns());
    let runs = sql::rows(&statement, &[ids.into()], read)?;
    Ok(runs.into_iter().map(|run| (run.id, run)).collect())
}

/// What [`read`] reads, of a relation that is called `r`.
fn columns() -> String {
    let [requested, started, finished] =
        ["r.requested_at", "r.started_at", "r.finished_at"].map(millis);
    format!(
        "r.run_id, r.sync, r.state, {requested}, {started}, {finished}, r.rows_added, r.rows_changed, \
         r.rows_removed, r.rows_silent, r.published, r.rejected, r.in_doubt, r.waiting_for, r.error, \
         r.sqlstate, r.hint"
    )
}

fn read(row: &Row<'_>) -> Result<Run> {
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
