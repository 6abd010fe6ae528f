//! Options of servers, and the validator of theirs and of user mappings'. An error names the option
//! and never its value.

use super::credentials::{KNOWN, Mapping};
use super::lent;
use crate::pg::{Error, Result, rights, validator};
use message::{AllowedQueues, AllowedQueuesError};
use pgrx::pg_sys::{self, Oid, panic::ErrorReport};
use pgrx::prelude::*;

/// An option that there is: what users read in the view `sqs_sync.options`.
pub struct Known {
    pub name: &'static str,
    pub required: bool,
    pub means: &'static str,
}

impl Known {
    pub const fn optional(name: &'static str, means: &'static str) -> Known {
        Known { name, required: false, means }
    }
}

const SERVER: &[Known] = &[
    Known { name: "region", required: true, means: "the AWS region: `eu-west-1`" },
    Known::optional(
        "endpoint_url",
        "where SQS is, if not at the region's own endpoint: a VPC endpoint or an emulator. `https://` or `http://`, a host and a port. A superuser's to set.",
    ),
    Known::optional(
        "sts_endpoint_url",
        "where STS is, if not at the region's own endpoint: there roles are assumed. `https://` or `http://`, a host and a port. A superuser's to set.",
    ),
    Known::optional(
        "allowed_queues",
        "the queues to which syncs of this server may send: names with commas between them, in which `*` stands for any characters or none: `orders*, invoices.fifo`. Without it, all. Of a queue that is given by URL or ARN the name counts, whosever account it is in.",
    ),
];

/// All options, each with what it is an option of.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Known)> {
    let objects = [("server", SERVER), ("user mapping", KNOWN)];
    objects.into_iter().flat_map(|(object, list)| list.iter().map(move |known| (object, known)))
}

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
        pg_sys::ForeignServerRelationId => {
            check_names("server", SERVER, options)?;
            check_server(options)
        }
        pg_sys::UserMappingRelationId => {
            Mapping(options).check()?;
            lent::allow(options)
        }
        _ => check_names("foreign data wrapper", &[], options),
    }
}

pub fn check_names(object: &str, known: &[Known], options: &[(String, String)]) -> Result<()> {
    let names: Vec<&str> = known.iter().map(|k| k.name).collect();
    let hint = match names.is_empty() {
        true => format!("A {object} of sqs_sync has no options."),
        false => format!("Options of a {object} are: {}.", names.join(", ")),
    };
    if let Some((name, _)) = options.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_FDW_INVALID_OPTION_NAME,
            format!("invalid option \"{name}\" of a {object}"),
        )
        .hint(hint));
    }
    let missing =
        known.iter().find(|k| k.required && !options.iter().any(|(name, _)| name == k.name));
    missing.map_or(Ok(()), |known| Err(option_missing(object, known.name).hint(hint)))
}

pub fn option_missing(object: &str, name: &str) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED,
        format!("option \"{name}\" of the {object} is missing"),
    )
}

pub fn check_filled(options: &[(String, String)]) -> Result<()> {
    match options.iter().find(|(_, value)| value.trim().is_empty()) {
        Some((name, _)) => Err(Error::invalid(format!("option \"{name}\" is empty"))),
        None => Ok(()),
    }
}

fn check_server(options: &[(String, String)]) -> Result<()> {
    check_filled(options)?;
    for (name, value) in options {
        match name.as_str() {
            "region"
                if !value
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') =>
            {
                return Err(Error::invalid("option \"region\" is not the name of an AWS region")
                    .hint("It is a name such as eu-west-1."));
            }
            "endpoint_url" | "sts_endpoint_url" => check_endpoint(name, value)?,
            "allowed_queues" => {
                allowed_queues(value)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// An endpoint of one's choosing is where rows and signatures go, from inside the server's
/// network: for a superuser to say.
fn check_endpoint(option: &str, url: &str) -> Result<()> {
    if !rights::is_superuser(rights::current_user()) {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("option \"{option}\" is a superuser's to set"),
        )
        .hint("Without it the region's own endpoint is used."));
    }
    publisher::check_endpoint_url(url).map_err(|why| {
        Error::invalid(format!("option \"{option}\" {why}")).hint(
            "It is https://, a host, and a port where it is not the usual one. To this machine alone it may be http://; where clouds keep credentials is never reached.",
        )
    })
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
