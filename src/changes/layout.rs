//! When the model's columns change. One that was added is adopted: rows whose other columns
//! are as they were told take its value silently. One that was dropped leaves the snapshot.
//! Where other columns are compared than before, the snapshot is hashed again as it was told.
//! (A rename is both.) One whose type changed could not be told apart from changed rows, so
//! that the run is held.

use pgrx::pg_sys::Oid;

use super::columns::{self, Column};
use super::key::{self, KeyColumn};
use super::tables::{KeptColumn, Tables};
use crate::pg::{Error, Result, rights, sql};

/// How the columns of a sync's tables become those of its model.
pub struct Layout {
    /// Columns that stay, in the order that the row hash has them.
    pub kept: Vec<Column>,
    pub added: Vec<Column>,
    pub dropped: Vec<String>,
}

impl Layout {
    /// An error means that the run is to be held.
    pub fn of(model: &[Column], told: &[KeptColumn]) -> Result<Layout> {
        let mut layout = Layout { kept: Vec::new(), added: Vec::new(), dropped: Vec::new() };
        for KeptColumn { name, storage, collation } in told {
            match model.iter().find(|c| c.name == *name) {
                Some(column)
                    if column.storage_oid == *storage && column.collation == *collation =>
                {
                    layout.kept.push(column.clone())
                }
                Some(column) => return Err(retyped(column)),
                None => layout.dropped.push(name.clone()),
            }
        }
        let is_new = |column: &&Column| !told.iter().any(|kept| kept.name == column.name);
        layout.added = model.iter().filter(is_new).cloned().collect();
        Ok(layout)
    }

    /// All columns, in the order that the row hash has them from now on.
    pub fn columns(&self) -> Vec<Column> {
        self.kept.iter().chain(&self.added).cloned().collect()
    }

    /// Brings the tables in line, and the snapshot's hashes, which cover the columns of `hashed`
    /// (none: all that it has) and are to cover those of `compared`. In the diff's transaction,
    /// with the change set empty.
    pub fn adapt(
        &self,
        model: &str,
        tables: &Tables,
        key: &[KeyColumn],
        hashed: Option<&[String]>,
        compared: &[Column],
        as_owner: &AsOwner<'_>,
    ) -> Result<()> {
        let covered = self.covered(compared);
        if !self.is_hashed_by(hashed, &covered) {
            as_owner.run(|| hash_again(tables, &covered))?;
        }
        if !self.dropped.is_empty() {
            as_owner.run(|| alter(tables, self.dropped.iter().map(drop_column)))?;
        }
        if !self.added.is_empty() {
            columns::check_width(&self.columns())?;
            as_owner.run(|| alter(tables, self.added.iter().map(add_column)))?;
            as_owner.run(|| self.adopt_added(model, tables, key, &covered, compared))?;
        }
        Ok(())
    }

    /// Of the columns that are compared those that the queue has been told of.
    pub fn covered(&self, compared: &[Column]) -> Vec<Column> {
        self.kept.iter().filter(|c| compared.contains(c)).cloned().collect()
    }

    /// Whether the tables have the model's columns already.
    pub fn is_as_told(&self) -> bool {
        self.added.is_empty() && self.dropped.is_empty()
    }

    /// Whether the snapshot's hashes cover these columns and no others.
    pub fn is_hashed_by(&self, hashed: Option<&[String]>, covered: &[Column]) -> bool {
        match hashed {
            None => self.dropped.is_empty() && covered.len() == self.kept.len(),
            Some(names) => {
                names.len() == covered.len() && covered.iter().all(|c| names.contains(&c.name))
            }
        }
    }

    fn adopt_added(
        &self,
        model: &str,
        tables: &Tables,
        key: &[KeyColumn],
        covered: &[Column],
        compared: &[Column],
    ) -> Result<()> {
        let stored = |columns: &[Column]| {
            columns.iter().map(|c| c.stored("m")).collect::<Vec<_>>().join(", ")
        };
        let named: Vec<String> = self
            .columns()
            .iter()
            .enumerate()
            .map(|(i, c)| format!("{} AS c{}", c.stored("m"), i + 1))
            .collect();
        let set: Vec<String> = self
            .added
            .iter()
            .enumerate()
            .map(|(i, c)| format!("{} = m.c{}", c.quoted(), self.kept.len() + i + 1))
            .collect();
        let position =
            |i: usize| self.kept.iter().position(|c| c.name == key[i].column.name).unwrap_or(0) + 1;
        let same_key = key::equal(
            key,
            |i| format!("m.c{}", position(i)),
            |i| format!("s.{}", key[i].column.quoted()),
        );
        let statement = format!(
            "UPDATE ONLY {} AS s SET {}, sqs_sync_hash = m.hash \
             FROM (SELECT sqs_sync.row_hash(ROW({})) AS told_hash, sqs_sync.row_hash(ROW({})) AS hash, {} FROM {model} AS m) AS m \
             WHERE {same_key} AND s.sqs_sync_hash = m.told_hash",
            tables.snapshot,
            set.join(", "),
            stored(covered),
            stored(compared),
            named.join(", "),
        );
        sql::execute(&statement, &[]).map(|_| ())
    }
}

fn hash_again(tables: &Tables, covered: &[Column]) -> Result<()> {
    let hash = hash_of(covered, "t");
    let statement = format!("UPDATE ONLY {} AS t SET sqs_sync_hash = {hash}", tables.snapshot);
    sql::execute(&statement, &[]).map(|_| ())
}

/// The hash of these columns of a row of one of our tables, in SQL.
pub fn hash_of(columns: &[Column], of: &str) -> String {
    let values: Vec<String> = columns.iter().map(|c| format!("{of}.{}", c.quoted())).collect();
    format!("sqs_sync.row_hash(ROW({}))", values.join(", "))
}

/// The hash of a row's contents, in SQL, by which a rejected change is known again. Each value is
/// hashed alone: one row of them all would have to fit into a gigabyte.
pub fn contents_hash(values: impl Iterator<Item = String>) -> String {
    let hashes: Vec<String> = values.map(|v| format!("sqs_sync.value_hash({v})")).collect();
    format!("sqs_sync.row_hash(ROW({}))", hashes.join(", "))
}

/// The rights and settings under which the model is read.
pub struct AsOwner<'a> {
    pub owner: Oid,
    pub settings: &'a [(&'a str, &'a str)],
}

impl AsOwner<'_> {
    pub fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        rights::as_owner(self.owner, self.settings, work)
    }
}

fn alter(tables: &Tables, actions: impl Iterator<Item = String>) -> Result<()> {
    let actions = actions.collect::<Vec<_>>().join(", ");
    for table in [&tables.snapshot, &tables.changes] {
        sql::execute(&format!("ALTER TABLE {table} {actions}"), &[])?;
    }
    Ok(())
}

fn drop_column(name: impl AsRef<str>) -> String {
    format!("DROP COLUMN {}", columns::quoted(name.as_ref()))
}

fn add_column(column: &Column) -> String {
    format!("ADD COLUMN {} {}{}", column.quoted(), column.storage, column.collate)
}

fn retyped(column: &Column) -> Error {
    Error::not_in_state(format!("the type of the model's column \"{}\" has changed, to {}{}", column.name, column.storage, column.collate))
        .hint("All rows would be announced as changed. Give the column its old type again and let this run go on by sqs_sync_approve, or end it by sqs_sync_discard; or drop the sync and create it again, with initial => 'skip' to announce nothing.")
}
