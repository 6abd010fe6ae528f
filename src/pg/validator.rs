//! What the validators of foreign data wrappers share: options as Postgres passes them.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::ErrorReport;

use super::{Error, Result, process};

/// Has `check` look at options, which come as `name=value`. Where it refuses, the statement is kept
/// from the log: it holds what may be a secret, under a name mistyped too.
pub fn validated(
    options: Vec<Option<String>>,
    check: impl FnOnce(&[(String, String)]) -> Result<()>,
) -> std::result::Result<(), ErrorReport> {
    let options: Vec<(String, String)> = options
        .into_iter()
        .flatten()
        .filter_map(|o| o.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    check(&options).inspect_err(|_| process::hide_statement()).map_err(ErrorReport::from)
}

/// Refuses all options of what has none: the foreign data wrappers themselves.
pub fn without_options(options: &[(String, String)]) -> Result<()> {
    match options.first() {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_FDW_INVALID_OPTION_NAME,
            format!("invalid option \"{name}\" of a foreign data wrapper"),
        )
        .hint("A foreign data wrapper of sqs_sync has no options.")),
    }
}
