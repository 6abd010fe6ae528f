//! What a diff compares, found before it is compared: the model, its columns against those of
//! the snapshot, the key and the order. A run and a preview look by the same rules.

use message::Event;
use pgrx::PgSqlErrorCode;

use super::job;
use super::owned::Owned;
use crate::catalog::{Definition, Initial};
use crate::changes::columns::{self, Column};
use crate::changes::compare;
use crate::changes::diff::Subject;
use crate::changes::key::{self, KeyColumn, Order};
use crate::changes::layout::Layout;
use crate::changes::model::{self, Model};
use crate::changes::tables::{self, Tables};
use crate::changes::told::Told;
use crate::pg::transaction::with_latest_snapshot;
use crate::pg::{Error, Result};

/// A model that can be compared.
pub struct Inspected {
    pub model: Model,
    pub layout: Layout,
    /// The columns that the tables will have, in the order of the row hash.
    pub columns: Vec<Column>,
    /// Those of them that make a row changed.
    pub compared: Vec<Column>,
    pub key: Vec<KeyColumn>,
    pub order: Vec<Order>,
}

impl Inspected {
    pub fn subject<'a>(&'a self, tables: &'a Tables, told: Told<'a>) -> Subject<'a> {
        Subject {
            model: &self.model.name,
            tables,
            columns: &self.columns,
            compared: &self.compared,
            key: &self.key,
            order: &self.order,
            told,
        }
    }
}

/// Finds what a diff compares; the inner error holds the run. With raised rights.
pub fn inspect(
    owned: &Owned,
    definition: &Definition,
) -> Result<std::result::Result<Inspected, Error>> {
    match find(owned)? {
        Ok((model, layout)) => {
            with_latest_snapshot(|| resolve(owned, definition, model, layout)).map(Ok)
        }
        Err(held) => Ok(Err(held)),
    }
}

/// Finds the model, locks it against changes of its definition, and lays its columns over those
/// of the snapshot; the inner error holds the run. With raised rights.
pub fn find(owned: &Owned) -> Result<std::result::Result<(Model, Layout), Error>> {
    let name = &owned.sync.model;
    let model = model::find_locked(name)?.ok_or_else(|| {
        let hint = "Create the view again, with the same owner, or drop the sync by sqs_sync_drop.";
        Error { message: format!("the model {name} does not exist"), ..model::does_not_exist(name) }
            .in_sync(&owned.sync.name)
            .hint(hint)
    })?;
    // Everything else is looked at as it is since the lock.
    with_latest_snapshot(|| {
        if model.owner != owned.owner {
            return Ok(Err(other_owner(owned, &model)?));
        }
        model::check_superuser_model(&model)?;
        let columns = columns::of_model(model.oid)?;
        Ok(match Layout::of(&columns, &tables::kept_columns(&owned.tables.snapshot)?) {
            Ok(layout) => Ok((model, layout)),
            Err(held) => Err(held.in_sync(&owned.sync.name)),
        })
    })
}

fn other_owner(owned: &Owned, model: &Model) -> Result<Error> {
    let (was, is) = (model::role_name(owned.owner)?, model::role_name(model.owner)?);
    Ok(Error::not_in_state(format!("the model {} belongs to {is}, not to {was}", model.name))
        .in_sync(&owned.sync.name)
        .hint(format!("A sync runs with the rights of its model's owner: ALTER … OWNER TO {was}, and let this run go on by sqs_sync_approve, or end it by sqs_sync_discard; or drop the sync and create it again.")))
}

/// The key, the order and the message must still be possible with the model's columns. With
/// raised rights.
pub fn resolve(
    owned: &Owned,
    definition: &Definition,
    model: Model,
    layout: Layout,
) -> Result<Inspected> {
    let in_sync = |error: Error| error.in_sync(&owned.sync.name);
    let columns = layout.columns();
    let key = key::resolve(&owned.sync.key, &columns).map_err(in_sync)?;
    let order = match &definition.order_by {
        Some(order) => key::parse_order(order, &columns).map_err(in_sync)?,
        None => Vec::new(),
    };
    let compared = compare::resolve(definition.compare.as_deref(), &columns).map_err(in_sync)?;
    job::compile(&owned.sync, definition, &columns::names(&columns))?;
    Ok(Inspected { model, layout, columns, compared, key, order })
}

/// The events of which a message is due; of the others the snapshot is told silently.
pub fn due(owned: &Owned, definition: &Definition, initial_done: bool) -> Vec<Event> {
    if skips(owned, initial_done) { Vec::new() } else { definition.published() }
}

/// Whether a run takes all that it finds as told.
pub fn skips(owned: &Owned, initial_done: bool) -> bool {
    !initial_done && owned.sync.initial == Initial::Skip
}

/// An error of the model's own query says which model.
pub fn explain(owned: &Owned, error: Error) -> Error {
    if error.is_cancel() {
        return error;
    }
    let message =
        format!("model {} of sync \"{}\": {}", owned.sync.model, owned.sync.name, error.message);
    // As Postgres says it, with or without a code of its own.
    let is_too_large = ["invalid memory alloc request size", "tuple is too big"];
    if is_too_large.iter().any(|words| error.message.starts_with(words)) {
        return Error::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
            .hint("A value, or a row that the model computes, has a gigabyte or more: leave it out, or shorten it.");
    }
    let hint = "The model is read with its owner's rights and the search_path pg_catalog. Mend its query, and run the sync again.";
    Error { message, hint: error.hint.or_else(|| Some(hint.to_owned())), ..error }
}
