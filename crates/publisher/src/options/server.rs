//! Options of servers: where SQS is.

use super::{Known, OptionError, SERVER, check_filled, check_names};
use crate::endpoint::check_endpoint_url;

pub(super) const KNOWN: &[Known] = &[
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

/// An endpoint of one's choosing is where rows and signatures go, from inside this server's network:
/// for a superuser to say.
const ENDPOINTS: [&str; 2] = ["endpoint_url", "sts_endpoint_url"];

/// The option that is a superuser's to set, if one is given.
pub fn superuser_option(options: &[(String, String)]) -> Option<&str> {
    let mut names = options.iter().map(|(name, _)| name.as_str());
    names.find(|name| ENDPOINTS.contains(name))
}

/// Checks all options that a server has, but for what `allowed_queues` holds.
///
/// # Errors
///
/// What is unknown, missing or invalid among them.
pub fn check_server(options: &[(String, String)]) -> Result<(), OptionError> {
    check_names(SERVER, KNOWN, options)?;
    check_filled(options)?;
    options.iter().try_for_each(|(name, value)| match name.as_str() {
        "region" if !is_region(value) => {
            Err(OptionError::invalid("option \"region\" is not the name of an AWS region")
                .hint("It is a name such as eu-west-1."))
        }
        name if ENDPOINTS.contains(&name) => check_endpoint(name, value),
        _ => Ok(()),
    })
}

fn is_region(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn check_endpoint(option: &str, url: &str) -> Result<(), OptionError> {
    check_endpoint_url(url).map_err(|why| {
        OptionError::invalid(format!("option \"{option}\" {why}")).hint(
            "It is https://, a host, and a port where it is not the usual one. To this machine alone it may be http://; where clouds keep credentials is never reached.",
        )
    })
}
