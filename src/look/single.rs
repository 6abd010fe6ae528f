//! One row of the model, found by its key, as it would be sent whatever the queue has been told:
//! `sqs_sync_render`.

use message::Event;
use pgrx::PgSqlErrorCode;

use super::given::Key;
use super::shown::Shown;
use super::sight::Sight;
use crate::changes::columns::Column;
use crate::changes::diff::{MAKE_UNIQUE, key_json};
use crate::changes::key;
use crate::changes::reading::take_key;
use crate::pg::error::shown;
use crate::pg::kept::{KEPT, Kept};
use crate::pg::rows::{self, ChangeRow, Limit};
use crate::pg::{Error, Result, rights};
use crate::run::owned::Owned;
use crate::run::rendering::Refused;

/// The row of this key, as it would be sent for `event`.
pub fn render(owned: Owned, key: &str, event: Option<Event>) -> Result<Shown> {
    show(&Sight::of(owned)?, Some(key), event)
}

/// The row of this key, or the first one of the model; as `added`, if that is published and no
/// other event is asked for. (The order of events is that of what is told.)
pub fn show(sight: &Sight, key: Option<&str>, event: Option<Event>) -> Result<Shown> {
    let event =
        event.or_else(|| sight.definition.published().first().copied()).unwrap_or(Event::Added);
    let key = key.map(|text| Key::parse(&sight.owned, text)).transpose()?;
    let mut found = in_model(sight, key.as_ref())?;
    let is_unique = found.len() < 2;
    let row = match (found.pop(), &key, event) {
        (Some(row), ..) => row,
        (None, Some(key), Event::Removed) => {
            told(sight, key)?.ok_or_else(|| missing(sight, Some(key)))?
        }
        (None, key, _) => return Err(missing(sight, key.as_ref())),
    };
    let Row { mut change, key, is_told } = row;
    if !is_told {
        change.old = None;
    }
    // What was told last is what a removal would tell.
    if event == Event::Removed {
        change.values = change.old.take().unwrap_or(change.values);
    }
    change.event = event.as_str().to_owned();
    let mut shown = Shown::of(change, key, &sight.columns, &sight.definitions, &sight.origin);
    if !is_unique {
        shown.message = Err(Refused::new(
            "duplicate_key",
            "the key is not unique: several rows of the model have it",
            Some(MAKE_UNIQUE.to_owned()),
        ));
        shown.dedup_id = None;
    }
    Ok(shown)
}

/// A row, and whether the queue has been told of its key.
struct Row {
    change: ChangeRow,
    key: String,
    is_told: bool,
}

impl Row {
    fn of(mut change: ChangeRow) -> Result<Row> {
        let key = take_key(&mut change)?;
        let is_told = change.event == TOLD;
        Ok(Row { change, key, is_told })
    }
}

/// What says in a row's event that the queue has been told of it.
const TOLD: &str = "told";

/// The rows of the model that have this key, two at most; without one the model's first row.
fn in_model(sight: &Sight, key: Option<&Key>) -> Result<Vec<Row>> {
    let subject = sight.subject();
    let key_of_model: Vec<String> = subject.key.iter().map(|k| k.column.stored("m")).collect();
    let rest = match key {
        Some(key) => {
            let same_key = key::equal(
                subject.key,
                |i| key_of_model[i].clone(),
                |i| format!("k.{}", subject.key[i].column.quoted()),
            );
            format!(", {} WHERE {same_key} LIMIT 2", key.relation(&sight.owned))
        }
        None => format!(" ORDER BY {} LIMIT 1", key_of_model.join(", ")),
    };
    let kept = keep(sight, &rest)?;
    let positions = subject.key_positions();
    let same_key = key::equal(
        subject.key,
        |i| format!("m.c{}", positions[i]),
        |i| format!("s.{}", subject.key[i].column.quoted()),
    );
    let statement = format!(
        "SELECT 0::pg_catalog.int8, CASE WHEN s.sqs_sync_hash IS NULL THEN 'untold' ELSE '{TOLD}' END, \
                {}, {}, {} FROM {KEPT} AS m LEFT JOIN {} ON {same_key}",
        subject.numbered_columns("m"),
        subject.key_of("m"),
        told_columns(subject.columns),
        subject.told_as("s"),
    );
    let rows = read_kept(sight, &kept, &statement, NO_LIMIT)?;
    kept.close();
    rows.into_iter().map(Row::of).collect()
}

/// What the queue has been told of this key.
fn told(sight: &Sight, key: &Key) -> Result<Option<Row>> {
    let subject = sight.subject();
    let same_key = key::equal(
        subject.key,
        |i| format!("s.{}", subject.key[i].column.quoted()),
        |i| format!("k.{}", subject.key[i].column.quoted()),
    );
    let statement = format!(
        "SELECT 0::pg_catalog.int8, '{TOLD}'::pg_catalog.text, {0}, {1}, {0} FROM {2}, {3} WHERE {same_key}",
        told_columns(subject.columns),
        key_json(subject.key, |i| format!("s.{}", subject.key[i].column.quoted())),
        subject.told_as("s"),
        key.relation(&sight.owned),
    );
    let rows = sight.owned.as_owner(|| {
        rights::pin_output();
        rows::read_changes(&statement, &[], subject.columns.len() + 1, NO_LIMIT)
    })?;
    rows.into_iter().next().map(Row::of).transpose()
}

/// Rows of the model as it is now, at most so many, each with its key, and with itself as what was
/// told: a sample. (What has no key is no message's.)
pub fn sample(sight: &Sight, limit: Limit) -> Result<Vec<(ChangeRow, String)>> {
    let subject = sight.subject();
    let has_key: Vec<String> =
        subject.key.iter().map(|k| format!("{} IS NOT NULL", k.column.stored("m"))).collect();
    let rest = format!(" WHERE {} LIMIT {}", has_key.join(" AND "), limit.rows);
    let kept = keep(sight, &rest)?;
    let statement = format!(
        "SELECT 0::pg_catalog.int8, 'added'::pg_catalog.text, {}, {} FROM {KEPT} AS m",
        subject.numbered_columns("m"),
        subject.key_of("m"),
    );
    let rows = read_kept(sight, &kept, &statement, limit)?;
    kept.close();
    rows.into_iter()
        .map(|mut row| {
            let key = take_key(&mut row)?;
            row.old = Some(row.values.clone());
            Ok((row, key))
        })
        .collect()
}

/// Reads some rows of the model, and keeps them as `c1` and so on.
fn keep(sight: &Sight, rest: &str) -> Result<Kept> {
    let subject = sight.subject();
    let stored: Vec<String> = subject
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| format!("{} AS c{}", c.stored("m"), i + 1))
        .collect();
    let statement = format!("SELECT {} FROM {} AS m{rest}", stored.join(", "), subject.model);
    sight.reading_model(|| Kept::of(&statement))
}

fn read_kept(sight: &Sight, kept: &Kept, statement: &str, limit: Limit) -> Result<Vec<ChangeRow>> {
    let columns = sight.inspected.columns.len() + 1;
    sight.owned.as_owner(|| {
        rights::pin_output();
        kept.with_relation(|client| rows::read_changes_by(client, statement, &[], columns, limit))
    })
}

/// Two rows at most are there.
const NO_LIMIT: Limit = Limit { rows: 2, bytes: usize::MAX };

fn told_columns(columns: &[Column]) -> String {
    columns.iter().map(|c| format!("s.{}", c.quoted())).collect::<Vec<_>>().join(", ")
}

fn missing(sight: &Sight, key: Option<&Key>) -> Error {
    let message = match key {
        Some(key) => {
            format!(
                "model {} has no row with the key {}",
                sight.owned.sync.model,
                shown(&key.given)
            )
        }
        None => format!("model {} has no rows", sight.owned.sync.model),
    };
    let error =
        Error::new(PgSqlErrorCode::ERRCODE_NO_DATA_FOUND, message).in_sync(&sight.owned.sync.name);
    match key {
        Some(_) => error
            .hint("Of a row that the model no longer has, event => 'removed' shows what is told."),
        None => error,
    }
}
