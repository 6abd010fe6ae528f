//! What can be done only while the library is being loaded.

use pgrx::pg_sys;

/// Whether the server is loading shared_preload_libraries, to serve clients.
pub fn is_preloading() -> bool {
    // SAFETY: reads variables of the postmaster.
    unsafe { pg_sys::process_shared_preload_libraries_in_progress && !pg_sys::IsBinaryUpgrade }
}

/// Makes a setting `sqs_sync.…` that does not exist an error. Call when all are defined.
pub fn reserve_settings() {
    // SAFETY: a C string that lives for ever.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"sqs_sync".as_ptr()) };
}
