//! The runs that are due, as the worker sees them: which there are, why one waits, and the end
//! of one that cannot be executed.

use pgrx::Spi;
use pgrx::datum::DatumWithOid;

use crate::catalog;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::{transaction, transaction_in_passing};
use crate::pg::{Error, Result, lock, version};

/// What the worker finds in its database.
pub enum Found {
    NoExtension,
    /// With what to do about it.
    OtherVersion(Error),
    Runs(Queue),
}

/// Runs that need a runner.
pub struct Queue {
    /// The first ones in line.
    pub first: Vec<Due>,
    /// How many there are.
    pub total: i64,
}

/// Runs that are looked at, at once: a look is to take milliseconds, however many wait.
const AT_ONCE: i64 = 1000;

/// A run that needs a runner.
pub struct Due {
    pub run_id: i64,
    pub sync_id: i32,
    pub waiting_for: Option<String>,
    /// How often a runner took it up since it last made progress.
    pub attempts: i32,
    pub is_under_way: bool,
    /// Its sync has a runner, which need not be at this run.
    pub has_runner: bool,
}

/// Runs under way come first, so that a run that lost its runner goes on; then in the order in
/// which they were asked for. Both halves read an index that holds these runs only.
const DUE: &str = "
    SELECT run_id, sync_id, waiting_for, attempts, place = 1, count(*) OVER ()
    FROM (SELECT run_id, sync_id, waiting_for, attempts, 1 AS place
          FROM sqs_sync.run WHERE state IN ('diffing', 'publishing')
          UNION ALL
          SELECT r.run_id, r.sync_id, r.waiting_for, r.attempts, 2
          FROM sqs_sync.run r JOIN sqs_sync.sync s ON s.sync_id = r.sync_id
          WHERE r.state IN ('queued', 'held') AND r.state = 'queued' AND NOT s.paused) due
    ORDER BY place, run_id LIMIT $1";

/// Queues the runs that follow on one that has succeeded. What somebody's open transaction keeps
/// from being queued is so at another look.
/// Returns whether there were any.
pub fn follow_on() -> Result<bool> {
    let due = transaction(|| as_superuser(catalog::sequence::due))?;
    for next in &due {
        match transaction_in_passing(|| catalog::sequence::start(next)) {
            Err(error) if !error.is_passing() => return Err(error),
            _ => {}
        }
    }
    Ok(!due.is_empty())
}

/// Only reads: takes no transaction id.
pub fn look() -> Result<Found> {
    if version::of_extension().is_none() {
        return Ok(Found::NoExtension);
    }
    if let Err(differs) = version::check() {
        return Ok(Found::OtherVersion(differs));
    }
    as_superuser(|| {
        Spi::connect(|client| {
            let (mut first, mut total) = (Vec::new(), 0);
            for row in client.select(DUE, None, &[AT_ONCE.into()])? {
                if let (Some(run_id), Some(sync_id)) = (row.get(1)?, row.get(2)?) {
                    let (waiting_for, attempts) = (row.get(3)?, row.get(4)?.unwrap_or(0));
                    let has_runner = lock::has_runner(sync_id);
                    let is_under_way = row.get(5)?.unwrap_or(false);
                    total = row.get(6)?.unwrap_or(0);
                    first.push(Due {
                        run_id,
                        sync_id,
                        waiting_for,
                        attempts,
                        is_under_way,
                        has_runner,
                    });
                }
            }
            Ok(Found::Runs(Queue { first, total }))
        })
    })
}

/// Says why runs wait, or that they do not any more. Never waits for one who has a run's row
/// locked: other runs are not to wait for him.
pub fn set_waiting_for(run_ids: &[i64], reason: Option<&str>) -> Result<()> {
    let update = "
        UPDATE sqs_sync.run SET waiting_for = $2
        WHERE run_id IN (SELECT run_id FROM sqs_sync.run WHERE run_id = ANY ($1) AND state = 'queued'
                         FOR NO KEY UPDATE SKIP LOCKED)";
    as_superuser(|| Ok(Spi::run_with_args(update, &[run_ids.to_vec().into(), reason.into()])?))
}

/// Says of all that wait behind a run why they do, if nothing is said of them yet.
pub fn set_waiting_behind(run_id: i64, reason: &str) -> Result<()> {
    let update = "
        UPDATE sqs_sync.run SET waiting_for = $2
        WHERE run_id IN (SELECT r.run_id FROM sqs_sync.run r JOIN sqs_sync.sync s ON s.sync_id = r.sync_id
                         WHERE r.state IN ('queued', 'held') AND r.state = 'queued' AND NOT s.paused
                           AND r.run_id > $1 AND r.waiting_for IS NULL
                         FOR NO KEY UPDATE OF r SKIP LOCKED)";
    as_superuser(|| Ok(Spi::run_with_args(update, &[run_id.into(), reason.into()])?))
}

/// Ends a run whose runners died. What it had handed to the publisher stays in doubt.
pub fn give_up(run_id: i64, deaths: i32) -> Result<()> {
    let error = format!("the process that executes the run ended unexpectedly {deaths} times");
    let hint = "The server log says why. The next run of the sync first sends again what this one may have sent.";
    let update = "
        UPDATE sqs_sync.run
        SET state = 'failed', finished_at = clock_timestamp(), runner_pid = NULL,
            waiting_for = NULL, sqlstate = 'XX000', error = $2, hint = $3
        WHERE run_id = (SELECT run_id FROM sqs_sync.run
                        WHERE run_id = $1 AND state IN ('queued', 'diffing', 'publishing')
                        FOR NO KEY UPDATE SKIP LOCKED)";
    let values: [DatumWithOid; 3] = [run_id.into(), error.into(), hint.into()];
    let forget = "DELETE FROM sqs_sync.cancellation WHERE run_id = $1";
    as_superuser(|| {
        Spi::run_with_args(update, &values)?;
        catalog::progress::remove(run_id)?;
        Ok(Spi::run_with_args(forget, &[run_id.into()])?)
    })
}
