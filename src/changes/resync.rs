//! A resync: rows of the snapshot are marked, so that the next run tells them again as changed,
//! though they are as they were told. The mark goes with the acknowledgement. A row that is sent
//! in the meantime, or is removed, loses it. What is only perhaps told is told in any case.

use super::columns::Column;
use super::condition;
use super::key::KeyColumn;
use super::layout::{AsOwner, hash_of};
use super::tables::Tables;
use crate::pg::error::catching;
use crate::pg::kept::{KEPT, Kept};
use crate::pg::{Result, hash, sql};

/// The rows of the snapshot that are meant: all, or those for which a SQL expression holds.
pub struct Meant<'a> {
    pub tables: &'a Tables,
    pub columns: &'a [Column],
    pub key: &'a [KeyColumn],
    pub condition: Option<&'a str>,
}

impl Meant<'_> {
    pub fn count(&self, owner: &AsOwner<'_>) -> Result<i64> {
        let statement = format!(
            "SELECT count(*) FROM ONLY {} AS s WHERE {}",
            self.tables.snapshot,
            self.is_meant()
        );
        self.run(owner, || sql::value(&statement, &[]))
    }

    /// Returns how many rows are marked.
    pub fn mark(&self, owner: &AsOwner<'_>) -> Result<i64> {
        let statement = format!(
            "UPDATE ONLY {} AS s SET sqs_sync_hash_version = LEAST(s.sqs_sync_hash_version, {}::pg_catalog.int2) WHERE {}",
            self.tables.snapshot,
            hash::TO_TELL_AGAIN,
            self.is_meant()
        );
        self.run(owner, || Ok(sql::execute(&statement, &[])? as i64))
    }

    /// Of rejected changes those whose rows are meant: the column `id` of each.
    pub fn of_rejected(&self, owner: &AsOwner<'_>, rejected: &Kept) -> Result<Kept> {
        let key: Vec<Column> = self.key.iter().map(|k| k.column.clone()).collect();
        let statement = format!(
            "SELECT r.id FROM {KEPT} AS r JOIN ONLY {} AS s ON {} = r.key_hash WHERE {}",
            self.tables.snapshot,
            hash_of(&key, "s"),
            self.is_meant()
        );
        self.run(owner, || rejected.with_relation(|_| Kept::here(&statement)))
    }

    fn run<T>(&self, owner: &AsOwner<'_>, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(condition) = self.condition else { return owner.run(work) };
        owner.run(|| {
            condition::check(condition, self.columns)?;
            catching(work).map_err(condition::explain)
        })
    }

    fn is_meant(&self) -> String {
        let told = |i: usize| format!("s.{}", self.columns[i].quoted());
        self.condition.map_or("true".to_owned(), |condition| {
            condition::holds(condition, self.columns, "s.sqs_sync_hash", told, told)
        })
    }
}
