//! `sqs_sync_on` and `off`: what each event says otherwise than its sync.

use message::{Override, Property, Source};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::own_sync;
use super::syncs::{Answer, alter, named, required};
use crate::catalog::{self, definition::parse_event};
use crate::pg::error::shown;
use crate::pg::rights::as_superuser;
use crate::pg::{Error, Result};

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments, reason = "they are the SQL function's")]
fn sqs_sync_on(
    name: Option<&str>,
    event: Option<&str>,
    queue: Option<String>,
    template: Option<String>,
    body_column: Option<String>,
    fields: Option<String>,
    format: Option<&str>,
    attributes: Option<String>,
    message_id: Option<String>,
    group_id: Option<String>,
    dedup_id: Option<String>,
    dedup: Option<&str>,
    delay_seconds: Option<String>,
    reset: Option<Vec<String>>,
) -> Answer<()> {
    let on = || {
        let own = own_sync(required("name", name)?)?;
        let event = parse_event(required("event", event)?)?;
        let set = Source {
            queue,
            template,
            body_column,
            fields,
            format: named(format)?,
            attributes,
            message_id,
            group_id,
            dedup_id,
            dedup: named(dedup)?,
            delay_seconds,
        };
        let reset = reset.unwrap_or_default();
        let unset = reset.iter().map(|option| own_property(option, &set)).collect::<Result<_>>()?;
        let mut definition =
            as_superuser(|| catalog::definition::load(own.sync.id, own.sync.version))?;
        let said = definition.events.get_mut(event);
        let before = said.take().unwrap_or_default().set;
        *said =
            Some(Override { set: before.overridden(&Override { set, unset }), unset: Vec::new() });
        alter(&own, &definition)
    };
    on().map_err(ErrorReport::from)
}

/// What an event no longer says itself.
fn own_property(option: &str, given: &Source) -> Result<Property> {
    let property: Property = option.parse().map_err(|_| {
        let names = Property::ALL.map(Property::as_str).join(", ");
        Error::invalid(format!("option \"{}\" cannot be reset", shown(option)))
            .hint(format!("Options that an event can have of its own are: {names}."))
    })?;
    match given.has(property) {
        true => Err(Error::invalid(format!("{option} is given, and in reset too"))),
        false => Ok(property),
    }
}

#[pg_extern(sql = false)]
fn sqs_sync_off(name: &str, event: &str) -> Answer<()> {
    let off = || {
        let own = own_sync(name)?;
        let event = parse_event(event)?;
        let mut definition =
            as_superuser(|| catalog::definition::load(own.sync.id, own.sync.version))?;
        *definition.events.get_mut(event) = None;
        match definition.published().is_empty() {
            true => Err(Error::invalid(format!("sync \"{name}\" publishes no other event"))
                .hint("Stop it by sqs_sync_pause, or drop it by sqs_sync_drop.")),
            false => alter(&own, &definition),
        }
    };
    off().map_err(ErrorReport::from)
}
