//! What the names of a template mean, settled when it is compiled: a name that means nothing is an
//! error then, and at render there is nothing left to look up.

use std::borrow::Cow;

use super::parse::Term;
use crate::change::{Change, Event};
use crate::error::{Fault, Rejection};
use crate::json;
use crate::names::{Names, suggestion};
use crate::object::ColumnObject;
use crate::output::Output;
use crate::value::Value;

/// The names that a path may begin with.
const ROOTS: [&str; 9] =
    ["row", "old", "key", "event", "changed_columns", "change", "sync", "run", "now"];

/// A value that an output or a condition uses.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value<'static>),
    /// `empty`, which texts, arrays and objects with nothing in them are equal to.
    Empty,
    /// `blank`, which `nil`, `false`, blank texts and what is `empty` are equal to.
    Blank,
    Column {
        name: String,
        column: usize,
    },
    /// A column of the row before the change; `nil` where there is none.
    OldColumn {
        name: String,
        column: usize,
    },
    /// A key of several columns.
    Key(ColumnObject),
    Event,
    /// The names of a changed row's columns that are not as they were: all the model's columns.
    ChangedColumns(Vec<String>),
    ChangeId,
    RunId,
    RunStartedAt,
}

impl Operand {
    /// Gives a term its meaning.
    pub fn resolve(term: Term, names: Names<'_>) -> Result<Operand, Fault> {
        Ok(match term {
            Term::Nil => Operand::Literal(Value::Null),
            Term::Empty => Operand::Empty,
            Term::Blank => Operand::Blank,
            Term::Bool(b) => Operand::Literal(Value::Bool(b)),
            Term::Number(digits) => Operand::Literal(Value::Number(Cow::Owned(digits))),
            Term::Text(text) => Operand::Literal(Value::Text(Cow::Owned(text))),
            Term::Path(path) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                Operand::resolve_path(&path, names)?
            }
        })
    }

    fn resolve_path(path: &[&str], names: Names<'_>) -> Result<Operand, Fault> {
        match path {
            ["row", name] => Ok(column(name, names.column(name)?)),
            ["event"] => Ok(Operand::Event),
            ["old", name] => {
                let column = names.old_column(name)?;
                Ok(Operand::OldColumn { name: (*name).to_owned(), column })
            }
            ["changed_columns"] => {
                names.use_all();
                Ok(Operand::ChangedColumns(names.columns.to_vec()))
            }
            ["change", "id"] => Ok(Operand::ChangeId),
            ["sync", "name"] => {
                Ok(Operand::Literal(Value::Text(Cow::Owned(names.sync_name.to_owned()))))
            }
            ["run", "id"] => Ok(Operand::RunId),
            ["run", "started_at"] | ["now"] => Ok(Operand::RunStartedAt),
            ["key"] => key(names),
            ["key", name] => Ok(column(name, names.key_column(name)?)),
            ["row" | "old" | "key", _, _, ..] => {
                Err(Fault::not_supported("looking into a column's value"))
            }
            ["changed_columns", ..] => Err(Fault::not_supported("looking into changed_columns")),
            [whole @ ("row" | "old")] => Err(Fault::not_supported(&format!("{whole} as a whole"))),
            ["change", ..] => Err(Fault::invalid("change has nothing but id")
                .with_hint("Write change.id.".to_owned())),
            ["sync", ..] => Err(Fault::invalid("sync has nothing but name")
                .with_hint("Write sync.name.".to_owned())),
            ["run", ..] => Err(Fault::invalid("run has nothing but id and started_at")
                .with_hint("Write run.id or run.started_at.".to_owned())),
            [root @ ("event" | "now"), ..] => {
                Err(Fault::invalid(format!("{root} is a text, with nothing in it")))
            }
            [root, ..] => Err(unknown(root, names)),
            [] => Err(Fault::invalid("a name is missing")),
        }
    }

    /// The value for a change.
    ///
    /// # Errors
    ///
    /// `message_too_long`, for a key or names that are.
    pub fn value<'a>(&'a self, change: &Change<'a>) -> Result<Value<'a>, Rejection> {
        Ok(match self {
            Operand::Literal(value) => value.borrowed(),
            Operand::Empty | Operand::Blank => Value::Text(Cow::Borrowed("")),
            Operand::Column { column, .. } => {
                change.row.get(*column).map_or(Value::Null, Value::borrowed)
            }
            Operand::Key(columns) => {
                let mut out = Output::default();
                columns.push(&mut out, change.row)?;
                Value::Json(Cow::Owned(out.into_string()))
            }
            Operand::OldColumn { column, .. } => {
                let old = change.before().and_then(|old| old.get(*column));
                old.map_or(Value::Null, Value::borrowed)
            }
            Operand::Event => Value::Text(Cow::Borrowed(change.event.as_str())),
            Operand::ChangedColumns(names) => {
                let mut out = Output::default();
                push_changed(&mut out, names, change)?;
                Value::Json(Cow::Owned(out.into_string()))
            }
            Operand::ChangeId => Value::Number(Cow::Owned(change.id.to_string())),
            Operand::RunId => Value::Number(Cow::Owned(change.run.id.to_string())),
            Operand::RunStartedAt => Value::Text(Cow::Borrowed(change.run.started_at)),
        })
    }

    /// What it is, for a rejection.
    pub fn label(&self) -> String {
        match self {
            Operand::Literal(_) | Operand::Empty | Operand::Blank => "a literal".to_owned(),
            Operand::Column { name, .. } => format!("column {name:?}"),
            Operand::OldColumn { name, .. } => format!("column {name:?} of old"),
            Operand::Key(_) => "key".to_owned(),
            Operand::Event => "event".to_owned(),
            Operand::ChangedColumns(_) => "changed_columns".to_owned(),
            Operand::ChangeId => "change.id".to_owned(),
            Operand::RunId => "run.id".to_owned(),
            Operand::RunStartedAt => "run.started_at".to_owned(),
        }
    }
}

/// Writes the array of the names of the columns that a changed row does not have as before: by
/// representation, so that `1.0` and `1.00` differ. Of other rows it is empty.
fn push_changed(out: &mut Output, names: &[String], change: &Change<'_>) -> Result<(), Rejection> {
    let old = if change.event == Event::Changed { change.old } else { None };
    let pairs = change.row.iter().zip(old.unwrap_or_default());
    let mut separator = "[";
    for (name, _) in names.iter().zip(pairs).filter(|(_, (new, old))| new != old) {
        out.push(separator)?;
        json::push_string(out, name)?;
        separator = ",";
    }
    out.push(if separator == "[" { "[]" } else { "]" })
}

fn column(name: &str, column: usize) -> Operand {
    Operand::Column { name: name.to_owned(), column }
}

/// The value of a key of one column, the object of a key of several.
fn key(names: Names<'_>) -> Result<Operand, Fault> {
    match names.key {
        [] => Err(Fault::invalid("the sync has no key")),
        [name] => Ok(column(name, names.column(name)?)),
        _ => Ok(Operand::Key(ColumnObject::of_key(names)?)),
    }
}

fn unknown(root: &str, names: Names<'_>) -> Fault {
    let hint = if names.columns.iter().any(|column| column == root) {
        Some(format!("Write row.{root} for the column."))
    } else {
        suggestion(root, &ROOTS)
    };
    Fault::invalid(format!("unknown name {root:?}")).with_hint(hint)
}
