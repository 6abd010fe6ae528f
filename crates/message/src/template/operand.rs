//! What the names of a template mean, settled when it is compiled: a name that means nothing is an
//! error then, and at render there is nothing left to look up.

use std::borrow::Cow;

use super::parse::Term;
use crate::error::{Fault, Rejection};
use crate::names::{Names, suggestion};
use crate::object::ColumnObject;
use crate::output::Output;
use crate::value::{Change, Value};

/// Names that templates have by design, but not yet.
const LATER: [&str; 5] = ["old", "changed_columns", "sync", "run", "now"];

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
    /// A key of several columns.
    Key(ColumnObject),
    Event,
    ChangeId,
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
            ["change", "id"] => Ok(Operand::ChangeId),
            ["key"] => key(names),
            ["key", name] => Ok(column(name, names.key_column(name)?)),
            ["row", _, _, ..] | ["key", _, _, ..] => {
                Err(Fault::not_supported("looking into a column's value"))
            }
            ["row"] => Err(Fault::not_supported("row as a whole")),
            ["change", ..] => Err(Fault::invalid("change has nothing but id")
                .with_hint("Write change.id.".to_owned())),
            [root, ..] if LATER.contains(root) => Err(Fault::not_supported(root)),
            [root, ..] => Err(unknown(root, names)),
            [] => Err(Fault::invalid("a name is missing")),
        }
    }

    /// The value for a change.
    ///
    /// # Errors
    ///
    /// `message_too_long`, for a key that is.
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
            Operand::Event => Value::Text(Cow::Borrowed(change.event.as_str())),
            Operand::ChangeId => Value::Number(Cow::Owned(change.id.to_string())),
        })
    }

    /// What it is, for a rejection.
    pub fn label(&self) -> String {
        match self {
            Operand::Literal(_) | Operand::Empty | Operand::Blank => "a literal".to_owned(),
            Operand::Column { name, .. } => format!("column {name:?}"),
            Operand::Key(_) => "key".to_owned(),
            Operand::Event => "event".to_owned(),
            Operand::ChangeId => "change.id".to_owned(),
        }
    }
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
        suggestion(root, &["row", "key", "event", "change"])
    };
    Fault::invalid(format!("unknown name {root:?}")).with_hint(hint)
}
