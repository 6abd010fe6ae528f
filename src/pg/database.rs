//! Which databases there are, which one this is, and whose.

use std::ffi::CStr;

use pgrx::pg_sys;

/// The database that this process is connected to; invalid in the launcher.
pub fn current() -> pg_sys::Oid {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::MyDatabaseId }
}

/// Its name.
pub fn name() -> super::Result<String> {
    super::sql::value("SELECT pg_catalog.current_database()::pg_catalog.text", &[])
}

/// Whether pg_upgrade is making this database out of that of an older server.
pub fn is_being_upgraded() -> bool {
    // SAFETY: reads a variable that is set when the server starts.
    unsafe { pg_sys::IsBinaryUpgrade }
}

/// Databases that can be connected to and are no templates. Needs no database, but a
/// transaction.
pub fn list() -> Vec<pg_sys::Oid> {
    let mut databases = Vec::new();
    // SAFETY: a scan of a shared catalog, as autovacuum's launcher does it; each tuple is read
    // before the next is fetched, and its fixed part is what the struct describes.
    unsafe {
        let lock = pg_sys::AccessShareLock as i32;
        let catalog = pg_sys::table_open(pg_sys::DatabaseRelationId, lock);
        let scan = pg_sys::table_beginscan_catalog(catalog, 0, std::ptr::null_mut());
        loop {
            let tuple = pg_sys::heap_getnext(scan, pg_sys::ScanDirection::ForwardScanDirection);
            if tuple.is_null() {
                break;
            }
            let row = &*pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_database>();
            let being_dropped = row.datconnlimit == pg_sys::DATCONNLIMIT_INVALID_DB;
            if row.datallowconn && !row.datistemplate && !being_dropped {
                databases.push(row.oid);
            }
        }
        pg_sys::table_endscan(scan);
        pg_sys::table_close(catalog, lock);
    }
    databases
}

/// The database of this name, if it exists.
pub(super) fn named(name: &CStr) -> Option<pg_sys::Oid> {
    // SAFETY: a catalog lookup inside a transaction.
    let database = unsafe { pg_sys::get_database_oid(name.as_ptr(), true) };
    (database != pg_sys::InvalidOid).then_some(database)
}

/// Whether the current user owns it, or is a superuser.
pub fn is_ours(database: pg_sys::Oid) -> bool {
    let user = super::rights::current_user();
    // SAFETY: a catalog lookup inside a transaction, of a database that was found in it.
    #[cfg(feature = "pg15")]
    let ours = unsafe { pg_sys::pg_database_ownercheck(database, user) };
    // SAFETY: as above.
    #[cfg(not(feature = "pg15"))]
    let ours = unsafe { pg_sys::object_ownercheck(pg_sys::DatabaseRelationId, database, user) };
    ours
}
