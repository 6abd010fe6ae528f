//! `sqs_sync_create`, `drop`, `pause` and `resume`.

use std::str::FromStr;

use message::{PerEvent, Source, UnknownNameError};
use pgrx::datum::Interval;
use pgrx::pg_sys::{Oid, panic::ErrorReport};
use pgrx::prelude::*;

use super::access::{Own, own_sync};
use crate::catalog::definition::check_rate;
use crate::catalog::{self, Definition, Guard, Initial, Sync};
use crate::changes::columns::{self, Column};
use crate::changes::compare;
use crate::changes::key::{self, KeyColumn};
use crate::changes::layout::contents_hash;
use crate::changes::model::{self, Model};
use crate::changes::tables::{self, Tables};
use crate::connection;
use crate::home;
use crate::pg::error::catching;
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result, sql};
use crate::run::compile;

pub type Answer<T> = std::result::Result<T, ErrorReport>;

// A json argument arrives as the text that it is: its order and its numbers matter.

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments, reason = "they are the SQL function's")]
fn sqs_sync_create(
    name: Option<&str>,
    model: Option<&str>,
    key: Option<&str>,
    server: Option<&str>,
    queue: Option<String>,
    template: Option<String>,
    body_column: Option<String>,
    fields: Option<String>,
    format: Option<&str>,
    attributes: Option<String>,
    message_id: Option<String>,
    group_id: Option<String>,
    dedup_id: Option<String>,
    dedup: Option<&str>,
    delay_seconds: Option<String>,
    events: Option<Vec<String>>,
    compare: Option<String>,
    initial: Option<&str>,
    order_by: Option<String>,
    retry_for: Option<Interval>,
    guard_share: Option<&str>,
    guard_rows: Option<i64>,
    max_messages_per_second: Option<f64>,
) -> Answer<()> {
    let create = || {
        let name = check_name(required("name", name)?)?;
        let message = Source {
            queue: Some(required("queue", queue).map_err(|error| {
                error.hint("Name the queue, as sqs_sync_queues lists it, or give its URL or ARN.")
            })?),
            template,
            body_column,
            fields,
            format: named(format)?,
            attributes,
            message_id,
            group_id,
            dedup_id,
            dedup: named(dedup)?,
            delay_seconds,
        };
        let mut definition = Definition {
            server: required("server", server)
                .map_err(|error| error.hint("Name a foreign server of the foreign data wrapper sqs_sync: \\des in psql lists servers."))?
                .to_owned(),
            message,
            events: PerEvent::default(),
            compare,
            order_by,
            retry_seconds: 0.0,
            retry_for: check_retry(required("retry_for", retry_for)?)?,
            guard: Guard {
                percent: Guard::parse_share(required("guard_share", guard_share)?)?,
                rows: Guard::check_rows(required("guard_rows", guard_rows)?)?,
            },
            max_messages_per_second: max_messages_per_second.map(check_rate).transpose()?,
        };
        let events = catalog::definition::parse_events(&required("events", events)?)?;
        definition.publish_only(&events);
        let initial = Initial::parse(required("initial", initial)?)?;
        create(name, required("model", model)?, key, initial, &definition)
    };
    create().map_err(ErrorReport::from)
}

/// The value of an option that is one of some words.
pub fn named<T: FromStr<Err = UnknownNameError>>(word: Option<&str>) -> Result<Option<T>> {
    word.map(str::parse)
        .transpose()
        .map_err(|error: UnknownNameError| Error::invalid(error.to_string()))
}

pub fn required<T>(option: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::invalid(format!("{option} is not given")))
}

/// How long a call waits for another session that creates a sync and has not committed.
const PATIENCE: &str = "10s";
/// Longest name of a sync, in bytes, as of other objects of Postgres.
const MAX_NAME_BYTES: usize = 63;

fn check_name(name: &str) -> Result<&str> {
    match name.len() {
        1..=MAX_NAME_BYTES => Ok(name),
        length => Err(Error::invalid(format!(
            "name has {length} bytes; that of a sync has 1 to {MAX_NAME_BYTES}"
        ))),
    }
}

pub fn check_retry(retry_for: Interval) -> Result<Interval> {
    match retry_for.as_micros() < 0 {
        true => Err(Error::invalid("retry_for is negative")),
        false => Ok(retry_for),
    }
}

fn create(
    name: &str,
    model: &str,
    key: Option<&str>,
    initial: Initial,
    definition: &Definition,
) -> Result<()> {
    let caller = rights::current_user();
    home::check_primary()?;
    check_encoding()?;
    if as_superuser(|| catalog::sync::find(name))?.is_some() {
        return Err(catalog::sync::already_exists(name));
    }
    let id = as_superuser(|| {
        rights::set_locally("lock_timeout", PATIENCE)?;
        tables::ensure_schema()?;
        catalog::sync::next_id()
    })
    .map_err(|error| explain_wait(name, error))?;
    let model_is_ours = model::is_statement(model);
    let model = match model_is_ours {
        true => model::create_view(model, id, caller)?,
        false => find_model(model, caller)?,
    };
    let time_zone: String = sql::value("SELECT pg_catalog.current_setting('TimeZone')", &[])?;
    let tables = Tables::of(id);
    let (columns, key) = as_superuser(|| {
        rights::set_locally("lock_timeout", PATIENCE)?;
        model::check_superuser_model(&model)?;
        let columns = columns::of_model(model.oid)?;
        let key = key::resolve(&key_names(&model, model_is_ours, key)?, &columns)?;
        let sync = Sync {
            id,
            name: name.to_owned(),
            uuid: sql::value("SELECT pg_catalog.gen_random_uuid()::text", &[])?,
            model: model.name.clone(),
            model_is_ours,
            key: key.iter().map(|k| k.column.name.clone()).collect(),
            time_zone: time_zone.clone(),
            version: 1,
            initial,
            paused: false,
        };
        check_definition(&sync, definition, &columns, model.owner)?;
        home::claim()?;
        catalog::sync::insert(&sync)?;
        catalog::definition::insert(id, 1, definition)?;
        tables::create(&tables, &columns, &key, model.owner)?;
        Ok((columns, key))
    })
    .map_err(|error| explain_wait(name, error))?;
    try_model(&model, model_is_ours, &columns, &key, &time_zone)
}

fn explain_wait(name: &str, error: Error) -> Error {
    if error.code != PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE {
        return error;
    }
    Error::new(
        error.code,
        format!("another transaction creates sync \"{name}\", or the database's first one, and has not ended"),
    )
    .hint("Commit soon after sqs_sync_create: until then, such calls wait.")
}

pub fn check_encoding() -> Result<()> {
    let encoding: String = sql::value("SELECT pg_catalog.current_setting('server_encoding')", &[])?;
    match encoding.as_str() {
        "UTF8" => Ok(()),
        other => Err(Error::new(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            format!("sqs_sync needs a database whose encoding is UTF8, not {other}"),
        )),
    }
}

fn find_model(name: &str, caller: Oid) -> Result<Model> {
    // For Postgres 16 and later this is a name that is not found, for 15 an error.
    if name.trim().is_empty() {
        return Err(model::is_no_model());
    }
    let found = catching(|| model::find_locked(name)).map_err(|error| match error.code {
        PgSqlErrorCode::ERRCODE_INVALID_NAME | PgSqlErrorCode::ERRCODE_SYNTAX_ERROR => {
            model::is_no_model()
        }
        _ => error,
    })?;
    let model = found.ok_or_else(|| model::does_not_exist(name).hint(model::WHAT_A_MODEL_IS))?;
    match rights::has_rights_of(caller, model.owner) {
        true => Ok(model),
        false => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of {}", model.name),
        )
        .hint("A sync runs with the rights of its model's owner. Make a view of your own of what you may read, or give the SELECT itself as the model.")),
    }
}

fn key_names(model: &Model, model_is_ours: bool, key: Option<&str>) -> Result<Vec<String>> {
    if let Some(list) = key {
        return key::parse_names("key", list);
    }
    let names = key::primary_key(model.oid)?;
    match names.is_empty() {
        false => Ok(names),
        true => {
            let what = if model_is_ours { "a SELECT" } else { &model.name };
            Err(Error::invalid(format!("key is not given, and {what} has no primary key"))
                .hint("Name the column or columns that identify a row: key => 'a, b'."))
        }
    }
}

/// All that can be known of a definition before it is used. With raised rights.
pub fn check_definition(
    sync: &Sync,
    definition: &Definition,
    columns: &[Column],
    owner: Oid,
) -> Result<()> {
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    compile(sync, definition, &names)?;
    if let Some(order) = &definition.order_by {
        key::parse_order(order, columns)?;
    }
    compare::resolve(definition.compare.as_deref(), columns)?;
    connection::check(&definition.server, owner)
}

/// Reads a row as a run will: a name that only the creator's search_path finds fails here.
fn try_model(
    model: &Model,
    is_ours: bool,
    columns: &[Column],
    key: &[KeyColumn],
    time_zone: &str,
) -> Result<()> {
    let contents = contents_hash(columns.iter().map(|c| c.stored("m")));
    let keys: Vec<String> = key.iter().map(|k| k.column.stored("m")).collect();
    let statement =
        format!("SELECT {contents} FROM {} AS m ORDER BY {} LIMIT 1", model.name, keys.join(", "));
    let read = || {
        rights::as_owner(model.owner, &[("TimeZone", time_zone)], || {
            sql::rows(&statement, &[], |_| Ok(())).map(|_| ())
        })
    };
    catching(read).map_err(|error| {
        if error.is_cancel() {
            return error;
        }
        let hint = error.is_undefined_name().then(|| {
            "A run reads the model with its owner's rights and the search_path pg_catalog: qualify the names in the functions that it calls.".to_owned()
        });
        // What was made of a SELECT goes with this error: its name says nothing.
        let what = if is_ours { "model".to_owned() } else { format!("model {}", model.name) };
        let message = format!("{what} cannot be read: {}", error.message);
        Error { message, hint: hint.or(error.hint), ..error }
    })
}

#[pg_extern(sql = false)]
fn sqs_sync_drop(name: &str) -> Answer<()> {
    let drop = || {
        let Own { sync, tables, .. } = own_sync(name)?;
        as_superuser(|| {
            catalog::run::hold_queued(sync.id)?;
            if let Some(run) = catalog::run::active(sync.id)? {
                return Err(Error::new(
                    PgSqlErrorCode::ERRCODE_OBJECT_IN_USE,
                    format!("run {} of sync \"{name}\" is under way", run.id),
                )
                .hint(format!("Cancel it first by SELECT sqs_sync_cancel({}).", run.id)));
            }
            tables::drop(&tables)?;
            if sync.model_is_ours {
                sql::execute(&format!("DROP VIEW IF EXISTS {}", sync.model), &[])?;
            }
            catalog::sync::delete(sync.id)
        })
    };
    drop().map_err(ErrorReport::from)
}

#[pg_extern(sql = false)]
fn sqs_sync_pause(name: &str) -> Answer<()> {
    set_paused(name, true).map_err(ErrorReport::from)
}

#[pg_extern(sql = false)]
fn sqs_sync_resume(name: &str) -> Answer<()> {
    set_paused(name, false).map_err(ErrorReport::from)
}

fn set_paused(name: &str, paused: bool) -> Result<()> {
    let own = own_sync(name)?;
    as_superuser(|| catalog::sync::set_paused(own.sync.id, paused))?;
    if !paused {
        crate::pg::commit::at_commit(crate::pg::commit::AtCommit::WakeWorker);
    }
    Ok(())
}
