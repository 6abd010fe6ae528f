//! The two tables of a sync: its snapshot, what the queue has been told, and its change set,
//! what the queue is being told. Both belong to the sync's owner, keep the model's columns by
//! their names and storage types ([`super::columns`]), and live in a schema of ours that is no
//! member of the extension, so that a dump holds them.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use super::columns::{self, Column};
use super::key::KeyColumn;
use super::model;
use crate::pg::transaction::with_latest_snapshot;
use crate::pg::{Error, Result, sql};

pub const SCHEMA: &str = "sqs_sync_data";

/// Names of a sync's tables, qualified.
#[derive(Clone, Debug)]
pub struct Tables {
    pub snapshot: String,
    pub changes: String,
}

impl Tables {
    pub fn of(sync_id: i32) -> Tables {
        Tables {
            snapshot: format!("{SCHEMA}.snapshot_{sync_id}"),
            changes: format!("{SCHEMA}.changes_{sync_id}"),
        }
    }
}

/// Makes the schema unless it is there. One that somebody else made is refused: its owner
/// could put things of his own in place of ours. Of two sessions at once, which would both make
/// it, one waits for the other's end.
pub fn ensure_schema() -> Result<()> {
    if !has_safe_schema()? {
        sql::execute("LOCK TABLE sqs_sync.home IN SHARE ROW EXCLUSIVE MODE", &[])?;
        if !with_latest_snapshot(has_safe_schema)? {
            create_schema()?;
        }
    }
    Ok(())
}

/// Whether it is there; an error if it is not safe.
fn has_safe_schema() -> Result<bool> {
    let is_safe = sql::row(
        "SELECT r.rolsuper AND NOT EXISTS ( \
           SELECT 1 FROM pg_catalog.aclexplode(n.nspacl) x LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee \
           WHERE x.privilege_type = 'CREATE' AND NOT COALESCE(g.rolsuper, false)) \
         FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner \
         WHERE n.nspname = 'sqs_sync_data'",
        &[],
        |row| row.need::<bool>(1),
    )?;
    match is_safe {
        Some(true) => Ok(true),
        Some(false) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_DUPLICATE_SCHEMA,
            format!("the schema \"{SCHEMA}\" is not a superuser's alone"),
        )
        .hint("Snapshots are kept in it: have a superuser drop it, or take it over by ALTER SCHEMA … OWNER TO and REVOKE CREATE on it from everybody else.")),
        None => Ok(false),
    }
}

fn create_schema() -> Result<()> {
    sql::execute("CREATE SCHEMA sqs_sync_data", &[])?;
    sql::execute(
        "COMMENT ON SCHEMA sqs_sync_data IS 'snapshots and change sets of sqs_sync: what queues have been told, and are being told'",
        &[],
    )?;
    sql::execute("GRANT USAGE ON SCHEMA sqs_sync_data TO PUBLIC", &[]).map(|_| ())
}

pub fn create(tables: &Tables, columns: &[Column], key: &[KeyColumn], owner: Oid) -> Result<()> {
    columns::check_width(columns)?;
    let declared: Vec<String> =
        columns.iter().map(|c| format!("{} {}{}", c.quoted(), c.storage, c.collate)).collect();
    let declared = declared.join(", ");
    let key: Vec<String> = key.iter().map(|k| k.column.quoted()).collect();
    let Tables { snapshot, changes } = tables;
    sql::execute(
        &format!(
            "CREATE TABLE {snapshot} ({declared}, sqs_sync_hash pg_catalog.int8 NOT NULL, \
             sqs_sync_hash_version pg_catalog.int2 NOT NULL, \
             PRIMARY KEY ({}) INCLUDE (sqs_sync_hash, sqs_sync_hash_version))",
            key.join(", ")
        ),
        &[],
    )?;
    sql::execute(
        &format!(
            "CREATE TABLE {changes} (sqs_sync_change_id pg_catalog.int8 PRIMARY KEY, \
             sqs_sync_event pg_catalog.text NOT NULL, sqs_sync_hash pg_catalog.int8, {declared})"
        ),
        &[],
    )?;
    let owner = model::role_name(owner)?;
    for table in [snapshot, changes] {
        sql::execute(&format!("ALTER TABLE {table} OWNER TO {owner}"), &[])?;
    }
    Ok(())
}

pub fn drop(tables: &Tables) -> Result<()> {
    for table in [&tables.snapshot, &tables.changes] {
        sql::execute(&format!("DROP TABLE IF EXISTS {table}"), &[])?;
    }
    Ok(())
}

/// A sync's owner: that of its snapshot, or, if that is gone, of its change set. None if both
/// are gone.
pub fn owner(tables: &Tables) -> Result<Option<Oid>> {
    sql::row(
        "SELECT c.relowner FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner AND r.rolsuper \
         WHERE c.oid = COALESCE(pg_catalog.to_regclass($1), pg_catalog.to_regclass($2))",
        &[tables.snapshot.as_str().into(), tables.changes.as_str().into()],
        |row| row.need(1),
    )
}

pub fn oid(table: &str) -> Result<Oid> {
    sql::row("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", &[table.into()], |row| {
        row.get(1)
    })?
    .flatten()
    .ok_or_else(|| missing(table))
}

pub fn missing(table: &str) -> Error {
    Error::new(PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE, format!("table {table} is missing"))
        .hint("It holds what the queue has been told. Restore it, or drop the sync by sqs_sync_drop and create it again with the initial behaviour that you want.")
}

/// A column that a table of ours keeps for the model.
pub struct KeptColumn {
    pub name: String,
    pub storage: Oid,
    pub collation: Oid,
}

/// Columns that a table of ours keeps for the model, in the order that the row hash has them.
pub fn kept_columns(table: &str) -> Result<Vec<KeptColumn>> {
    sql::rows(
        "SELECT attname::text, atttypid, attcollation FROM pg_catalog.pg_attribute \
         WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND NOT pg_catalog.starts_with(attname::text, 'sqs_sync_') \
         ORDER BY attnum",
        &[oid(table)?.into()],
        |row| Ok(KeptColumn { name: row.need(1)?, storage: row.need(2)?, collation: row.need(3)? }),
    )
}

/// Whether somebody has emptied the snapshot.
pub fn is_emptied(tables: &Tables, told_rows: i64) -> Result<bool> {
    let statement = format!("SELECT NOT EXISTS (SELECT 1 FROM ONLY {})", tables.snapshot);
    Ok(told_rows > 0 && sql::value(&statement, &[])?)
}

/// Refuses a snapshot that somebody has emptied: all its rows would be announced again.
pub fn check_not_emptied(tables: &Tables, told_rows: i64) -> Result<()> {
    match is_emptied(tables, told_rows)? {
        false => Ok(()),
        true => Err(Error::not_in_state(format!(
            "table {} is empty, but should have {told_rows} rows",
            tables.snapshot
        ))
        .hint("It holds what the queue has been told. Restore it, or have the rows of the model taken as told by sqs_sync_baseline; or drop the sync by sqs_sync_drop and create it again, to have all rows told again.")),
    }
}

/// Refuses tables to which their owner has added what could make an acknowledgement fail,
/// or do something else: after a send it has to succeed.
pub fn check_plain(tables: &Tables) -> Result<()> {
    for table in [&tables.snapshot, &tables.changes] {
        let addition = sql::row(ADDITION, &[oid(table)?.into()], |row| row.need::<String>(1))?;
        if let Some(addition) = addition {
            return Err(Error::not_in_state(format!("table {table} has {addition}"))
                .hint("The tables that sqs_sync keeps have to stay as it made them: drop what was added, or give back what was taken."));
        }
    }
    Ok(())
}

const ADDITION: &str = "
SELECT 'a trigger' FROM pg_catalog.pg_trigger WHERE tgrelid = $1
UNION ALL SELECT 'a rule' FROM pg_catalog.pg_rewrite WHERE ev_class = $1
UNION ALL SELECT 'lost its durability' FROM pg_catalog.pg_class WHERE oid = $1 AND relpersistence <> 'p'
UNION ALL SELECT 'row-level security' FROM pg_catalog.pg_class WHERE oid = $1 AND (relrowsecurity OR relforcerowsecurity)
UNION ALL SELECT 'a parent or child table' FROM pg_catalog.pg_inherits WHERE inhrelid = $1 OR inhparent = $1
UNION ALL SELECT 'the constraint ' || conname FROM pg_catalog.pg_constraint WHERE (conrelid = $1 OR confrelid = $1) AND contype NOT IN ('p', 'n')
UNION ALL SELECT 'NOT NULL on the column ' || a.attname FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = $1 AND a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped
    AND NOT pg_catalog.starts_with(a.attname::text, 'sqs_sync_')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = $1 AND i.indisprimary AND a.attnum = ANY (i.indkey::int2[]))
UNION ALL SELECT 'a generated column or default' FROM pg_catalog.pg_attrdef WHERE adrelid = $1
UNION ALL SELECT 'an index of its own' FROM pg_catalog.pg_index WHERE indrelid = $1 AND NOT indisprimary
UNION ALL SELECT 'storage or a length of its own in the column ' || a.attname::text
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
    AND (a.attstorage <> t.typstorage OR a.atttypmod <> -1 OR a.attgenerated <> '' OR a.attidentity <> '')
UNION ALL SELECT 'a column of its own, ' || a.attname::text FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND pg_catalog.starts_with(a.attname::text, 'sqs_sync_')
    AND (a.attname::text, a.atttypid) NOT IN (('sqs_sync_change_id', 20), ('sqs_sync_event', 25),
      ('sqs_sync_hash', 20), ('sqs_sync_hash_version', 21))
UNION ALL SELECT 'no primary key' WHERE NOT EXISTS
  (SELECT 1 FROM pg_catalog.pg_index WHERE indrelid = $1 AND indisprimary AND indisvalid AND indimmediate)
UNION ALL SELECT 'a publication with a filter or a list of columns' FROM pg_catalog.pg_publication_rel
  WHERE prrelid = $1 AND (prqual IS NOT NULL OR prattrs IS NOT NULL)
UNION ALL SELECT 'a replica identity of its own' FROM pg_catalog.pg_class WHERE oid = $1 AND relreplident <> 'd'
UNION ALL SELECT 'no ' || r || ' right for its owner'
  FROM pg_catalog.pg_class c, pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) r
  WHERE c.oid = $1 AND NOT pg_catalog.has_table_privilege(c.relowner, c.oid, r)
LIMIT 1";
