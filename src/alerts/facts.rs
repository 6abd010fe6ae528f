//! What is known of syncs, for their alerts: read for many at once, by indexes, and of each no
//! more than its last few runs, however long it has been running.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use notifier::{Facts, HISTORY, PausedQueue, Run, RunState};

use crate::catalog::alert::Epoch;
use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

/// Queues of a sync that a message names.
const MOST_QUEUES: usize = 20;
const HIDDEN: &str = "the sync's owner may see why";
/// Letters of an error: a message is cut to far less.
const MOST_LETTERS: i32 = 4000;

pub fn time(epoch: Epoch) -> SystemTime {
    let length = Duration::try_from_secs_f64(epoch.abs()).unwrap_or_default();
    match epoch < 0.0 {
        true => UNIX_EPOCH.checked_sub(length).unwrap_or(UNIX_EPOCH),
        false => UNIX_EPOCH.checked_add(length).unwrap_or(UNIX_EPOCH),
    }
}

pub fn epoch(time: SystemTime) -> Epoch {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

/// Of these syncs, by their ids. One that is gone meanwhile is left out.
pub fn read(syncs: &[i32], worker_seen_at: Option<SystemTime>) -> Result<HashMap<i32, Facts>> {
    let mut all = about(syncs, worker_seen_at)?;
    for (sync_id, run) in runs(syncs)? {
        if let Some(facts) = all.get_mut(&sync_id) {
            facts.runs.push(run);
        }
    }
    for (sync_id, queue) in given_up(syncs)? {
        let queues = all.get_mut(&sync_id).map(|facts| &mut facts.paused_queues);
        if let Some(queues) = queues.filter(|queues| queues.len() < MOST_QUEUES) {
            queues.push(queue);
        }
    }
    Ok(all)
}

/// What an alert of the database looks at.
pub fn of_database(worker_seen_at: Option<SystemTime>) -> Facts {
    Facts {
        created_at: UNIX_EPOCH,
        is_paused: false,
        runs: Vec::new(),
        last_success_at: None,
        paused_queues: Vec::new(),
        worker_seen_at,
    }
}

/// For whoever may see how runs go, and not what is in the rows: an error may repeat it, and a row
/// may choose a queue.
pub fn without_rows(facts: &Facts) -> Facts {
    let hidden = || HIDDEN.to_owned();
    let runs = facts.runs.iter().map(|run| Run {
        error: run.error.as_ref().map(|_| hidden()),
        hint: None,
        ..run.clone()
    });
    let queues = facts.paused_queues.iter().map(|queue| PausedQueue {
        queue: "of it".to_owned(),
        reason: hidden(),
        since: queue.since,
    });
    Facts { runs: runs.collect(), paused_queues: queues.collect(), ..facts.clone() }
}

fn about(syncs: &[i32], worker_seen_at: Option<SystemTime>) -> Result<HashMap<i32, Facts>> {
    let found = sql::rows(
        "SELECT s.sync_id, date_part('epoch', s.created_at), s.paused, \
                (SELECT date_part('epoch', r.finished_at) FROM sqs_sync.run r \
                 WHERE r.sync_id = s.sync_id AND r.state IN ('succeeded', 'partly_failed') \
                 ORDER BY r.run_id DESC LIMIT 1) \
         FROM sqs_sync.sync s WHERE s.sync_id = ANY ($1)",
        &[syncs.to_vec().into()],
        |row| {
            let facts = Facts {
                created_at: time(row.need(2)?),
                is_paused: row.need(3)?,
                last_success_at: row.get(4)?.map(time),
                ..of_database(worker_seen_at)
            };
            Ok((row.need::<i32>(1)?, facts))
        },
    )?;
    Ok(found.into_iter().collect())
}

fn runs(syncs: &[i32]) -> Result<Vec<(i32, Run)>> {
    let statement = format!(
        "SELECT s.sync_id, r.run_id, r.state, date_part('epoch', r.requested_at), \
                date_part('epoch', r.started_at), date_part('epoch', r.finished_at), \
                r.rows_added, r.rows_changed, r.rows_removed, r.published, r.rejected, \
                CASE WHEN r.state IN ('failed', 'held') THEN left(r.error, {MOST_LETTERS}) END, \
                CASE WHEN r.state IN ('failed', 'held') THEN left(r.hint, {MOST_LETTERS}) END \
         FROM unnest($1::int4[]) AS s (sync_id) \
         CROSS JOIN LATERAL (SELECT * FROM sqs_sync.run r WHERE r.sync_id = s.sync_id \
                             ORDER BY r.run_id DESC LIMIT {HISTORY}) r \
         ORDER BY s.sync_id, r.run_id DESC"
    );
    sql::rows(&statement, &[syncs.to_vec().into()], |row| Ok((row.need(1)?, run(row)?)))
}

fn run(row: &Row<'_>) -> Result<Run> {
    let count =
        |column| Ok::<u64, Error>(u64::try_from(row.need::<i64>(column)?).unwrap_or_default());
    let state: String = row.need(3)?;
    Ok(Run {
        id: row.need(2)?,
        state: RunState::named(&state)
            .ok_or_else(|| Error::internal(format!("unrecognized state of a run: \"{state}\"")))?,
        requested_at: time(row.need(4)?),
        started_at: row.get(5)?.map(time),
        finished_at: row.get(6)?.map(time),
        added: count(7)?,
        changed: count(8)?,
        removed: count(9)?,
        published: count(10)?,
        rejected: count(11)?,
        error: row.get(12)?,
        hint: row.get(13)?,
    })
}

fn given_up(syncs: &[i32]) -> Result<Vec<(i32, PausedQueue)>> {
    sql::rows(
        "SELECT g.sync_id, g.queue, date_part('epoch', g.since), g.reason \
         FROM sqs_sync.queue_given_up g WHERE g.sync_id = ANY ($1) ORDER BY g.sync_id, g.since, g.queue",
        &[syncs.to_vec().into()],
        |row| {
            let queue = PausedQueue {
                queue: row.need(2)?,
                since: time(row.need(3)?),
                reason: row.need(4)?,
            };
            Ok((row.need(1)?, queue))
        },
    )
}
