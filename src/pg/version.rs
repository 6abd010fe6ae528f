//! The version of the library and that of the extension in this database. They are two: a server
//! has loaded one library, and each database has the SQL of the version that it was updated to.
//!
//! They work together only where they are the same. A function that is called by the SQL of another
//! version would take arguments for what they are not, and meet other tables. So whenever Postgres
//! looks a function of ours up in order to call it, the versions are compared, before an argument is
//! read. (Postgres does not ask for a SECURITY DEFINER function: ours must take no arguments.)

use std::ffi::CStr;
use std::sync::OnceLock;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{FromDatum, PgLogLevel, pg_sys};

use super::{Error, Result, database};

pub(super) const EXTENSION: &CStr = c"sqs_sync";
/// As the control file names it.
const MODULE: &str = "$libdir/sqs_sync";

static PREVIOUS: OnceLock<pg_sys::needs_fmgr_hook_type> = OnceLock::new();

#[cfg(not(feature = "failpoints"))]
pub fn of_library() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Builds for tests are of the version that the server's environment says: a next one is made up.
#[cfg(feature = "failpoints")]
pub fn of_library() -> &'static str {
    static SAID: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("SQS_SYNC_VERSION").ok());
    SAID.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"))
}

/// The version of the extension in this database, if it has it. In its script that is the version
/// that the script leads to.
pub fn of_extension() -> Option<String> {
    // SAFETY: a scan of a catalog inside a transaction, as Postgres itself looks extensions up; the
    // value is copied before the scan ends.
    unsafe {
        let lock = pg_sys::AccessShareLock as i32;
        let catalog = pg_sys::table_open(pg_sys::ExtensionRelationId, lock);
        let mut named = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &mut named,
            pg_sys::Anum_pg_extension_extname as i16,
            pg_sys::BTEqualStrategyNumber as u16,
            pg_sys::Oid::from(pg_sys::F_NAMEEQ),
            pg_sys::Datum::from(EXTENSION.as_ptr()),
        );
        let index = pg_sys::Oid::from(pg_sys::ExtensionNameIndexId);
        let snapshot = std::ptr::null_mut();
        let scan = pg_sys::systable_beginscan(catalog, index, true, snapshot, 1, &mut named);
        let tuple = pg_sys::systable_getnext(scan);
        let version = if tuple.is_null() {
            None
        } else {
            let mut is_null = false;
            let column = pg_sys::Anum_pg_extension_extversion as i32;
            let value = pg_sys::heap_getattr(tuple, column, (*catalog).rd_att, &mut is_null);
            String::from_datum(value, is_null)
        };
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(catalog, lock);
        version
    }
}

/// An error if the extension of this database is not of the library's version. Without an
/// extension there is nothing to compare.
pub fn check() -> Result<()> {
    match of_extension() {
        Some(extension) if extension != of_library() => Err(differs(&extension)),
        _ => Ok(()),
    }
}

/// The same where a script is being run: it may lead to a version on the way to the library's.
pub fn check_script() -> Result<()> {
    match of_extension() {
        Some(extension) if is_newer_than_library(&extension) => Err(differs(&extension)),
        _ => Ok(()),
    }
}

fn differs(extension: &str) -> Error {
    let library = of_library();
    let hint = match is_newer_than_library(extension) {
        true => format!("Install the library of version {extension}, and restart the server."),
        false => "Update the extension: ALTER EXTENSION sqs_sync UPDATE.".to_owned(),
    };
    Error::not_in_state(format!(
        "extension \"sqs_sync\" has version {extension} in this database, and the library that is loaded has {library}"
    ))
    .hint(hint)
}

fn is_newer_than_library(version: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
    };
    numbers(version) > numbers(of_library())
}

/// The same for the call that has a session load the library, where that is not preloaded: Postgres
/// has looked its function up before it could ask us. Called before anything else is done.
pub fn check_loading() {
    // SAFETY: reads variables of the backend. A session that is not ready yet loads what its settings
    // say, and calls nothing; a parallel worker does as its leader, which has been checked.
    let is_for_a_call = unsafe {
        pg_sys::Mode == pg_sys::ProcessingMode::NormalProcessing
            && pg_sys::ParallelWorkerNumber < 0
            && pg_sys::IsTransactionState()
    };
    if is_for_a_call {
        raise_if_differs();
    }
}

fn raise_if_differs() {
    if !database::is_being_upgraded()
        && !is_in_script()
        && let Err(error) = check()
    {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
}

/// Has the versions compared from here on. Called when the library is loaded.
pub fn watch() {
    // SAFETY: the hook is the backend's own variable; `before_call` lives as long as the library.
    let previous = unsafe { pg_sys::needs_fmgr_hook };
    if PREVIOUS.set(previous).is_ok() {
        // SAFETY: as above.
        unsafe { pg_sys::needs_fmgr_hook = Some(before_call) };
    }
}

/// Postgres asks whether somebody wants to know of calls of a function. Nobody does.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn before_call(function: pg_sys::Oid) -> bool {
    if is_ours(function) {
        raise_if_differs();
    }
    match PREVIOUS.get().copied().flatten() {
        // SAFETY: hands on what Postgres handed to us. A raw pointer: an ERROR must become a panic
        // before it meets our frames.
        Some(next) => unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| next(function)) },
        None => false,
    }
}

/// Whether the function's code is in this library.
fn is_ours(function: pg_sys::Oid) -> bool {
    let cache = pg_sys::SysCacheIdentifier::PROCOID as i32;
    // SAFETY: a catalog lookup inside a transaction; the value is copied before the tuple is let go.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(cache, pg_sys::Datum::from(function));
        if tuple.is_null() {
            return false;
        }
        let mut is_null = false;
        let column = pg_sys::Anum_pg_proc_probin as i16;
        let file = pg_sys::SysCacheGetAttr(cache, tuple, column, &mut is_null);
        let is_ours = String::from_datum(file, is_null).is_some_and(|file| file == MODULE);
        pg_sys::ReleaseSysCache(tuple);
        is_ours
    }
}

/// Whether the extension's own script is being run. It calls nothing of ours but `announce` and,
/// by statements on foreign servers, the validators.
fn is_in_script() -> bool {
    // SAFETY: reads variables of the backend; a catalog lookup inside a transaction.
    unsafe {
        pg_sys::creating_extension
            && pg_sys::CurrentExtensionObject == pg_sys::get_extension_oid(EXTENSION.as_ptr(), true)
    }
}
