//! The names that a template begins with, and what each has: a name that means nothing is an error
//! when it is compiled.

use super::operand::{Literal, Operand, Record, Segment};
use crate::error::Fault;
use crate::names::{Names, suggestion};

/// The names that a path may begin with.
const ROOTS: [&str; 9] =
    ["row", "old", "key", "event", "changed_columns", "change", "sync", "run", "now"];

/// What a name means beside a variable of the same name, if it means anything.
pub(super) fn beside_variable(
    root: &str,
    segments: &[Segment],
    names: Names<'_>,
) -> Option<Operand> {
    // A column that there is not is no mistake here, so that no other need be suggested, which is
    // slow.
    let is_column = match (root, segments.first()) {
        ("row" | "old" | "key", Some(Segment::Field(name) | Segment::Name(name))) => {
            names.columns.iter().any(|column| column == name)
        }
        _ => true,
    };
    let is_root = ROOTS.contains(&root) && is_column;
    if is_root { resolve(root, segments.to_vec(), names).ok() } else { None }
}

/// Gives a name, and what is looked up in it, its meaning.
pub(super) fn resolve(
    root: &str,
    mut segments: Vec<Segment>,
    names: Names<'_>,
) -> Result<Operand, Fault> {
    let first = match segments.first() {
        Some(Segment::Field(name) | Segment::Name(name)) => Some(name.clone()),
        _ => None,
    };
    let operand = match (root, first.as_deref()) {
        ("row", Some(name)) => column(name, names.column(name)?),
        ("old", Some(name)) => {
            Operand::OldColumn { name: name.to_owned(), column: names.old_column(name)? }
        }
        ("key", Some(name)) => column(name, names.key_column(name)?),
        ("change", Some("id")) => Operand::ChangeId,
        ("sync", Some("name")) => Operand::Literal(Literal::Text(names.sync_name.to_owned())),
        ("run", Some("id")) => Operand::RunId,
        ("run", Some("started_at")) => Operand::RunStartedAt,
        _ => return resolve_whole(root, segments, names),
    };
    segments.remove(0);
    Ok(operand.looked_into(segments))
}

/// A name as a whole, or something in it that is only known when there is a row.
fn resolve_whole(root: &str, segments: Vec<Segment>, names: Names<'_>) -> Result<Operand, Fault> {
    let operand = match root {
        "row" => Operand::Record(record("row", names.columns, names)?),
        "old" => {
            names.columns.iter().try_for_each(|name| names.old_column(name).map(|_| ()))?;
            Operand::Record(record("old", names.columns, names)?)
        }
        "key" => key(names)?,
        "changed_columns" => {
            names.use_all();
            Operand::ChangedColumns(names.columns.to_vec())
        }
        "event" => Operand::Event,
        "now" => Operand::RunStartedAt,
        "change" => return Err(nothing_but("change", &["id"])),
        "sync" => return Err(nothing_but("sync", &["name"])),
        "run" => return Err(nothing_but("run", &["id", "started_at"])),
        _ => return Err(unknown(root, names)),
    };
    if let (Operand::Record(_), Some(Segment::Index(_))) = (&operand, segments.first()) {
        return Err(Fault::invalid(format!("{root} has names, and no places"))
            .with_hint(format!("Write {root}.column, or {root}[\"a column\"].")));
    }
    if let ("event" | "now", Some(segment)) = (root, segments.first())
        && !matches!(segment, Segment::Field(name) if name == "size")
    {
        return Err(Fault::invalid(format!("{root} is a text, with nothing in it")));
    }
    Ok(operand.looked_into(segments))
}

fn nothing_but(root: &str, has: &[&str]) -> Fault {
    let write = has.iter().map(|name| format!("{root}.{name}")).collect::<Vec<_>>().join(" or ");
    Fault::invalid(format!("{root} has nothing but {}", has.join(" and ")))
        .with_hint(format!("Write {write}."))
}

fn column(name: &str, column: usize) -> Operand {
    Operand::Column { name: name.to_owned(), column }
}

fn record(root: &'static str, columns: &[String], names: Names<'_>) -> Result<Record, Fault> {
    let columns = columns.iter().map(|name| Ok((name.clone(), names.column(name)?)));
    Ok(Record { root, columns: columns.collect::<Result<_, Fault>>()? })
}

/// The value of a key of one column, the object of a key of several.
fn key(names: Names<'_>) -> Result<Operand, Fault> {
    match names.key {
        [] => Err(Fault::invalid("the sync has no key")),
        [name] => Ok(column(name, names.column(name)?)),
        several => Ok(Operand::Record(record("key", several, names)?)),
    }
}

/// For the conformance suite, whose templates see the columns without `row` and any other name as
/// `nil`.
pub(super) fn resolve_lax(root: &str, segments: Vec<Segment>, names: Names<'_>) -> Operand {
    match names.columns.iter().position(|column| column == root) {
        Some(place) => column(root, place).looked_into(segments),
        None => Operand::nil().looked_into(segments),
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
