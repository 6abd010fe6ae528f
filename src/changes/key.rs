//! The key and the order of a model: lists of columns as users write them.

use std::collections::HashSet;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use super::columns::Column;
use crate::pg::error::shown;
use crate::pg::sql;
use crate::pg::{Error, Result, types};

/// Longest key, in bytes, that the snapshot's index can hold beside the hash.
pub const MAX_KEY_BYTES: i32 = 2600;

/// A column of the key, with the operator by which keys are equal.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    pub column: Column,
    /// `OPERATOR(schema.=)`: that of the type's default btree operator class, by name.
    pub equals: String,
}

/// The names in a list such as `a, "B c"`, as Postgres folds and unquotes them.
pub fn parse_names(option: &str, list: &str) -> Result<Vec<String>> {
    let names = types::split_identifiers(list)
        .filter(|names| !names.is_empty())
        .ok_or_else(|| malformed(option, list))?;
    let mut seen = HashSet::with_capacity(names.len());
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(appears_twice(option, name)),
        None => Ok(names),
    }
}

fn appears_twice(option: &str, column: &str) -> Error {
    Error::invalid(format!("column \"{column}\" appears twice in {option}"))
}

fn malformed(option: &str, list: &str) -> Error {
    let mut hint =
        "Separate columns by commas, and put a name that is not all lower case in double quotes."
            .to_owned();
    if option == "order_by" {
        hint += " Each may be followed by asc or desc, and by nulls first or nulls last.";
    }
    Error::invalid(format!("{option} is not a list of columns: \"{}\"", shown(list))).hint(hint)
}

/// Columns of a relation's primary key, in order; none if it has no such key.
pub fn primary_key(relation: Oid) -> Result<Vec<String>> {
    sql::rows(
        "SELECT a.attname::text \
         FROM pg_catalog.pg_index i \
         CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
         WHERE i.indrelid = $1 AND i.indisprimary AND k.n <= i.indnkeyatts ORDER BY k.n",
        &[relation.into()],
        |row| row.need(1),
    )
}

pub fn find_column<'a>(option: &str, name: &str, columns: &'a [Column]) -> Result<&'a Column> {
    columns.iter().find(|c| c.name == name).ok_or_else(|| {
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        Error::new(
            PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
            format!("column \"{name}\" of {option} does not exist in the model"),
        )
        .hint(format!("The model's columns are: {}.", names.join(", ")))
    })
}

/// The key's columns, each of a type whose values can be compared.
pub fn resolve(names: &[String], columns: &[Column]) -> Result<Vec<KeyColumn>> {
    names
        .iter()
        .map(|name| {
            let column = find_column("key", name, columns)?;
            let operator = types::btree_equality(column.storage_oid).ok_or_else(|| {
                Error::new(
                    PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION,
                    format!(
                        "key column \"{name}\" has the type {}, whose values cannot be compared",
                        column.storage
                    ),
                )
                .hint("A key's type needs a btree operator class: cast the column in a view, for example to text.")
            })?;
            Ok(KeyColumn { column: column.clone(), equals: operator_name(operator)? })
        })
        .collect()
}

fn operator_name(operator: Oid) -> Result<String> {
    sql::value(
        "SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) \
         FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace \
         WHERE o.oid = $1",
        &[operator.into()],
    )
}

/// `left` and `right` have the same key: a condition in SQL.
pub fn equal(
    key: &[KeyColumn],
    left: impl Fn(usize) -> String,
    right: impl Fn(usize) -> String,
) -> String {
    let conditions: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(i, k)| format!("{} {} {}", left(i), k.equals, right(i)))
        .collect();
    conditions.join(" AND ")
}

/// One column of `order_by`.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub column: String,
    /// What follows the column: `ASC` or `DESC`, and where nulls go.
    pub direction: &'static str,
}

/// Reads `order_by`: columns, each with `asc` or `desc` and `nulls first` or `nulls last`.
pub fn parse_order(list: &str, columns: &[Column]) -> Result<Vec<Order>> {
    let mut order: Vec<Order> = Vec::new();
    for item in split_at_commas(list) {
        let (name, direction) =
            split_direction(item.trim()).ok_or_else(|| malformed("order_by", list))?;
        let names = types::split_identifiers(name).unwrap_or_default();
        let [name] = names.as_slice() else { return Err(malformed("order_by", list)) };
        let column = find_column("order_by", name, columns)?;
        if types::btree_equality(column.storage_oid).is_none() {
            return Err(Error::invalid(format!(
                "column \"{name}\" of order_by has the type {}, which has no order",
                column.storage
            ))
            .hint("Leave it out, or cast it in a view."));
        }
        if order.iter().any(|before| before.column == *name) {
            return Err(appears_twice("order_by", name));
        }
        order.push(Order { column: name.clone(), direction });
    }
    Ok(order)
}

fn split_at_commas(list: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut in_quotes = false;
    for c in list.chars() {
        in_quotes ^= c == '"';
        match items.last_mut() {
            _ if c == ',' && !in_quotes => items.push(String::new()),
            Some(item) => item.push(c),
            None => {}
        }
    }
    items
}

/// Takes the words after the column off its end.
fn split_direction(item: &str) -> Option<(&str, &'static str)> {
    let (item, nulls) = match (strip_words(item, "nulls first"), strip_words(item, "nulls last")) {
        (Some(rest), _) => (rest, Some(true)),
        (_, Some(rest)) => (rest, Some(false)),
        _ => (item, None),
    };
    let (item, descending) = match (strip_words(item, "desc"), strip_words(item, "asc")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => (item, false),
    };
    let direction = match (descending, nulls.unwrap_or(descending)) {
        (false, false) => "ASC NULLS LAST",
        (false, true) => "ASC NULLS FIRST",
        (true, true) => "DESC NULLS FIRST",
        (true, false) => "DESC NULLS LAST",
    };
    (!item.is_empty()).then_some((item, direction))
}

/// What stands before these words at the end of `text`, whatever their case.
fn strip_words<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let mut rest = text.trim_end();
    for word in words.rsplit(' ') {
        let at = rest.len().checked_sub(word.len())?;
        if !rest.is_char_boundary(at) || !rest[at..].eq_ignore_ascii_case(word) {
            return None;
        }
        let before = &rest[..at];
        if !before.ends_with(|c: char| c.is_whitespace() || c == '"') {
            return None;
        }
        rest = before.trim_end();
    }
    Some(rest)
}
