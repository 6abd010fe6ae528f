//! The names that a definition may use, the model's columns and its key, and a record of the columns
//! that it does use.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::error::Fault;
use crate::mapping::brief;

/// How alike two names must be for one to be suggested in place of the other, from 0 to 1.
const SUGGESTED_FROM: f64 = 0.6;

/// The columns that rendering reads: positions among those that the definition was compiled with,
/// rising, each once. What a value of any other column is makes no difference to any message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnsUsed {
    /// Of the row.
    pub row: Vec<usize>,
    /// Of a changed row as it was told before: [`Change::old`](crate::Change).
    pub old: Vec<usize>,
}

impl ColumnsUsed {
    /// The columns that either reads.
    pub(crate) fn and(&self, other: &ColumnsUsed) -> ColumnsUsed {
        let union = |left: &[usize], right: &[usize]| {
            let both: BTreeSet<usize> = left.iter().chain(right).copied().collect();
            both.into_iter().collect()
        };
        ColumnsUsed { row: union(&self.row, &other.row), old: union(&self.old, &other.old) }
    }
}

/// Takes down each column that a name is resolved to. Whatever resolves a name is thereby known to
/// read it, without a list that could fall behind the language.
#[derive(Debug)]
pub(crate) struct Usage {
    row: Vec<Cell<bool>>,
    old: Vec<Cell<bool>>,
}

impl Usage {
    pub fn of(columns: &[String]) -> Usage {
        let none = vec![Cell::new(false); columns.len()];
        Usage { row: none.clone(), old: none }
    }

    pub fn columns_used(&self) -> ColumnsUsed {
        let places = |flags: &[Cell<bool>]| {
            flags
                .iter()
                .enumerate()
                .filter(|(_, flag)| flag.get())
                .map(|(place, _)| place)
                .collect()
        };
        ColumnsUsed { row: places(&self.row), old: places(&self.old) }
    }
}

fn mark(flags: &[Cell<bool>], place: usize) {
    if let Some(used) = flags.get(place) {
        used.set(true);
    }
}

/// The columns of a model, those of them that are its key, and the sync's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub columns: &'a [String],
    pub key: &'a [String],
    pub sync_name: &'a str,
    pub usage: &'a Usage,
}

impl Names<'_> {
    /// The place of a column in a row, which is then taken to be read from there.
    ///
    /// # Errors
    ///
    /// `UndefinedColumn`, with the name that is nearest.
    pub fn column(&self, name: &str) -> Result<usize, Fault> {
        let place = self.place(name)?;
        mark(&self.usage.row, place);
        Ok(place)
    }

    /// The place of a column in the row before the change, which is then taken to be read from
    /// there; and from the row, which it is for a removed one.
    ///
    /// # Errors
    ///
    /// `UndefinedColumn`, with the name that is nearest.
    pub fn old_column(&self, name: &str) -> Result<usize, Fault> {
        let place = self.column(name)?;
        mark(&self.usage.old, place);
        Ok(place)
    }

    /// Takes every column of both rows to be read.
    pub fn use_all(&self) {
        self.usage.row.iter().chain(&self.usage.old).for_each(|used| used.set(true));
    }

    fn place(&self, name: &str) -> Result<usize, Fault> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            Fault::undefined_column(format!("column {:?} is not in the model", brief(name)))
                .with_hint(suggestion(name, self.columns))
        })
    }

    /// Checks that the key's columns are columns.
    ///
    /// # Errors
    ///
    /// `UndefinedColumn`, with the name that is nearest.
    pub fn check_key(&self) -> Result<(), Fault> {
        self.key.iter().try_for_each(|name| self.place(name).map(|_| ()))
    }

    /// The place in a row of a column that must be one of the key's.
    ///
    /// # Errors
    ///
    /// `UndefinedColumn`, with the name that is nearest.
    pub fn key_column(&self, name: &str) -> Result<usize, Fault> {
        if !self.key.iter().any(|column| column == name) {
            return Err(Fault::undefined_column(format!(
                "column {:?} is not in the key",
                brief(name)
            ))
            .with_hint(suggestion(name, self.key)));
        }
        self.column(name)
    }
}

/// A hint with the name that is most like the one that was written.
pub(crate) fn suggestion<S: AsRef<str>>(written: &str, names: &[S]) -> Option<String> {
    // Longer than any name of Postgres's: nothing can be like it, and it would be slow to find out.
    if written.len() > 256 {
        return None;
    }
    let written = written.to_lowercase();
    let likeness =
        |name: &str| strsim::normalized_damerau_levenshtein(&written, &name.to_lowercase());
    names
        .iter()
        .map(|name| (likeness(name.as_ref()), name.as_ref()))
        .filter(|(likeness, _)| *likeness >= SUGGESTED_FROM)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| format!("Perhaps you meant {name:?}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_unknown_column_is_named_with_the_nearest_one() {
        let columns = ["id", "full_name", "age"].map(str::to_owned);
        let usage = Usage::of(&columns);
        let names = Names { columns: &columns, key: &columns[..1], sync_name: "s", usage: &usage };
        assert_eq!(names.column("age").unwrap(), 2);

        let fault = names.column("fullname").unwrap_err();
        assert_eq!(fault.kind, ErrorKind::UndefinedColumn);
        assert_eq!(fault.message, "column \"fullname\" is not in the model");
        assert_eq!(fault.hint.unwrap(), "Perhaps you meant \"full_name\".");
        assert_eq!(names.column("Age").unwrap_err().hint.unwrap(), "Perhaps you meant \"age\".");
        assert_eq!(names.column("zzz").unwrap_err().hint, None);
    }

    #[test]
    fn a_column_is_used_when_its_name_is_resolved_and_not_when_the_key_is_checked() {
        let columns = ["id", "full_name", "age"].map(str::to_owned);
        let usage = Usage::of(&columns);
        let names = Names { columns: &columns, key: &columns[..1], sync_name: "s", usage: &usage };
        names.check_key().unwrap();
        assert_eq!(usage.columns_used(), ColumnsUsed::default());
        names.column("age").unwrap();
        names.key_column("id").unwrap();
        names.column("age").unwrap();
        assert_eq!(usage.columns_used(), ColumnsUsed { row: vec![0, 2], old: vec![] });
        names.old_column("full_name").unwrap();
        assert_eq!(usage.columns_used(), ColumnsUsed { row: vec![0, 1, 2], old: vec![1] });
    }

    #[test]
    fn the_columns_of_two_definitions_are_united() {
        let one = ColumnsUsed { row: vec![1, 3], old: vec![0] };
        let other = ColumnsUsed { row: vec![0, 3, 4], old: vec![] };
        assert_eq!(one.and(&other), ColumnsUsed { row: vec![0, 1, 3, 4], old: vec![0] });
    }

    #[test]
    fn a_column_outside_the_key_is_no_key_column() {
        let columns = ["id", "age"].map(str::to_owned);
        let usage = Usage::of(&columns);
        let names = Names { columns: &columns, key: &columns[..1], sync_name: "s", usage: &usage };
        assert_eq!(names.key_column("id").unwrap(), 0);
        let fault = names.key_column("age").unwrap_err();
        assert_eq!(fault.message, "column \"age\" is not in the key");
    }
}
