//! What a run works on: a sync, its tables and its owner, with whose rights it works.

use std::cell::RefCell;
use std::ops::Deref;

use message::Definitions;

use super::owned::{AT_ONCE, Owned};
use super::pulse::Beat;
use crate::catalog::figures::{Reasons, Traffic};
use crate::catalog::progress::{self, Phase};
use crate::catalog::{self, Definition, Run, Sync};
use crate::changes::change_set::{self, Wanted};
use crate::changes::columns::{self, Column};
use crate::changes::tables::{self, Tables};
use crate::connection;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::{despite_cancel, timeline, transaction};
use crate::pg::{Error, Result, process, rights, sql};

pub struct Job {
    pub run: Run,
    /// What the run has asked of SQS, and messages that it has given up, by the reason.
    pub traffic: RefCell<Traffic>,
    pub given_up: RefCell<Reasons>,
    owned: Owned,
    owner_name: String,
}

impl Deref for Job {
    type Target = Owned;

    fn deref(&self) -> &Owned {
        &self.owned
    }
}

impl Job {
    /// With raised rights.
    pub fn load(run: &Run) -> Result<Job> {
        let sync = catalog::sync::by_id(run.sync_id)?;
        let tables = Tables::of(sync.id);
        let owner = tables::owner(&tables)?.ok_or_else(|| tables::missing(&tables.snapshot))?;
        let owner_name = crate::changes::model::role_name(owner)?;
        let traffic = RefCell::new(catalog::figures::traffic(run.id)?);
        let owned = Owned { sync, tables, owner };
        Ok(Job { run: run.clone(), traffic, given_up: RefCell::default(), owned, owner_name })
    }

    /// From here on this session is the owner's: a function that trusts session_user, called
    /// by a model, must not see a superuser. Rights are raised around catalog statements only.
    pub fn become_owner(&self) -> Result<()> {
        let statement = format!("SET SESSION AUTHORIZATION {}", self.owner_name);
        transaction(|| sql::execute(&statement, &[]).map(|_| ()))
    }

    pub fn version(&self) -> Result<i32> {
        self.run
            .version
            .ok_or_else(|| Error::internal(format!("run {} has no definition", self.run.id)))
    }

    pub fn is_cancel_requested(&self) -> Result<bool> {
        super::catalog_transaction(|| catalog::cancellation::is_requested(self.run.id))
    }

    /// The same in a transaction of the caller's, which waits for no lock and for no disk: a look,
    /// and whatever else is to be looked at now and then. Tells how the run goes, if that is due.
    pub fn look_around(
        &self,
        beat: Option<&Beat>,
        look: impl FnOnce() -> Result<()>,
    ) -> Result<bool> {
        as_superuser(|| {
            rights::set_locally("lock_timeout", "100ms")?;
            if let Some(beat) = beat {
                rights::set_locally("synchronous_commit", "off")?;
                beat.write(self.run.id)?;
            }
            look()?;
            catalog::cancellation::is_requested(self.run.id)
        })
    }

    /// Tells that the run comes to this phase; with `to_do` it has so many changes to deal with.
    pub fn enter(&self, phase: Phase, to_do: Option<i64>) -> Result<()> {
        process::report_activity(&format!("sync {}: {}", self.sync.name, phase.as_str()));
        super::catalog_transaction(|| {
            rights::set_locally("synchronous_commit", "off")?;
            progress::enter(self.run.id, phase, to_do)
        })
    }

    /// Refuses tables to which their owner has added something: before anything is sent.
    pub fn check_tables(&self) -> Result<()> {
        super::catalog_transaction(|| self.check_plain())
            .map_err(|error| error.in_sync(&self.sync.name))
    }

    /// Refuses a snapshot that somebody has emptied: before what is in doubt is acknowledged,
    /// after which it would not be empty.
    pub fn check_snapshot(&self) -> Result<()> {
        transaction(|| {
            let told_rows = as_superuser(|| catalog::position::told_rows(self.sync.id))?;
            self.as_owner(|| tables::check_not_emptied(&self.tables, told_rows))
        })
        .map_err(|error| error.in_sync(&self.sync.name))
    }

    /// Changes up to this id that still are in the change set are in doubt.
    pub fn handed_through(&self) -> Result<i64> {
        super::catalog_transaction(|| catalog::position::handed_through(self.sync.id, timeline()))
    }

    pub fn has_changes_through(&self, through: i64) -> Result<bool> {
        let statement = format!(
            "SELECT EXISTS (SELECT 1 FROM ONLY {} WHERE sqs_sync_change_id <= $1)",
            self.tables.changes
        );
        transaction(|| self.as_owner(|| sql::value(&statement, &[through.into()])))
    }

    /// Drops changes that an earlier run has set aside: they certainly were not sent, and the
    /// diff finds them again. Those before a change in doubt stay, and are sent with it: it may
    /// be a later one of their group.
    pub fn drop_waiting(&self) -> Result<()> {
        let after = self.last_in_doubt()?;
        let drop_some = || {
            let some =
                super::on_catalog(|| catalog::waiting::take_some(self.sync.id, after, AT_ONCE))?;
            let unsent: Vec<i64> =
                some.iter().filter(|w| !w.in_doubt).map(|w| w.change_id).collect();
            self.on_batch(|| change_set::drop_unsent(&self.tables, &unsent))?;
            super::on_catalog(|| catalog::claim::give_up(self.sync.id, &unsent))?;
            Ok(some.is_empty())
        };
        while !super::retried(super::CATALOG_ATTEMPTS, || {
            despite_cancel(|| transaction(drop_some))
        })? {}
        Ok(())
    }

    /// The last change that may have been sent; 0 if there is none.
    fn last_in_doubt(&self) -> Result<i64> {
        self.owned
            .last_in_doubt(self.handed_through()?, |step| despite_cancel(|| transaction(step)))
    }

    /// What another server noted as set aside, it may have sent afterwards.
    pub fn distrust_waiting(&self) -> Result<()> {
        super::catalog_transaction(|| catalog::waiting::distrust(self.sync.id, timeline()))
    }

    /// Changes that may have been sent and are not acknowledged.
    pub fn count_in_doubt(&self) -> Result<i64> {
        let (through, unsent) = super::on_catalog(|| {
            let through = catalog::position::handed_through(self.sync.id, timeline())?;
            Ok((through, catalog::waiting::count_unsent(self.sync.id)?))
        })?;
        let statement = format!(
            "SELECT count(*) FROM ONLY {} WHERE sqs_sync_change_id <= $1",
            self.tables.changes
        );
        let handed: i64 = self.as_owner(|| sql::value(&statement, &[through.into()]))?;
        Ok(handed - unsent)
    }
}

/// Compiles a definition for those columns alone that it uses, which need not be all that the
/// model has; returns with it what is to be read. With raised rights.
pub fn compile_narrow(
    sync: &Sync,
    definition: &Definition,
    columns: &[Column],
) -> Result<(Wanted, Definitions)> {
    let compiled = compile(sync, definition, &columns::names(columns))?;
    let used = compiled.columns_used();
    let is_needed = |(i, column): &(usize, &Column)| {
        used.row.contains(i) || used.old.contains(i) || sync.key.contains(&column.name)
    };
    let needed: Vec<Column> =
        columns.iter().enumerate().filter(is_needed).map(|(_, c)| c.clone()).collect();
    let narrow = compile(sync, definition, &columns::names(&needed))?;
    Ok((Wanted { columns: needed, old: !used.old.is_empty() }, narrow))
}

/// Compiles a definition for these columns; an error names the sync. With raised rights.
pub fn compile(sync: &Sync, definition: &Definition, columns: &[String]) -> Result<Definitions> {
    let allowed_queues = connection::allowed_queues(&definition.server)?;
    let context = message::Context {
        columns,
        key: &sync.key,
        sync_name: &sync.name,
        sync_uuid: &sync.uuid,
        allowed_queues: allowed_queues.as_ref(),
    };
    Definitions::compile(&definition.message, &definition.overrides(), &context).map_err(|error| {
        let undefined = error.kind() == message::ErrorKind::UndefinedColumn;
        let error = Error::from(error).in_sync(&sync.name);
        match undefined && error.hint.is_none() {
            true => error.hint(format!("The model's columns are: {}.", columns.join(", "))),
            false => error,
        }
    })
}
