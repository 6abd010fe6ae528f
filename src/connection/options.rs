//! The validator of the options of servers and user mappings. Which there are and what they may
//! hold, the publisher says; an error names the option and never its value.

use message::{AllowedQueues, AllowedQueuesError};
use pgrx::pg_sys::{self, Oid, panic::ErrorReport};
use pgrx::prelude::*;
use publisher::{Mapping, OptionError, OptionFault};

use super::lent;
use crate::pg::{Error, Result, rights, validator};

/// The validator: called by Postgres with all options that an object will have.
#[pg_extern(sql = false)]
fn connection_options(
    options: Vec<Option<String>>,
    catalog: Oid,
) -> std::result::Result<(), ErrorReport> {
    validator::validated(options, |options| validate(catalog, options))
}

fn validate(catalog: Oid, options: &[(String, String)]) -> Result<()> {
    match catalog {
        pg_sys::ForeignServerRelationId => check_server(options),
        pg_sys::UserMappingRelationId => {
            Mapping(options).check()?;
            lent::allow(options)
        }
        _ => validator::without_options(options),
    }
}

fn check_server(options: &[(String, String)]) -> Result<()> {
    if let Some(option) = publisher::superuser_option(options)
        && !rights::is_superuser(rights::current_user())
    {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("option \"{option}\" is a superuser's to set"),
        )
        .hint("Without it the region's own endpoint is used."));
    }
    publisher::check_server(options)?;
    let list = options.iter().find(|(name, _)| name == "allowed_queues");
    list.map_or(Ok(()), |(_, list)| allowed_queues(list).map(drop))
}

/// Of a connection's options, and of a channel's.
impl From<OptionError> for Error {
    fn from(error: OptionError) -> Error {
        let code = match error.fault {
            OptionFault::Unknown => PgSqlErrorCode::ERRCODE_FDW_INVALID_OPTION_NAME,
            OptionFault::Missing => PgSqlErrorCode::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
            OptionFault::Invalid => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        };
        Error { hint: error.hint, ..Error::new(code, error.message) }
    }
}

/// Patterns of names, with commas between them.
pub fn allowed_queues(list: &str) -> Result<AllowedQueues> {
    patterns("option \"allowed_queues\"", list)
}

pub fn patterns(what: &str, list: &str) -> Result<AllowedQueues> {
    list.parse().map_err(|error: AllowedQueuesError| {
        Error::invalid(format!("{what}: {error}")).hint(
            "It is a list of names, in which * stands for any characters: orders*, invoices.fifo",
        )
    })
}
