//! The processes that do the work. The launcher keeps a worker alive in each database that has
//! the extension; without the launcher (no shared_preload_libraries) a session starts a worker
//! on demand. The worker starts a runner for each run that is due, and another when one died;
//! a runner executes one run.
//!
//! Locks see to it that there is one worker a database and one runner a sync (`pg::lock`), so
//! that whoever starts one need not know of all others. Wake-ups make it quick, and polls
//! beside them catch what a wake-up missed.

mod backoff;
mod database;
mod launcher;
mod queue;
mod retention;
mod runner;

/// Has the launcher start with the server, if the library is being preloaded.
pub fn register_launcher() {
    if crate::pg::library::is_preloading() {
        crate::pg::background::register_launcher();
    }
}

/// A background worker's argument: the database to connect to.
fn database_argument(argument: pgrx::pg_sys::Datum) -> pgrx::pg_sys::Oid {
    pgrx::pg_sys::Oid::from(argument.value() as u32)
}
