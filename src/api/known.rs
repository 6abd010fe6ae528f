//! What there is to know of by name: error codes and options, behind the views
//! `sqs_sync.error_codes` and `sqs_sync.options`.

use pgrx::iter::TableIterator;
use pgrx::prelude::*;

use crate::{alerts, errors};

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "they are the SQL function's columns")]
fn known_errors() -> TableIterator<
    'static,
    (
        name!(code, &'static str),
        name!(kind, &'static str),
        name!(means, &'static str),
        name!(action, &'static str),
    ),
> {
    TableIterator::new(
        errors::all().map(|(kind, known)| (known.code, kind, known.means, known.action)),
    )
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "they are the SQL function's columns")]
fn known_options() -> TableIterator<
    'static,
    (
        name!(wrapper, &'static str),
        name!(object, &'static str),
        name!(option, &'static str),
        name!(required, bool),
        name!(means, String),
    ),
> {
    let of_connections = publisher::options().map(|(object, known)| {
        ("sqs_sync", object, known.name, known.required, known.means.to_owned())
    });
    let channel = alerts::known_options()
        .map(|known| ("sqs_sync_alerts", known.object, known.name, known.required, known.means));
    TableIterator::new(of_connections.chain(channel))
}
