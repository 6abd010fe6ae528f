//! sqs_sync
mod pg;

pgrx::pg_module_magic!();
