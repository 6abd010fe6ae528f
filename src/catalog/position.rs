//! `sqs_sync.position`: how far a sync has come. Only runners write it, one a sync, so that
//! no statement on a sync ever waits for a run, nor a run for it.

use crate::pg::{Error, Result, sql};

/// A new sync's change ids begin above those of every sync that is or was: it may take the
/// place of one.
pub fn insert(sync_id: i32) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.position (sync_id, next_change_id) \
         SELECT $1, GREATEST(last_value, (SELECT max(next_change_id) FROM sqs_sync.position)) \
         FROM sqs_sync.change_id_seq",
        &[sync_id.into()],
    )?;
    Ok(())
}

/// Before a sync is dropped: keeps its change ids from being given again.
pub fn keep_change_ids(sync_id: i32) -> Result<()> {
    sql::execute(
        "SELECT pg_catalog.setval('sqs_sync.change_id_seq', GREATEST(p.next_change_id, q.last_value)) \
         FROM sqs_sync.position p, sqs_sync.change_id_seq q WHERE p.sync_id = $1",
        &[sync_id.into()],
    )?;
    Ok(())
}

/// Changes up to this id that still are in the change set are in doubt. All of them are on a
/// timeline other than that on which they were found: what the server before a promotion
/// handed over last may not have come through to this one.
pub fn handed_through(sync_id: i32, timeline: u32) -> Result<i64> {
    sql::value(
        "SELECT CASE timeline WHEN $2 THEN handed_through ELSE next_change_id - 1 END \
         FROM sqs_sync.position WHERE sync_id = $1",
        &[sync_id.into(), i64::from(timeline).into()],
    )
}

/// Notes, before anything is sent, how far the change set goes to the publisher.
pub fn set_handed_through(sync_id: i32, change_id: i64) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.position SET handed_through = $2 WHERE sync_id = $1 AND handed_through < $2",
        &[sync_id.into(), change_id.into()],
    )?;
    Ok(())
}

/// The run that filled the change set, by which all that is in it is rendered, also when it is
/// sent again.
#[derive(Clone, Debug)]
pub struct Origin {
    pub run_id: i64,
    /// ISO 8601 in UTC.
    pub started_at: String,
    /// The version of the definition.
    pub version: i32,
}

/// Begins a change set of `count` changes that a run has found. Returns its first change id.
/// Ids are never given twice: on a new timeline the counter jumps, since before an asynchronous
/// promotion ids may have been sent that this server knows nothing of. (After an upgrade or a
/// restore timelines begin anew, and may be lower.)
pub fn begin_change_set(sync_id: i32, run_id: i64, count: i64, timeline: u32) -> Result<i64> {
    let statement = format!(
        "UPDATE sqs_sync.position p \
         SET next_change_id = {} + $4, timeline = $2, \
             run_id = r.run_id, run_started_at = r.started_at, version = r.version \
         FROM sqs_sync.run r \
         WHERE p.sync_id = $1 AND r.run_id = $3 RETURNING next_change_id - $4",
        FIRST_ID
    );
    sql::returning(
        &statement,
        &[sync_id.into(), i64::from(timeline).into(), run_id.into(), count.into()],
        |row| row.need(1),
    )?
    .pop()
    .ok_or_else(|| Error::internal(format!("sync {sync_id} does not exist")))
}

/// The first id of a change set that begins now, on the timeline `$2`.
const FIRST_ID: &str = "CASE timeline WHEN $2 THEN next_change_id \
                        ELSE GREATEST(next_change_id + (1::int8 << 32), $2 << 40) END";

/// The change id that the next change would get.
pub fn next_change_id(sync_id: i32, timeline: u32) -> Result<i64> {
    let statement = format!("SELECT {FIRST_ID} FROM sqs_sync.position WHERE sync_id = $1");
    sql::value(&statement, &[sync_id.into(), i64::from(timeline).into()])
}

/// Where the change set comes from; none if there never was one.
pub fn origin(sync_id: i32) -> Result<Option<Origin>> {
    let statement = format!(
        "SELECT run_id, pg_catalog.to_char(run_started_at AT TIME ZONE 'UTC', {ISO_8601}), version \
         FROM sqs_sync.position WHERE sync_id = $1 AND version IS NOT NULL"
    );
    sql::row(&statement, &[sync_id.into()], |row| {
        Ok(Origin { run_id: row.need(1)?, started_at: row.need(2)?, version: row.need(3)? })
    })
}

/// Whether the change set was found longer ago than a FIFO queue knows a message that it took.
pub fn is_origin_old(sync_id: i32) -> Result<bool> {
    sql::value(
        "SELECT COALESCE(run_started_at < pg_catalog.clock_timestamp() - interval '5 minutes', true) \
         FROM sqs_sync.position WHERE sync_id = $1",
        &[sync_id.into()],
    )
}

const ISO_8601: &str = r#"'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"#;

/// What the origin would be of a change set that a run finds now: of the one that waits, or of
/// the next one that is asked for.
pub fn next_origin(sync_id: i32, version: i32) -> Result<Origin> {
    let statement = format!(
        "SELECT COALESCE((SELECT r.run_id FROM sqs_sync.run r WHERE r.sync_id = $1 AND r.state = 'queued'), \
                         CASE WHEN is_called THEN last_value + 1 ELSE last_value END), \
                pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', {ISO_8601}) \
         FROM sqs_sync.run_id_seq"
    );
    sql::row(&statement, &[sync_id.into()], |row| {
        Ok(Origin { run_id: row.need(1)?, started_at: row.need(2)?, version })
    })?
    .ok_or_else(|| Error::internal("a sequence gave no value"))
}

/// After a move nothing that the change sets hold is certain, and change ids jump: as on a new
/// timeline.
pub fn distrust_all() -> Result<()> {
    sql::execute("UPDATE sqs_sync.position SET timeline = 0", &[])?;
    Ok(())
}

/// Rows that the snapshot has.
pub fn told_rows(sync_id: i32) -> Result<i64> {
    sql::value("SELECT told_rows FROM sqs_sync.position WHERE sync_id = $1", &[sync_id.into()])
}

/// Sets them to what a diff has seen, whatever somebody may have done to single rows.
pub fn set_told_rows(sync_id: i32, rows: i64) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.position SET told_rows = $2 WHERE sync_id = $1 AND told_rows <> $2",
        &[sync_id.into(), rows.into()],
    )?;
    Ok(())
}

pub fn add_told_rows(sync_id: i32, more: i64) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.position SET told_rows = told_rows + $2 WHERE sync_id = $1 AND $2 <> 0",
        &[sync_id.into(), more.into()],
    )?;
    Ok(())
}

/// The columns that the snapshot's hashes cover; none: all that it has.
pub fn hashed(sync_id: i32) -> Result<Option<Vec<String>>> {
    sql::row("SELECT hashed FROM sqs_sync.position WHERE sync_id = $1", &[sync_id.into()], |row| {
        row.get(1)
    })
    .map(Option::flatten)
}

pub fn set_hashed(sync_id: i32, columns: Option<Vec<String>>) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.position SET hashed = $2 WHERE sync_id = $1 AND hashed IS DISTINCT FROM $2",
        &[sync_id.into(), columns.into()],
    )?;
    Ok(())
}

/// Whether a run of the sync has gone to its end.
pub fn initial_done(sync_id: i32) -> Result<bool> {
    sql::value("SELECT initial_done FROM sqs_sync.position WHERE sync_id = $1", &[sync_id.into()])
}

pub fn set_initial_done(sync_id: i32) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.position SET initial_done = true WHERE sync_id = $1 AND NOT initial_done",
        &[sync_id.into()],
    )?;
    Ok(())
}
