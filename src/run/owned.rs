//! A sync with its tables and its owner, with whose rights the model and these tables are
//! touched: by a run, and by what one looks at before a run.

use pgrx::pg_sys::Oid;

use crate::catalog::{self, Sync};
use crate::changes::Tables;
use crate::changes::change_set::ChangeSet;
use crate::changes::columns::{self, Column};
use crate::changes::key::{self, KeyColumn};
use crate::changes::layout::AsOwner;
use crate::changes::tables;
use crate::pg::{Error, Result, rights, sql};

/// Bounds every wait for a lock that somebody holds on the owner's objects: an
/// acknowledgement must not wait for ever.
pub const LOCK_TIMEOUT: (&str, &str) = ("lock_timeout", "10s");

#[derive(Clone)]
pub struct Owned {
    pub sync: Sync,
    pub tables: Tables,
    pub owner: Oid,
}

impl Owned {
    /// Runs `work` as the owner, on our tables.
    pub fn as_owner<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        rights::as_owner(self.owner, &[LOCK_TIMEOUT], work)
    }

    /// The same, for what touches a batch of changes: by its indexes, which the planner would
    /// not choose for tables that have grown from nothing since they were last analyzed.
    pub fn on_batch<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let settings = [
            LOCK_TIMEOUT,
            ("enable_seqscan", "off"),
            ("enable_bitmapscan", "off"),
            ("enable_sort", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
        ];
        rights::as_owner(self.owner, &settings, work)
    }

    /// Runs `work` as the owner, reading the model: under its creator's TimeZone. Without JIT,
    /// which takes ten megabytes and a tenth of a second for what is hardly computed.
    pub fn reading_model<T>(&self, work: impl FnOnce(&AsOwner<'_>) -> Result<T>) -> Result<T> {
        let settings = [LOCK_TIMEOUT, ("TimeZone", self.sync.time_zone.as_str()), ("jit", "off")];
        work(&AsOwner { owner: self.owner, settings: &settings })
    }

    /// Refuses tables to which their owner has added something. With raised rights.
    pub fn check_plain(&self) -> Result<()> {
        tables::check_plain(&self.tables)?;
        let key = key::primary_key(tables::oid(&self.tables.snapshot)?)?;
        match key == self.sync.key {
            true => Ok(()),
            false => Err(Error::not_in_state(format!(
                "table {} has another primary key than ({})",
                self.tables.snapshot,
                self.sync.key.join(", ")
            ))
            .hint("Give it the sync's key again.")),
        }
    }

    /// The last change up to `through` that may have been sent; 0 if there is none. It goes down
    /// some changes at a time, each time by `step`, in a transaction.
    pub fn last_in_doubt(
        &self,
        mut through: i64,
        step: impl Fn(&dyn Fn() -> Result<Found>) -> Result<Found>,
    ) -> Result<i64> {
        loop {
            match step(&|| self.look_for_doubt(through))? {
                Found { in_doubt: Some(id), .. } => return Ok(id),
                Found { lowest: Some(lowest), .. } => through = lowest - 1,
                Found { .. } => return Ok(0),
            }
        }
    }

    fn look_for_doubt(&self, through: i64) -> Result<Found> {
        let statement = format!(
            "SELECT sqs_sync_change_id FROM ONLY {} WHERE sqs_sync_change_id <= $1 \
             ORDER BY sqs_sync_change_id DESC LIMIT {AT_ONCE}",
            self.tables.changes
        );
        let ids: Vec<i64> =
            self.on_batch(|| sql::rows(&statement, &[through.into()], |row| row.need(1)))?;
        let in_doubt =
            super::on_catalog(|| catalog::waiting::highest_in_doubt(self.sync.id, &ids))?;
        Ok(Found { in_doubt, lowest: ids.last().copied() })
    }
}

/// Changes that are looked at, or dropped, at once.
pub const AT_ONCE: i64 = 10_000;

/// What some changes have shown.
pub struct Found {
    in_doubt: Option<i64>,
    /// None: there were none.
    lowest: Option<i64>,
}

/// The columns and key of a sync's tables, as the change set has them now.
pub struct Shape {
    pub columns: Vec<Column>,
    pub key: Vec<KeyColumn>,
}

impl Shape {
    /// With raised rights.
    pub fn of(owned: &Owned) -> Result<Shape> {
        let columns: Vec<Column> = columns::of_table(tables::oid(&owned.tables.changes)?)?;
        let key = key::resolve(&owned.sync.key, &columns)?;
        Ok(Shape { columns, key })
    }

    pub fn change_set<'a>(&'a self, owned: &'a Owned) -> ChangeSet<'a> {
        ChangeSet { tables: &owned.tables, columns: &self.columns, key: &self.key }
    }
}
