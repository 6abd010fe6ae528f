//! `compare`: the columns that make a row changed. The row hash covers these and no others.

use super::columns::Column;
use super::key;
use crate::pg::{Error, Result};

/// What stands before the columns that are not compared.
const ALL_BUT: [&str; 2] = ["*", "except"];

/// The columns that are compared, in the order that the row hash has them: those that `compare`
/// names (`a, b`), or all but those (`* except a, b`); all (`*`) if it says nothing.
pub fn resolve(compare: Option<&str>, columns: &[Column]) -> Result<Vec<Column>> {
    let Some(compare) = compare.filter(|compare| compare.trim() != ALL_BUT[0]) else {
        return Ok(columns.to_vec());
    };
    let (list, named_ones) = match strip_all_but(compare) {
        Some(list) => (list, false),
        None => (compare, true),
    };
    let names = key::parse_names("compare", list)?;
    for name in &names {
        key::find_column("compare", name, columns)?;
    }
    let compared: Vec<Column> =
        columns.iter().filter(|c| names.contains(&c.name) == named_ones).cloned().collect();
    match compared.is_empty() {
        true => Err(Error::invalid("compare leaves no column to compare")
            .hint("To publish no changed rows at all, take 'changed' out of events.")),
        false => Ok(compared),
    }
}

/// What follows `* except`, in whatever case.
fn strip_all_but(compare: &str) -> Option<&str> {
    let [all, except] = ALL_BUT;
    let rest = compare.trim_start().strip_prefix(all)?.trim_start();
    let (word, list) = rest.split_at_checked(except.len())?;
    let is_word = word.eq_ignore_ascii_case(except)
        && list.starts_with(|c: char| c.is_whitespace() || c == '"');
    is_word.then_some(list)
}
