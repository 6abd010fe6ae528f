//! `sqs_sync.waiting`: changes that a run has read past, because their lane had no room, and
//! has certainly not sent. What waits, waits here and not in memory. A runner writes it in
//! the transaction that says how far the change set was handed over, so that what is here is
//! known not to be in doubt, also after a crash.

pub use backlog::{Waiting, Wanted};

use crate::pg::Result;
use crate::pg::sql;

pub fn put(sync_id: i32, waiting: &[Waiting]) -> Result<()> {
    let lanes: Vec<i64> = waiting.iter().map(|w| w.lane).collect();
    let ids: Vec<i64> = waiting.iter().map(|w| w.change_id).collect();
    let in_doubt: Vec<bool> = waiting.iter().map(|w| w.in_doubt).collect();
    sql::execute(
        "INSERT INTO sqs_sync.waiting (sync_id, lane, change_id, in_doubt) \
         SELECT $1, lane, change_id, in_doubt \
         FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) \
              AS w (lane, change_id, in_doubt)",
        &[sync_id.into(), lanes.into(), ids.into(), in_doubt.into()],
    )?;
    Ok(())
}

/// Takes the next changes of some lanes, which are handed over. None after `through`.
pub fn take(sync_id: i32, wanted: &[Wanted], through: i64) -> Result<Vec<Waiting>> {
    let lanes: Vec<i64> = wanted.iter().map(|w| w.lane).collect();
    let after: Vec<i64> = wanted.iter().map(|w| w.after).collect();
    let changes: Vec<i64> = wanted.iter().map(|w| w.changes).collect();
    returned(
        "DELETE FROM sqs_sync.waiting AS w USING ( \
           SELECT next.change_id \
           FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) AS l (lane, after, changes), \
           LATERAL (SELECT n.change_id FROM sqs_sync.waiting AS n \
                    WHERE n.sync_id = $1 AND n.lane = l.lane AND n.change_id > l.after AND n.change_id <= $5 \
                    ORDER BY n.lane, n.change_id LIMIT l.changes) AS next) AS t \
         WHERE w.sync_id = $1 AND w.change_id = t.change_id \
         RETURNING w.lane, w.change_id, w.in_doubt",
        &[sync_id.into(), lanes.into(), after.into(), changes.into(), through.into()],
    )
}

/// Takes what waits among the changes after `after` and up to `through`, which are read anew.
pub fn take_range(sync_id: i32, after: i64, through: i64) -> Result<Vec<Waiting>> {
    returned(
        "DELETE FROM sqs_sync.waiting WHERE sync_id = $1 AND change_id > $2 AND change_id <= $3 \
         RETURNING lane, change_id, in_doubt",
        &[sync_id.into(), after.into(), through.into()],
    )
}

/// Takes some of what waits after a change.
pub fn take_some(sync_id: i32, after: i64, count: i64) -> Result<Vec<Waiting>> {
    returned(
        "DELETE FROM sqs_sync.waiting WHERE sync_id = $1 AND change_id = ANY (ARRAY( \
           SELECT change_id FROM sqs_sync.waiting WHERE sync_id = $1 AND change_id > $3 \
           ORDER BY change_id LIMIT $2)) \
         RETURNING lane, change_id, in_doubt",
        &[sync_id.into(), count.into(), after.into()],
    )
}

/// The highest of these changes that does not wait as one that certainly was not sent.
pub fn highest_in_doubt(sync_id: i32, ids: &[i64]) -> Result<Option<i64>> {
    sql::row(
        "SELECT max(id) FROM pg_catalog.unnest($2) AS c (id) WHERE NOT EXISTS ( \
           SELECT 1 FROM sqs_sync.waiting w WHERE w.sync_id = $1 AND w.change_id = c.id AND NOT w.in_doubt)",
        &[sync_id.into(), ids.to_vec().into()],
        |row| row.get(1),
    )
    .map(Option::flatten)
}

/// Those of these changes that do not wait as ones that certainly were not sent, in their order.
pub fn those_in_doubt(sync_id: i32, ids: &[i64]) -> Result<Vec<i64>> {
    sql::rows(
        "SELECT id FROM pg_catalog.unnest($2) AS c (id) WHERE NOT EXISTS ( \
           SELECT 1 FROM sqs_sync.waiting w WHERE w.sync_id = $1 AND w.change_id = c.id AND NOT w.in_doubt) \
         ORDER BY id",
        &[sync_id.into(), ids.to_vec().into()],
        |row| row.need(1),
    )
}

/// These changes wait no more: they have left the change set.
pub fn remove(sync_id: i32, ids: &[i64]) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.waiting WHERE sync_id = $1 AND change_id = ANY ($2)",
        &[sync_id.into(), ids.to_vec().into()],
    )?;
    Ok(())
}

/// The highest id of those that wait.
pub fn last(sync_id: i32) -> Result<Option<i64>> {
    sql::row(
        "SELECT max(change_id) FROM sqs_sync.waiting WHERE sync_id = $1",
        &[sync_id.into()],
        |row| row.get(1),
    )
    .map(Option::flatten)
}

/// Changes that wait and certainly were not sent.
pub fn count_unsent(sync_id: i32) -> Result<i64> {
    sql::value(
        "SELECT count(*) FROM sqs_sync.waiting WHERE sync_id = $1 AND NOT in_doubt",
        &[sync_id.into()],
    )
}

/// What waits is in doubt after all: another server may have taken it from here.
pub fn distrust(sync_id: i32, timeline: u32) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.waiting WHERE sync_id = $1 AND NOT EXISTS ( \
           SELECT 1 FROM sqs_sync.position p WHERE p.sync_id = $1 AND p.timeline = $2)",
        &[sync_id.into(), i64::from(timeline).into()],
    )?;
    Ok(())
}

/// Forgets all that waits, with the ids that it has claimed: the change set is empty.
pub fn forget(sync_id: i32) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.claim c USING sqs_sync.waiting w \
         WHERE c.sync_id = $1 AND w.sync_id = $1 AND w.change_id = c.change_id",
        &[sync_id.into()],
    )?;
    sql::execute("DELETE FROM sqs_sync.waiting WHERE sync_id = $1", &[sync_id.into()]).map(|_| ())
}

fn returned(statement: &str, arguments: &[pgrx::datum::DatumWithOid<'_>]) -> Result<Vec<Waiting>> {
    sql::returning(statement, arguments, |row| {
        Ok(Waiting { lane: row.need(1)?, change_id: row.need(2)?, in_doubt: row.need(3)? })
    })
}
