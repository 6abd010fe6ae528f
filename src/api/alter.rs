//! `sqs_sync_alter`.

use message::{Event, Override, Property, Source};
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::{Own, own_sync};
use super::syncs::{Answer, check_definition, check_retry, named, required};
use crate::catalog::definition::check_rate;
use crate::catalog::{self, Definition, Guard};
use crate::changes::{columns, tables};
use crate::pg::error::shown;
use crate::pg::rights::as_superuser;
use crate::pg::{Error, Result, sql};

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments, reason = "they are the SQL function's")]
fn sqs_sync_alter(
    name: Option<&str>,
    server: Option<String>,
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
    events: Option<Vec<String>>,
    compare: Option<String>,
    order_by: Option<String>,
    retry_for: Option<Interval>,
    guard_share: Option<&str>,
    guard_rows: Option<i64>,
    max_messages_per_second: Option<f64>,
    reset: Option<Vec<String>>,
) -> Answer<()> {
    let alter = || {
        let own = own_sync(required("name", name)?)?;
        let mut definition =
            as_superuser(|| catalog::definition::load(own.sync.id, own.sync.version))?;
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
        let mut change = Override { set, unset: Vec::new() };
        let own_options = [
            ("events", events.is_some()),
            ("compare", compare.is_some()),
            ("order_by", order_by.is_some()),
            ("retry_for", retry_for.is_some()),
            ("guard_share", guard_share.is_some()),
            ("guard_rows", guard_rows.is_some()),
            ("max_messages_per_second", max_messages_per_second.is_some()),
        ];
        for option in reset.unwrap_or_default() {
            let is_given = own_options.contains(&(option.as_str(), true))
                || option.parse().is_ok_and(|property| change.set.has(property));
            if is_given {
                return Err(Error::invalid(format!("{option} is given, and in reset too")));
            }
            unset(&mut definition, &mut change, &option)?;
        }
        definition.message = definition.message.overridden(&change);
        definition.server = server.unwrap_or(definition.server);
        definition.compare = compare.or(definition.compare);
        definition.order_by = order_by.or(definition.order_by);
        if let Some(events) = events {
            definition.publish_only(&catalog::definition::parse_events(&events)?);
        }
        if let Some(retry_for) = retry_for {
            definition.retry_for = check_retry(retry_for)?;
        }
        if let Some(share) = guard_share {
            definition.guard.percent = Guard::parse_share(share)?;
        }
        if let Some(rows) = guard_rows {
            definition.guard.rows = Guard::check_rows(rows)?;
        }
        if let Some(per_second) = max_messages_per_second {
            definition.max_messages_per_second = Some(check_rate(per_second)?);
        }
        alter(&own, &definition)
    };
    alter().map_err(ErrorReport::from)
}

/// Unsets an option, or sets it to its default.
fn unset(definition: &mut Definition, change: &mut Override, option: &str) -> Result<()> {
    match (option, option.parse::<Property>()) {
        (_, Ok(property)) if property != Property::Queue => change.unset.push(property),
        ("compare", _) => definition.compare = None,
        ("order_by", _) => definition.order_by = None,
        ("events", _) => definition.publish_only(&Event::ALL),
        ("retry_for", _) => {
            definition.retry_for = sql::value("SELECT pg_catalog.make_interval(mins => 5)", &[])?
        }
        ("guard_share", _) => definition.guard.percent = Guard::DEFAULT.percent,
        ("guard_rows", _) => definition.guard.rows = Guard::DEFAULT.rows,
        ("max_messages_per_second", _) => definition.max_messages_per_second = None,
        (other, _) => {
            return Err(Error::invalid(format!("option \"{}\" cannot be reset", shown(other)))
                .hint("Options that can be reset are: template, body_column, fields, format, attributes, message_id, group_id, dedup_id, dedup, delay_seconds, events, compare, order_by, retry_for, guard_share, guard_rows, max_messages_per_second."));
        }
    }
    Ok(())
}

pub fn alter(own: &Own, definition: &Definition) -> Result<()> {
    let owner = own.owner()?;
    as_superuser(|| {
        let columns = columns::of_table(tables::oid(&own.tables.snapshot)?)?;
        check_definition(&own.sync, definition, &columns, owner)?;
        let version = own.sync.version + 1;
        catalog::definition::insert(own.sync.id, version, definition)?;
        catalog::sync::set_version(own.sync.id, version)
    })
}
