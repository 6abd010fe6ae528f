//! `sqs_sync.sync`: a row a sync.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use crate::pg::error::shown;
use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// The rows of the first run are published.
    Backfill,
    /// The rows of the first run are taken as told.
    Skip,
}

impl Initial {
    pub fn parse(text: &str) -> Result<Initial> {
        match text {
            "backfill" => Ok(Initial::Backfill),
            "skip" => Ok(Initial::Skip),
            other => Err(Error::invalid(format!("unrecognized value of initial: \"{other}\""))
                .hint("It is 'backfill' (publish the rows of the first run) or 'skip' (only what changes from then on).")),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Initial::Backfill => "backfill",
            Initial::Skip => "skip",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Sync {
    pub id: i32,
    pub name: String,
    /// What makes its deduplication ids unlike those of any other sync.
    pub uuid: String,
    /// Qualified name of the relation, quoted as in SQL.
    pub model: String,
    /// The view was made from a SELECT by `sqs_sync_create`, and goes with the sync.
    pub model_is_ours: bool,
    pub key: Vec<String>,
    pub time_zone: String,
    /// The current version of the definition.
    pub version: i32,
    pub initial: Initial,
    pub paused: bool,
}

const COLUMNS: &str = "sync_id, name, model, model_is_ours, key, time_zone, version, initial, paused, sync_uuid::text";

fn read(row: &Row<'_>) -> Result<Sync> {
    Ok(Sync {
        id: row.need(1)?,
        name: row.need(2)?,
        model: row.need(3)?,
        model_is_ours: row.need(4)?,
        key: row.need(5)?,
        time_zone: row.need(6)?,
        version: row.need(7)?,
        initial: Initial::parse(&row.need::<String>(8)?)?,
        paused: row.need(9)?,
        uuid: row.need(10)?,
    })
}

pub fn find(name: &str) -> Result<Option<Sync>> {
    sql::row(&format!("SELECT {COLUMNS} FROM sqs_sync.sync WHERE name = $1"), &[name.into()], read)
}

/// The sync of that name, or undefined_object.
pub fn by_name(name: &str) -> Result<Sync> {
    find(name)?.ok_or_else(|| does_not_exist(name))
}

/// The same, locked until the end of the transaction.
pub fn lock(name: &str) -> Result<Sync> {
    let statement =
        format!("SELECT {COLUMNS} FROM sqs_sync.sync WHERE name = $1 FOR NO KEY UPDATE");
    sql::returning(&statement, &[name.into()], read)?.pop().ok_or_else(|| does_not_exist(name))
}

pub fn does_not_exist(name: &str) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
        format!("sync \"{}\" does not exist", shown(name)),
    )
    .hint("The view sqs_sync.syncs lists those that you may see.")
}

pub fn already_exists(name: &str) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT,
        format!("sync \"{}\" already exists", shown(name)),
    )
}

pub fn by_id(id: i32) -> Result<Sync> {
    let statement = format!("SELECT {COLUMNS} FROM sqs_sync.sync WHERE sync_id = $1");
    sql::row(&statement, &[id.into()], read)?
        .ok_or_else(|| Error::internal(format!("sync {id} does not exist")))
}

pub fn is_any() -> Result<bool> {
    sql::value("SELECT EXISTS (SELECT 1 FROM sqs_sync.sync)", &[])
}

/// Of all syncs whose owner's rights this role has.
pub fn ids_of(role: Oid) -> Result<Vec<i32>> {
    sql::rows(
        "SELECT sync_id FROM sqs_sync.visible_sync \
         WHERE pg_catalog.pg_has_role($1, COALESCE(owner, 10::pg_catalog.oid), 'USAGE')",
        &[role.into()],
        |row| row.need(1),
    )
}

/// An id whose tables' names are free: what an earlier installation of the extension left
/// behind keeps its own.
pub fn next_id() -> Result<i32> {
    loop {
        let (id, is_free) = sql::returning(
            "WITH next AS MATERIALIZED (SELECT pg_catalog.nextval('sqs_sync.sync_id_seq')::int4 AS id) \
             SELECT id, NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'sqs_sync_data' \
               WHERE c.relname IN ('snapshot_' || id, 'changes_' || id, 'model_' || id)) \
             AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'sqs_sync_new_' || id) FROM next",
            &[],
            |row| Ok((row.need::<i32>(1)?, row.need::<bool>(2)?)),
        )?
        .pop()
        .ok_or_else(|| Error::internal("a sequence gave no value"))?;
        if is_free {
            return Ok(id);
        }
    }
}

/// Waits for a session that creates one of the same name and has not ended its transaction.
pub fn insert(sync: &Sync) -> Result<()> {
    let inserted = sql::execute(
        "INSERT INTO sqs_sync.sync (sync_id, name, model, model_is_ours, key, time_zone, version, initial, sync_uuid) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::pg_catalog.uuid) \
         ON CONFLICT (name) DO NOTHING",
        &[
            sync.id.into(),
            sync.name.as_str().into(),
            sync.model.as_str().into(),
            sync.model_is_ours.into(),
            sync.key.clone().into(),
            sync.time_zone.as_str().into(),
            sync.version.into(),
            sync.initial.as_str().into(),
            sync.uuid.as_str().into(),
        ],
    )?;
    match inserted {
        0 => Err(already_exists(&sync.name)),
        _ => super::position::insert(sync.id),
    }
}

/// Keeps runs of the sync from being queued, and one that is queued from beginning, until the end
/// of the transaction.
pub fn keep_still(id: i32) -> Result<()> {
    sql::execute("SELECT 1 FROM sqs_sync.sync WHERE sync_id = $1 FOR UPDATE", &[id.into()])?;
    super::run::hold_queued(id)
}

pub fn delete(id: i32) -> Result<()> {
    super::position::keep_change_ids(id)?;
    super::request::forget(id)?;
    sql::execute("DELETE FROM sqs_sync.sync WHERE sync_id = $1", &[id.into()])?;
    Ok(())
}

/// Makes of all syncs others, as far as deduplication goes. Returns how many there are.
pub fn renew_uuids() -> Result<usize> {
    sql::execute("UPDATE sqs_sync.sync SET sync_uuid = pg_catalog.gen_random_uuid()", &[])
}

pub fn set_version(id: i32, version: i32) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.sync SET version = $2 WHERE sync_id = $1",
        &[id.into(), version.into()],
    )?;
    Ok(())
}

pub fn set_paused(id: i32, paused: bool) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.sync SET paused = $2 WHERE sync_id = $1",
        &[id.into(), paused.into()],
    )?;
    Ok(())
}
