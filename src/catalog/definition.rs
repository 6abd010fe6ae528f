//! `sqs_sync.definition`: what a sync publishes, a row a version.

use message::{Event, Source};
use pgrx::datum::Interval;
use pgrx::datum::JsonString;

use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

#[derive(Clone, Debug)]
pub struct Definition {
    pub server: String,
    pub queue: String,
    pub source: Source,
    /// The events that are published; others move the snapshot silently.
    pub events: Vec<Event>,
    pub order_by: Option<String>,
    pub retry_for: Interval,
    /// `retry_for` in seconds.
    pub retry_seconds: f64,
}

fn read(row: &Row<'_>) -> Result<Definition> {
    let json = |column| Ok::<_, Error>(row.get::<JsonString>(column)?.map(|json| json.0));
    Ok(Definition {
        server: row.need(1)?,
        queue: row.need(2)?,
        source: Source {
            template: row.get(3)?,
            body_column: row.get(4)?,
            fields: json(5)?,
            attributes: json(6)?,
            ..Source::default()
        },
        events: parse_events(&row.need::<Vec<String>>(7)?)?,
        order_by: row.get(8)?,
        retry_for: row.need(9)?,
        retry_seconds: row.need(10)?,
    })
}

/// The events named, without repeats.
pub fn parse_events(names: &[String]) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for name in names {
        let event = name.parse::<Event>().map_err(|_| {
            Error::invalid(format!("unrecognized event \"{name}\""))
                .hint("Events are added, changed and removed.")
        })?;
        if !events.contains(&event) {
            events.push(event);
        }
    }
    match events.is_empty() {
        true => {
            Err(Error::invalid("events is empty").hint("Events are added, changed and removed."))
        }
        false => Ok(events),
    }
}

pub fn load(sync_id: i32, version: i32) -> Result<Definition> {
    sql::row(
        "SELECT server, queue, template, body_column, fields, attributes, events, order_by, retry_for, \
                pg_catalog.date_part('epoch', retry_for) \
         FROM sqs_sync.definition WHERE sync_id = $1 AND version = $2",
        &[sync_id.into(), version.into()],
        read,
    )?
    .ok_or_else(|| Error::internal(format!("sync {sync_id} has no definition {version}")))
}

pub fn insert(sync_id: i32, version: i32, definition: &Definition) -> Result<()> {
    let source = &definition.source;
    let json = |text: &Option<String>| text.clone().map(JsonString);
    let events: Vec<String> = definition.events.iter().map(|e| e.as_str().to_owned()).collect();
    sql::execute(
        "INSERT INTO sqs_sync.definition \
           (sync_id, version, server, queue, template, body_column, fields, attributes, events, order_by, retry_for) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            sync_id.into(),
            version.into(),
            definition.server.as_str().into(),
            definition.queue.as_str().into(),
            source.template.clone().into(),
            source.body_column.clone().into(),
            json(&source.fields).into(),
            json(&source.attributes).into(),
            events.into(),
            definition.order_by.clone().into(),
            definition.retry_for.into(),
        ],
    )?;
    Ok(())
}
