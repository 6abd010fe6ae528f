//! sqs_sync
mod api {
    mod worker;
}
mod pg;
mod run {
    pub fn execute(_: i64) {}
}
mod settings;
mod worker;

pgrx::pg_module_magic!();

/// Called by Postgres when it loads the library.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    settings::define();
    pg::utility::watch();
    worker::register_launcher();
}
