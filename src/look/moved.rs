//! Columns that say where a row's messages go, and are not part of its key: a row that changes
//! such a column is announced in its new place only, and whoever reads the old one is not told.

use message::{Definition as Compiled, Event, Property, Source};

use crate::catalog::{Definition, Sync};
use crate::pg::Result;

/// A property of the message and the columns that it comes from, those of the key left out.
#[derive(PartialEq)]
pub struct Moved {
    pub property: Property,
    pub columns: Vec<String>,
}

/// Where queue or group of some event come from such columns.
pub fn moved(sync: &Sync, definition: &Definition, columns: &[String]) -> Result<Vec<Moved>> {
    let mut found = Vec::new();
    for event in Event::ALL {
        let Some(own) = definition.events.get(event) else { continue };
        let of_event = definition.message.overridden(&own.message);
        for property in [Property::Queue, Property::GroupId] {
            let columns = columns_of(property, &of_event, sync, columns)?;
            let moved = Moved { property, columns };
            if !moved.columns.is_empty() && !found.contains(&moved) {
                found.push(moved);
            }
        }
    }
    Ok(found)
}

/// What a definition reads that has nothing else in it but this property.
fn columns_of(
    property: Property,
    source: &Source,
    sync: &Sync,
    columns: &[String],
) -> Result<Vec<String>> {
    let fixed = |text: &str| Some(text.to_owned());
    let (queue, group_id) = match property {
        Property::Queue => (source.queue.clone(), fixed("all")),
        _ => (fixed("any.fifo"), source.group_id.clone().or_else(|| fixed("all"))),
    };
    let alone = Source { queue, group_id, template: fixed("1"), ..Source::default() };
    let context = message::Context {
        columns,
        key: &sync.key,
        sync_name: &sync.name,
        sync_uuid: &sync.uuid,
        allowed_queues: None,
    };
    let used = Compiled::compile(&alone, &context)?.columns_used().row.clone();
    let names = used.iter().filter_map(|place| columns.get(*place));
    Ok(names.filter(|name| !sync.key.contains(name)).cloned().collect())
}
