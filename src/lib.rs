//! sqs_sync
pgrx::pg_module_magic!();
