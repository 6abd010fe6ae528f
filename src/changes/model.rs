//! The model: the relation whose rows are synced, and the role with whose rights it is read.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use super::columns::quoted;
use crate::pg::error::{catching, shown};
use crate::pg::transaction::with_latest_snapshot;
use crate::pg::{Error, Result, rights, sql, types};

/// A relation, as found under the current rights and search_path.
#[derive(Clone, Debug)]
pub struct Model {
    pub oid: Oid,
    /// Qualified and quoted as in SQL.
    pub name: String,
    pub owner: Oid,
}

pub const WHAT_A_MODEL_IS: &str = "model is the name of a table or view, or a SELECT statement.";

/// The longest SELECT that is given as a model, in bytes.
const MAX_SELECT_BYTES: usize = 1 << 20;

/// Finds a relation by name, under the caller's search_path.
pub fn find(name: &str) -> Result<Option<Model>> {
    let found = sql::row(
        "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner, c.relkind::text, c.relpersistence::text \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = pg_catalog.to_regclass($1)",
        &[name.into()],
        |row| {
            let model = Model { oid: row.need(1)?, name: row.need(2)?, owner: row.need(3)? };
            Ok((model, row.need::<String>(4)?, row.need::<String>(5)?))
        },
    )?;
    let Some((model, kind, persistence)) = found else { return Ok(None) };
    if !matches!(kind.as_str(), "r" | "p" | "v" | "m" | "f") {
        return Err(
            wrong_object(format!("{} is not a table or view", model.name)).hint(WHAT_A_MODEL_IS)
        );
    }
    if persistence == "t" {
        return Err(wrong_object(format!("{} is temporary", shown(name))).hint(
            "The worker that reads a model is another session: make it a permanent table or view.",
        ));
    }
    Ok(Some(model))
}

/// The same, locked against changes of its definition until the end of the transaction. It is
/// looked up again after the lock: what was found first may have been replaced meanwhile. (In a
/// transaction that keeps its snapshot and has written, the second look sees no more than the
/// first: a run looks before it writes.)
pub fn find_locked(name: &str) -> Result<Option<Model>> {
    let mut found = with_latest_snapshot(|| find(name))?;
    while let Some(before) = found {
        types::lock_for_reading(before.oid);
        found = with_latest_snapshot(|| find(name))?;
        if found.as_ref().is_some_and(|now| now.oid == before.oid) {
            break;
        }
    }
    Ok(found)
}

fn wrong_object(message: String) -> Error {
    Error::new(PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE, message)
}

pub fn does_not_exist(name: &str) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
        format!("relation \"{}\" does not exist", shown(name)),
    )
}

/// Whether `model` is a statement, not a relation's name: more than one word, quotes aside.
pub fn is_statement(model: &str) -> bool {
    let mut in_quotes = false;
    model.trim().chars().any(|c| {
        in_quotes ^= c == '"';
        !in_quotes && (c.is_whitespace() || c == '(' || c == ';')
    })
}

/// Makes the view of a model that was given as a SELECT: in our schema, owned by the caller,
/// its names found by the caller's search_path.
///
/// It is made with the caller's rights, since parsing already calls input functions, and with
/// them the checks of domains: in a schema of his for the moment, since nobody may create in
/// ours. Moving it evaluates nothing, and what he may have put beside it keeps that schema from
/// being dropped, and so the sync from being made.
pub fn create_view(select: &str, sync_id: i32, caller: Oid) -> Result<Model> {
    if select.len() > MAX_SELECT_BYTES {
        let message =
            format!("model has {} bytes, more than the limit of {MAX_SELECT_BYTES}", select.len());
        return Err(Error::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
            .hint("Make a view of it, and give its name."));
    }
    let statement = catching(|| Ok(types::single_select(select)))
        .map_err(of_the_select)?
        .ok_or_else(is_no_model)?;
    let path = caller_search_path()?;
    let role = role_name(caller)?;
    let (schema, name) = (super::tables::SCHEMA, format!("model_{sync_id}"));
    let moment = format!("sqs_sync_new_{sync_id}");
    rights::as_superuser(|| {
        sql::execute(&format!("CREATE SCHEMA {moment} AUTHORIZATION {role}"), &[])
    })?;
    let make = || {
        rights::as_owner(caller, &[("search_path", &path)], || {
            sql::execute(&format!("CREATE VIEW {moment}.{name} AS {statement}"), &[])
        })
    };
    catching(make).map_err(of_the_select)?;
    rights::as_superuser(|| {
        sql::execute(&format!("ALTER VIEW {moment}.{name} SET SCHEMA {schema}"), &[])?;
        sql::execute(&format!("DROP SCHEMA {moment} RESTRICT"), &[])?;
        let view = format!("{schema}.{name}");
        find(&view)?.ok_or_else(|| does_not_exist(&view))
    })
}

pub fn is_no_model() -> Error {
    Error::invalid("model is neither a relation's name nor a single SELECT statement")
        .hint(WHAT_A_MODEL_IS)
}

/// What Postgres says of the statement, which stands in a statement of ours.
fn of_the_select(error: Error) -> Error {
    match error.is_cancel() {
        true => error,
        false => Error { message: format!("model: {}", error.message), ..error },
    }
}

/// The caller's schemas by name, since "$user" would be another's under raised rights.
fn caller_search_path() -> Result<String> {
    let schemas: Vec<String> = sql::value("SELECT pg_catalog.current_schemas(false)::text[]", &[])?;
    let names: Vec<String> = schemas.iter().map(|name| quoted(name)).collect();
    Ok(format!(
        "{}, pg_temp",
        if names.is_empty() { "pg_catalog".to_owned() } else { names.join(", ") }
    ))
}

pub fn role_name(role: Oid) -> Result<String> {
    sql::value("SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid($1))", &[role.into()])
}

/// Refuses a superuser's model that stands on what is not a superuser's: whoever can change
/// that could act as superuser.
pub fn check_superuser_model(model: &Model) -> Result<()> {
    if !rights::is_superuser(model.owner) {
        return Ok(());
    }
    let foreign = sql::row(FOREIGN_OBJECT, &[model.oid.into()], |row| row.need::<String>(1))?;
    foreign.map_or(Ok(()), |object| {
        Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("model {} belongs to a superuser, but depends on {object}, which does not", model.name),
        )
        .hint("A sync runs with the rights of its model's owner: give the view to a role without superuser rights by ALTER VIEW … OWNER TO."))
    })
}

/// What a relation stands on, at any depth: relations, and the functions, types and operators
/// in the rules of views and the columns of tables. Membership in an extension aside.
const FOREIGN_OBJECT: &str = "
WITH RECURSIVE used (class, object) AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, $1
  UNION
  SELECT d.refclassid, d.refobjid
  FROM used u
  LEFT JOIN pg_catalog.pg_rewrite w
    ON u.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND w.ev_class = u.object
  JOIN pg_catalog.pg_depend d
    ON (d.classid = u.class AND d.objid = u.object)
    OR (d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid)
  WHERE d.refclassid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass,
                         'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
)
SELECT pg_catalog.pg_describe_object(u.class, u.object, 0)
FROM used u
LEFT JOIN pg_catalog.pg_class c ON u.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = u.object
LEFT JOIN pg_catalog.pg_proc p ON u.class = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = u.object
LEFT JOIN pg_catalog.pg_type t ON u.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = u.object
LEFT JOIN pg_catalog.pg_operator x ON u.class = 'pg_catalog.pg_operator'::pg_catalog.regclass AND x.oid = u.object
JOIN pg_catalog.pg_roles o ON o.oid = COALESCE(c.relowner, p.proowner, t.typowner, x.oprowner)
WHERE NOT o.rolsuper
LIMIT 1";
