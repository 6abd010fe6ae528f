//! `sqs_sync.definition`: what a sync publishes, a row a version.

use std::collections::BTreeMap;

use message::{Event, Override, PerEvent, Source};
use pgrx::datum::{Interval, JsonString};
use serde::{Deserialize, Serialize};

use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

#[derive(Clone, Debug)]
pub struct Definition {
    pub server: String,
    /// The message, as far as an event does not say otherwise.
    pub message: Source,
    /// The events that are published, with what each says otherwise; others move the snapshot
    /// silently.
    pub events: PerEvent<Option<OwnDefinition>>,
    /// The columns that make a row changed; none: all.
    pub compare: Option<String>,
    pub order_by: Option<String>,
    pub retry_for: Interval,
    /// `retry_for` in seconds.
    pub retry_seconds: f64,
    pub guard: Guard,
    /// Over all queues; none: no limit.
    pub max_messages_per_second: Option<f64>,
}

pub fn check_rate(per_second: f64) -> Result<f64> {
    match per_second.is_finite() && per_second > 0.0 {
        true => Ok(per_second),
        false => Err(Error::invalid("max_messages_per_second is not above 0").hint(
            "It may be below 1: 0.1 is a message in ten seconds. Without it there is no limit.",
        )),
    }
}

/// How many changes of one event are so many that somebody has to look at them first: those that
/// pass both, the share and the number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// Of the rows that the queue has been told of, in percent; none: all is let through.
    pub percent: Option<f64>,
    pub rows: i64,
}

impl Guard {
    pub const DEFAULT: Guard = Guard { percent: Some(30.0), rows: 100 };

    /// A share as it is given: `30%`, or `off`.
    pub fn parse_share(text: &str) -> Result<Option<f64>> {
        if text.trim().eq_ignore_ascii_case("off") {
            return Ok(None);
        }
        let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        match percent.filter(|percent: &f64| percent.is_finite() && *percent >= 0.0) {
            Some(percent) => Ok(Some(percent)),
            None => Err(Error::invalid(format!(
                "unrecognized value of guard_share: \"{}\"",
                crate::pg::error::shown(text)
            ))
            .hint("It is a share of the told rows, such as '30%', or 'off': no run is held for how much it changes.")),
        }
    }

    pub fn check_rows(rows: i64) -> Result<i64> {
        match rows < 0 {
            true => Err(Error::invalid("guard_rows is negative")),
            false => Ok(rows),
        }
    }
}

/// What an event says otherwise than its sync.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OwnDefinition {
    #[serde(flatten)]
    pub message: Override,
    /// A SQL expression: rows for which it does not hold are not published.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub condition: Option<String>,
}

impl Definition {
    pub fn published(&self) -> Vec<Event> {
        Event::ALL.into_iter().filter(|event| self.events.get(*event).is_some()).collect()
    }

    /// Publishes these events and no others; what they said otherwise stays.
    pub fn publish_only(&mut self, events: &[Event]) {
        for event in Event::ALL {
            let said = self.events.get_mut(event);
            *said = events.contains(&event).then(|| said.take().unwrap_or_default());
        }
    }

    /// The events whose queue is of the row's choice.
    pub fn row_names_queue(&self) -> PerEvent<bool> {
        let mut names = PerEvent::default();
        for event in Event::ALL {
            let own =
                self.events.get(event).as_ref().and_then(|own| own.message.set.queue.as_ref());
            let queue = own.or(self.message.queue.as_ref());
            *names.get_mut(event) = queue.is_some_and(|queue| queue.contains('{'));
        }
        names
    }

    /// The events whose deduplication id is of the user's own.
    pub fn has_own_dedup_id(&self) -> PerEvent<bool> {
        let mut has = PerEvent::default();
        for event in Event::ALL {
            let own = self.events.get(event).as_ref();
            let message = own.map(|own| self.message.overridden(&own.message));
            *has.get_mut(event) = message.is_some_and(|message| message.dedup_id.is_some());
        }
        has
    }

    /// The queues that the definition names itself.
    pub fn named_queues(&self) -> Vec<&str> {
        let mut named: Vec<&str> = self.queues().filter(|queue| !queue.contains('{')).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// What the definition calls its queues, templates too.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        let queues = self.own().map(|own| &own.queue).chain([&self.message.queue]);
        queues.flatten().map(String::as_str)
    }

    /// Whether all messages go to one queue.
    pub fn has_one_queue(&self) -> bool {
        self.row_names_queue() == PerEvent::default() && self.own().all(|own| own.queue.is_none())
    }

    /// Whether all messages go one way: to one queue, without groups.
    pub fn has_one_lane(&self) -> bool {
        self.has_one_queue()
            && self.message.group_id.is_none()
            && self.own().all(|own| own.group_id.is_none())
    }

    fn own(&self) -> impl Iterator<Item = &Source> {
        Event::ALL
            .into_iter()
            .filter_map(|event| Some(&self.events.get(event).as_ref()?.message.set))
    }

    /// What the events say otherwise of their messages.
    pub fn overrides(&self) -> PerEvent<Option<Override>> {
        self.of_each(|own| Some(own.message.clone()))
    }

    pub fn conditions(&self) -> PerEvent<Option<String>> {
        self.of_each(|own| own.condition.clone())
    }

    fn of_each<T: Default>(
        &self,
        take: impl Fn(&OwnDefinition) -> Option<T>,
    ) -> PerEvent<Option<T>> {
        let mut taken = PerEvent::default();
        for event in Event::ALL {
            *taken.get_mut(event) = self.events.get(event).as_ref().and_then(&take);
        }
        taken
    }
}

fn read(row: &Row<'_>) -> Result<Definition> {
    let mut events = PerEvent::default();
    let said: BTreeMap<String, OwnDefinition> = from_json(&row.need::<JsonString>(3)?)?;
    for (name, own) in said {
        *events.get_mut(parse_event(&name)?) = Some(own);
    }
    Ok(Definition {
        server: row.need(1)?,
        message: from_json(&row.need::<JsonString>(2)?)?,
        events,
        order_by: row.get(4)?,
        retry_for: row.need(5)?,
        retry_seconds: row.need(6)?,
        compare: row.get(7)?,
        guard: Guard { percent: row.get(8)?, rows: row.need(9)? },
        max_messages_per_second: row.get(10)?,
    })
}

fn from_json<T: serde::de::DeserializeOwned>(json: &JsonString) -> Result<T> {
    serde_json::from_str(&json.0)
        .map_err(|error| Error::internal(format!("a definition cannot be read: {error}")))
}

fn to_json<T: Serialize>(value: &T) -> Result<JsonString> {
    serde_json::to_string(value)
        .map(JsonString)
        .map_err(|error| Error::internal(format!("a definition cannot be written: {error}")))
}

pub fn parse_event(name: &str) -> Result<Event> {
    name.parse().map_err(|_| {
        Error::invalid(format!("unrecognized event \"{}\"", crate::pg::error::shown(name)))
            .hint("Events are added, changed and removed.")
    })
}

pub fn parse_events(names: &[String]) -> Result<Vec<Event>> {
    let events: Vec<Event> = names.iter().map(|name| parse_event(name)).collect::<Result<_>>()?;
    match events.is_empty() {
        true => {
            Err(Error::invalid("events is empty").hint("Events are added, changed and removed."))
        }
        false => Ok(events),
    }
}

pub fn load(sync_id: i32, version: i32) -> Result<Definition> {
    sql::row(
        "SELECT server, message, events, order_by, retry_for, pg_catalog.date_part('epoch', retry_for), compare, \
                guard_percent, guard_rows, max_messages_per_second \
         FROM sqs_sync.definition WHERE sync_id = $1 AND version = $2",
        &[sync_id.into(), version.into()],
        read,
    )?
    .ok_or_else(|| Error::internal(format!("sync {sync_id} has no definition {version}")))
}

/// The most messages a second.
pub fn max_rate(sync_id: i32, version: i32) -> Result<Option<f64>> {
    let rate = sql::row(
        "SELECT max_messages_per_second FROM sqs_sync.definition WHERE sync_id = $1 AND version = $2",
        &[sync_id.into(), version.into()],
        |row| row.get(1),
    )?;
    Ok(rate.flatten())
}

/// The syncs whose current definition names this server, each with its version.
pub fn of_server(server: &str) -> Result<Vec<(i32, i32)>> {
    sql::rows(
        "SELECT s.sync_id, s.version FROM sqs_sync.sync s \
         JOIN sqs_sync.definition d ON d.sync_id = s.sync_id AND d.version = s.version WHERE d.server = $1",
        &[server.into()],
        |row| Ok((row.need(1)?, row.need(2)?)),
    )
}

pub fn insert(sync_id: i32, version: i32, definition: &Definition) -> Result<()> {
    let events: BTreeMap<&str, &OwnDefinition> = Event::ALL
        .into_iter()
        .filter_map(|event| Some((event.as_str(), definition.events.get(event).as_ref()?)))
        .collect();
    sql::execute(
        "INSERT INTO sqs_sync.definition (sync_id, version, server, message, events, order_by, retry_for, compare, \
                                          guard_percent, guard_rows, max_messages_per_second) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            sync_id.into(),
            version.into(),
            definition.server.as_str().into(),
            to_json(&definition.message)?.into(),
            to_json(&events)?.into(),
            definition.order_by.clone().into(),
            definition.retry_for.into(),
            definition.compare.clone().into(),
            definition.guard.percent.into(),
            definition.guard.rows.into(),
            definition.max_messages_per_second.into(),
        ],
    )?;
    Ok(())
}
