//! `sqs_sync_preview`, `render` and `test`: what would be sent, and one message that is.

use pgrx::iter::TableIterator;
use pgrx::prelude::*;

use super::access::readable_sync;
use super::syncs::{Answer, required};
use crate::catalog::definition::parse_event;
use crate::home;
use crate::look::trial::{self, Trial};
use crate::look::{Shown, check_not_inside, preview, single};
use crate::pg::{Error, Result};
use crate::run::owned::Owned;

/// A change as it would be sent. (A json column is given as the text that it is.)
type Rows = TableIterator<
    'static,
    (
        name!(key, String),
        name!(event, Option<String>),
        name!(queue, Option<String>),
        name!(group_id, Option<String>),
        name!(dedup_id, Option<String>),
        name!(delay_seconds, Option<i32>),
        name!(attributes, Option<String>),
        name!(body, Option<String>),
        name!(bytes, Option<i32>),
        name!(problem, Option<String>),
        name!(hint, Option<String>),
        name!(row, Option<String>),
        name!(old, Option<String>),
        name!(change_id, Option<i64>),
    ),
>;

#[pg_extern(sql = false)]
fn sqs_sync_preview(name: Option<&str>, count: Option<i32>) -> Answer<Rows> {
    let preview = || {
        let owned = owned("sqs_sync_preview", name)?;
        let count = required("count", count)?;
        let count = usize::try_from(count).map_err(|_| Error::invalid("count is negative"))?;
        Ok(rows(preview::preview(owned, count)?))
    };
    preview().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_render(name: Option<&str>, key: Option<&str>, event: Option<&str>) -> Answer<Rows> {
    let render = || {
        let owned = owned("sqs_sync_render", name)?;
        let event = event.map(parse_event).transpose()?;
        Ok(rows(vec![single::render(owned, required("key", key)?, event)?]))
    };
    render().map_err(|error: Error| error.into())
}

/// The sync of that name, for one who has its owner's rights and is not a model.
pub fn owned(function: &str, name: Option<&str>) -> Result<Owned> {
    check_not_inside(function)?;
    let own = readable_sync(required("name", name)?)?;
    let owner = own.owner()?;
    Ok(Owned { sync: own.sync, tables: own.tables, owner })
}

fn rows(shown: Vec<Shown>) -> Rows {
    TableIterator::new(shown.into_iter().map(|shown| {
        let (problem, attributes) = (shown.problem(), shown.attributes());
        let Shown { change_id, event, key, message, dedup_id, row, old, .. } = shown;
        let (message, hint) = match message {
            Ok(message) => (Some(message), None),
            Err(refused) => (None, refused.hint),
        };
        let of = message.as_ref();
        (
            key,
            event,
            of.map(|message| message.queue.to_string()),
            of.and_then(|message| Some(message.group_id.as_ref()?.to_string())),
            dedup_id,
            of.and_then(|message| message.delay_seconds.map(i32::from)),
            attributes,
            of.map(|message| message.body.clone()),
            of.and_then(|message| i32::try_from(message.size()).ok()),
            problem,
            hint,
            row,
            old,
            change_id,
        )
    }))
}

/// SQS's answer to one message.
type Answered = TableIterator<
    'static,
    (
        name!(key, String),
        name!(event, Option<String>),
        name!(queue, Option<String>),
        name!(queue_url, Option<String>),
        name!(dedup_id, Option<String>),
        name!(message_id, Option<String>),
        name!(sequence_number, Option<String>),
        name!(request_id, Option<String>),
        name!(code, Option<String>),
        name!(error, Option<String>),
        name!(hint, Option<String>),
    ),
>;

#[pg_extern(sql = false)]
fn sqs_sync_test(name: Option<&str>, key: Option<&str>, event: Option<&str>) -> Answer<Answered> {
    let test = || {
        let owned = owned("sqs_sync_test", name)?;
        home::check()?;
        let event = event.map(parse_event).transpose()?;
        Ok(answered(trial::send(owned, key, event)?))
    };
    test().map_err(|error: Error| error.into())
}

fn answered(trial: Trial) -> Answered {
    let Trial { key, event, queue, dedup_id, outcome } = trial;
    let (receipt, refused) = match outcome {
        Ok(receipt) => (Some(receipt), None),
        Err(refused) => (None, Some(refused)),
    };
    let of = receipt.as_ref();
    TableIterator::once((
        key,
        event,
        queue,
        of.map(|receipt| receipt.queue_url.clone()),
        dedup_id,
        of.map(|receipt| receipt.message_id.clone()),
        of.and_then(|receipt| receipt.sequence_number.clone()),
        of.and_then(|receipt| receipt.request_id.clone()),
        refused.as_ref().map(|refused| refused.code.clone()),
        refused.as_ref().map(|refused| refused.reason.clone()),
        refused.and_then(|refused| refused.hint),
    ))
}
