//! `condition`: which rows of an event are published, by a SQL expression of the owner's. It sees
//! the row's columns by their names, and those of the row as it was last told as `old.column`,
//! in the form in which the snapshot keeps them. Of a removed row both are the row as it was last
//! told; of an added one `old` is null throughout.

use message::PerEvent;
use pgrx::PgSqlErrorCode;

use super::columns::Column;
use crate::pg::error::catching;
use crate::pg::{Error, Result, sql, types};

/// The longest condition, in bytes: as of a template.
const MAX_BYTES: usize = 64 << 10;

/// The conditions of a definition, by event.
pub type Conditions = PerEvent<Option<String>>;

/// A boolean in SQL: whether the condition holds. `row` and `old` give the SQL of a column's
/// value, by its place, and `each` some value of the row: a condition that names no column must
/// still be asked for each.
///
/// It stands in a WHERE of its own, where Postgres allows neither aggregates nor sets, and wants
/// a boolean; in a scope of its own, so that a name is the row's before it is anything else.
pub fn holds(
    condition: &str,
    columns: &[Column],
    each: &str,
    row: impl Fn(usize) -> String,
    old: impl Fn(usize) -> String,
) -> String {
    let named = |value: &dyn Fn(usize) -> String| -> String {
        let values: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(i, column)| format!("{} AS {}", value(i), column.quoted()))
            .collect();
        values.join(", ")
    };
    format!(
        "EXISTS (SELECT FROM (SELECT {}) AS old \
           WHERE EXISTS (SELECT FROM (SELECT {}) AS \"row\" \
             WHERE pg_catalog.num_nulls({each}) >= 0 AND ({condition}\n)))",
        named(&old),
        named(&row),
    )
}

/// Refuses a condition that is not one expression, or that does not hold with the model's
/// columns. Run as the owner, who alone may read what it names.
pub fn check(condition: &str, columns: &[Column]) -> Result<()> {
    if condition.len() > MAX_BYTES {
        let message =
            format!("condition has {} bytes, more than the limit of {MAX_BYTES}", condition.len());
        return Err(Error::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
            .hint("Put it into the model, as a column of it that the condition names."));
    }
    let is_empty = condition.trim().is_empty();
    if is_empty || !catching(|| Ok(types::is_one_expression(condition))).map_err(explain)? {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_SYNTAX_ERROR,
            "condition is not one SQL expression",
        )
        .hint(
            "It is what could stand in a WHERE: condition => 'total > 100 AND old.state <> state'.",
        ));
    }
    let nothing = |i: usize| format!("NULL::{}{}", columns[i].storage, columns[i].collate);
    let statement =
        format!("SELECT {} LIMIT 0", holds(condition, columns, "NULL", nothing, nothing));
    catching(|| sql::rows(&statement, &[], |_| Ok(()))).map(|_| ()).map_err(explain)
}

/// An error that comes of a condition says so.
pub fn explain(error: Error) -> Error {
    if error.is_cancel() || error.is_passing() {
        return error;
    }
    let hint = "A condition runs with the rights of the model's owner and the search_path pg_catalog: qualify the names of tables and functions of yours. A column is the row's, old.column what was told of it last.";
    Error {
        // The AND is ours.
        message: format!("condition: {}", error.message.replace("argument of AND", "it")),
        hint: error.hint.or_else(|| Some(hint.to_owned())),
        ..error
    }
}
