//! `sqs_sync_on` and `off`: what each event says otherwise than its sync.

use message::{Override, Property, Source};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::{Own, own_sync};
use super::alter::alter;
use super::syncs::{Answer, named, required};
use crate::catalog;
use crate::catalog::definition::{OwnDefinition, parse_event};
use crate::changes::{columns, condition, tables};
use crate::pg::error::shown;
use crate::pg::rights::{self, as_superuser};
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
    condition: Option<String>,
    without: Option<Vec<String>>,
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
        if let Some(condition) = &condition {
            check_condition(&own, condition)?;
        }
        let says = Says { set, condition, without: properties("without", without)? };
        let mut definition =
            as_superuser(|| catalog::definition::load(own.sync.id, own.sync.version))?;
        let said = definition.events.get_mut(event);
        *said = Some(says.over(said.take().unwrap_or_default(), reset.unwrap_or_default())?);
        alter(&own, &definition)
    };
    on().map_err(ErrorReport::from)
}

/// What a call of `sqs_sync_on` says of an event.
struct Says {
    set: Source,
    condition: Option<String>,
    /// What the sync's message has and the event's has not.
    without: Vec<Property>,
}

impl Says {
    /// What the event says from now on.
    fn over(self, before: OwnDefinition, reset: Vec<String>) -> Result<OwnDefinition> {
        let resets = |option: &str| reset.iter().any(|name| name == option);
        if self.condition.is_some() && resets("condition") {
            return Err(given_twice("condition", "reset"));
        }
        let of_message = reset.iter().filter(|option| *option != "condition").cloned().collect();
        let reset = properties("reset", Some(of_message))?;
        for (option, list) in [("without", &self.without), ("reset", &reset)] {
            if let Some(property) = list.iter().find(|property| self.set.has(**property)) {
                return Err(given_twice(property.as_str(), option));
            }
        }
        if self.without.contains(&Property::Queue) {
            return Err(Error::invalid("a message cannot be without a queue"));
        }
        let gone = [&self.without[..], &reset].concat();
        let mut unset = before.message.unset;
        unset.retain(|property| !gone.contains(property) && !self.set.has(*property));
        unset.extend(&self.without);
        let set = before.message.set.overridden(&Override { set: self.set, unset: gone });
        let condition = match resets("condition") {
            true => None,
            false => self.condition.or(before.condition),
        };
        Ok(OwnDefinition { message: Override { set, unset }, condition })
    }
}

fn given_twice(option: &str, list: &str) -> Error {
    Error::invalid(format!("{option} is given, and in {list} too"))
}

/// The properties of a message that an option lists.
fn properties(option: &str, names: Option<Vec<String>>) -> Result<Vec<Property>> {
    let parse = |name: &String| {
        name.parse().map_err(|_| {
            let names = Property::ALL.map(Property::as_str).join(", ");
            Error::invalid(format!("{option} has no \"{}\"", shown(name)))
                .hint(format!("It lists properties of an event's message: {names}."))
        })
    };
    names.unwrap_or_default().iter().map(parse).collect()
}

/// Tries a condition with the columns that the sync has, as a run will: with the owner's rights.
fn check_condition(own: &Own, condition: &str) -> Result<()> {
    let owner = own.owner()?;
    let columns = as_superuser(|| columns::of_table(tables::oid(&own.tables.snapshot)?))?;
    let settings = [("TimeZone", own.sync.time_zone.as_str())];
    rights::as_owner(owner, &settings, || condition::check(condition, &columns))
        .map_err(|error| error.in_sync(&own.sync.name))
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
