//! What the model is compared with: the snapshot, as a run makes it before it compares. A run
//! sends again what is in doubt, and brings its tables in line with the model's columns; a
//! preview, which writes nothing, reads them as if that were done.

use super::columns::Column;
use super::diff::Subject;
use super::key;
use super::layout::{self, Layout};
use super::tables::Tables;
use crate::pg::hash;

/// What is still to be done before the snapshot is what the model is compared with.
#[derive(Clone, Copy, Default)]
pub struct Told<'a> {
    /// Changes of the change set up to this id are told; 0: none.
    pub through: i64,
    /// Or are given up: told perhaps.
    pub given_up: bool,
    pub pending: Option<Pending<'a>>,
}

/// The model's columns, as the tables do not have them yet.
#[derive(Clone, Copy)]
pub struct Pending<'a> {
    pub layout: &'a Layout,
    /// The columns that are compared: of those that the queue has been told of.
    pub covered: &'a [Column],
    /// The hashes cover other columns.
    pub hashes_again: bool,
}

impl Told<'_> {
    /// The tables are as they are compared.
    fn is_done(&self) -> bool {
        let is_laid_out = self.pending.is_none_or(|of| of.layout.is_as_told() && !of.hashes_again);
        self.through == 0 && is_laid_out
    }

    /// Whether a column makes a row changed.
    pub fn compares(&self, column: &Column, compared: &[Column]) -> bool {
        self.pending.map_or(compared, |pending| pending.covered).contains(column)
    }

    fn content(&self, of: &str, column: &Column) -> String {
        match self.pending {
            Some(Pending { layout, .. }) if layout.added.contains(column) => {
                format!("NULL::{}{}", column.storage, column.collate)
            }
            _ => format!("{of}.{}", column.quoted()),
        }
    }

    fn hash(&self, of: &str) -> String {
        match self.pending {
            Some(Pending { covered, hashes_again: true, .. }) => layout::hash_of(covered, of),
            _ => format!("{of}.sqs_sync_hash"),
        }
    }
}

impl Subject<'_> {
    /// What is told, as a relation of that alias.
    pub fn told_as(&self, alias: &str) -> String {
        let Tables { snapshot, changes } = self.tables;
        if self.told.is_done() {
            return format!("ONLY {snapshot} AS {alias}");
        }
        let contents = |of: &str| -> String {
            let columns = self.columns.iter();
            let told = columns.map(|c| format!("{} AS {}", self.told.content(of, c), c.quoted()));
            told.collect::<Vec<_>>().join(", ")
        };
        let mut told = format!(
            "SELECT {}, {} AS sqs_sync_hash, t.sqs_sync_hash_version FROM ONLY {snapshot} AS t",
            contents("t"),
            self.told.hash("t")
        );
        if self.told.through > 0 {
            let same_key = key::equal(
                self.key,
                |i| format!("c.{}", self.key[i].column.quoted()),
                |i| format!("t.{}", self.key[i].column.quoted()),
            );
            let is_told = format!("c.sqs_sync_change_id <= {}", self.told.through);
            let (version, is_there) = match self.told.given_up {
                true => (hash::PERHAPS_TOLD, "true"),
                false => (hash::VERSION, "c.sqs_sync_event <> 'removed'"),
            };
            told += &format!(
                " WHERE NOT EXISTS (SELECT 1 FROM ONLY {changes} AS c WHERE {is_told} AND {same_key}) \
                 UNION ALL SELECT {}, COALESCE({}, 0), {version}::pg_catalog.int2 FROM ONLY {changes} AS c \
                 WHERE {is_told} AND {is_there}",
                contents("c"),
                self.told.hash("c"),
            );
        }
        format!("({told}) AS {alias}")
    }
}
