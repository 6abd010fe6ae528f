//! Runs of `sqs_sync.run` that ended long ago, and that nothing asks for any more; and what was given
//! up of their changes.

use crate::pg::Result;
use crate::pg::sql;

/// So many runs of each sync stay, however old they are: `sqs_sync.recent_runs` shows them, and
/// alerts compare with fewer.
const RECENT: i64 = 30;

/// Runs that are looked at in one transaction: some milliseconds.
const AT_ONCE: i64 = 1000;

/// Looks at some runs after `after`, in the order of their ids, which is nearly that in which they
/// were asked for, and deletes those that ended more than so many minutes ago. Those stay that
/// somebody has locked, that are not in the tally, and of each sync the latest, the last one that
/// succeeded, the last one that went through, and the one whose changes are in the change set.
/// Returns the last run that was looked at; None if those after it are too young.
pub fn delete_some(after: i64, minutes: i32) -> Result<Option<i64>> {
    let statement = "
        WITH seen AS MATERIALIZED (
          SELECT run_id, sync_id, requested_at,
                 tallied AND finished_at < now() - make_interval(mins => $2) AS is_outdated
          FROM sqs_sync.run WHERE run_id > $1 ORDER BY run_id LIMIT $3),
        kept AS MATERIALIZED (
          SELECT s.sync_id, p.run_id AS in_change_set,
                 (SELECT r.run_id FROM sqs_sync.run r WHERE r.sync_id = s.sync_id
                  ORDER BY r.run_id DESC OFFSET $4 - 1 LIMIT 1) AS recent_from,
                 (SELECT r.run_id FROM sqs_sync.run r
                  WHERE r.sync_id = s.sync_id AND r.state IN ('succeeded', 'partly_failed')
                  ORDER BY r.run_id DESC LIMIT 1) AS gone_through,
                 (SELECT r.run_id FROM sqs_sync.run r
                  WHERE r.sync_id = s.sync_id AND r.state IN ('succeeded', 'partly_failed') AND r.state = 'succeeded'
                  ORDER BY r.run_id DESC LIMIT 1) AS succeeded
          FROM (SELECT DISTINCT sync_id FROM seen WHERE is_outdated) s
          LEFT JOIN sqs_sync.position p ON p.sync_id = s.sync_id),
        free AS MATERIALIZED (
          SELECT r.run_id, r.sync_id FROM sqs_sync.run r
          JOIN seen ON seen.run_id = r.run_id AND seen.is_outdated
          JOIN kept k ON k.sync_id = seen.sync_id
          WHERE r.run_id < k.recent_from
            AND (r.run_id IN (k.in_change_set, k.gone_through, k.succeeded)) IS NOT TRUE
          FOR UPDATE OF r SKIP LOCKED),
        deleted AS (
          DELETE FROM sqs_sync.run r USING free WHERE r.run_id = free.run_id),
        forgotten AS (
          DELETE FROM sqs_sync.doubt_given_up g USING free
          WHERE g.sync_id = free.sync_id AND g.run_id = free.run_id)
        SELECT max(run_id) FROM seen
        HAVING bool_or(requested_at < now() - make_interval(mins => $2))";
    let arguments = [after.into(), minutes.into(), AT_ONCE.into(), RECENT.into()];
    let seen = sql::returning(statement, &arguments, |row| row.need(1))?;
    Ok(seen.first().copied())
}
