//! Who may do what to which sync: those with the rights of its owner.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use crate::catalog::{self, Sync};
use crate::changes::Tables;
use crate::changes::tables;
use crate::home;
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result};

/// A sync that the caller may act on.
pub struct Own {
    pub sync: Sync,
    pub tables: Tables,
    /// None if the sync's tables are gone, and the owner with them.
    pub owner: Option<Oid>,
}

/// The sync of that name, locked against other changes of its definition.
pub fn own_sync(name: &str) -> Result<Own> {
    let caller = rights::current_user();
    home::check_primary()?;
    let sync = as_superuser(|| catalog::sync::lock(name))?;
    checked(caller, sync)
}

/// The sync of a run that the caller may see.
pub fn sync_of_run(run_id: i64) -> Result<Own> {
    let caller = rights::current_user();
    let sync = as_superuser(|| {
        let run = catalog::run::by_id(run_id)?;
        catalog::sync::by_id(run.sync_id)
    })?;
    // Anybody can name a run's id: it tells nothing of a sync that he may not see.
    checked(caller, sync).map_err(|error| match error.code {
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE => {
            Error::new(error.code, format!("must be owner of the sync of run {run_id}"))
        }
        _ => error,
    })
}

/// The sync of that name, not locked.
pub fn readable_sync(name: &str) -> Result<Own> {
    let caller = rights::current_user();
    let sync = as_superuser(|| catalog::sync::by_name(name))?;
    checked(caller, sync)
}

/// The ids of all syncs that the caller may act on.
pub fn own_syncs() -> Result<Vec<i32>> {
    let caller = rights::current_user();
    as_superuser(|| catalog::sync::ids_of(caller))
}

fn checked(caller: Oid, sync: Sync) -> Result<Own> {
    let tables = Tables::of(sync.id);
    let owner = as_superuser(|| tables::owner(&tables))?;
    let may = match owner {
        Some(owner) => rights::has_rights_of(caller, owner),
        None => rights::is_superuser(caller),
    };
    match may {
        true => Ok(Own { sync, tables, owner }),
        false => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of sync \"{}\"", sync.name),
        )),
    }
}

impl Own {
    /// The owner, or an error that says what is missing.
    pub fn owner(&self) -> Result<Oid> {
        self.owner.ok_or_else(|| tables::missing(&self.tables.snapshot).in_sync(&self.sync.name))
    }
}
