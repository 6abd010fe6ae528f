//! sqs_sync: keeps Amazon SQS told of what changed in a query.
//!
//! A map of the system, in the order in which a run passes through it:
//!
//! * [`api`]: the SQL functions. `sqs_sync_create` stores a sync, `sqs_sync_run` queues a run.
//! * [`look`]: what one looks at before a run: a preview, a check, a test message.
//! * [`worker`]: the processes. A launcher keeps a worker in each database that has the
//!   extension; the worker starts a runner for each run that is due.
//! * [`run`]: the way of a run: what is in doubt is sent again, the diff is taken, changes are
//!   published and acknowledged.
//! * [`changes`]: model against snapshot, and the change set that keeps what is being told.
//! * [`home`]: whether this database may send at all, or is a copy of one that does.
//! * [`alerts`]: conditions of syncs, judged by the worker, and what is told of them by channels.
//! * [`overview`]: what `sqs_sync_report` shows, read by the views.
//! * [`connection`]: servers and user mappings, and the publisher's configuration from them.
//! * [`catalog`]: our own tables.
//! * [`errors`]: what can go wrong, by its code: what it means and what to do.
//! * [`pg`]: all glue to Postgres's C interface, and every `unsafe` block.
//!
//! Four crates know nothing of Postgres: `message` makes a message of a row, `publisher` sends
//! messages to SQS from a thread of its own, `notifier` judges conditions and tells channels from
//! another, `report` makes a page of what is known of syncs.
//! Dependencies run one way: api → look → run → changes, catalog, connection, message, publisher →
//! pg; api, worker → alerts → catalog, notifier, pg; and api → overview → report, pg.

mod alerts;
mod api;
mod catalog;
mod changes;
mod connection;
mod errors;
mod home;
mod look;
mod overview;
mod pg;
mod run;
mod settings;
mod worker;

pgrx::pg_module_magic!();

/// Called by Postgres when it loads the library.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::version::check_loading();
    settings::define();
    message::ask_for_interrupts(pg::process::is_interrupted);
    pg::version::watch();
    pg::utility::watch(connection::check_change);
    worker::register_launcher();
}
