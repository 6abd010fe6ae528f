//! The story of one row, by its key: what the queue has been told, what waits, what is rejected, and
//! each call that is kept and had it in it.

use message::row_as_json;
use pgrx::datum::TimestampWithTimeZone;

use super::given::Key;
use crate::catalog::position;
use crate::changes::key;
use crate::pg::hash;
use crate::pg::rights::as_superuser;
use crate::pg::rows::{self, Limit};
use crate::pg::transaction::timeline;
use crate::pg::{Error, Result, rights, sql};
use crate::run::owned::{Owned, Shape};

/// One thing that is known of the row.
pub struct Step {
    /// None: now.
    pub at: Option<TimestampWithTimeZone>,
    pub what: String,
    pub event: Option<String>,
    pub run_id: Option<i64>,
    pub change_id: Option<i64>,
    pub message_id: Option<String>,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub request_id: Option<i64>,
}

/// In the order of time; what is so now at the end.
pub fn trace(owned: &Owned, given: &str) -> Result<Vec<Step>> {
    let key = Key::parse(owned, given)?;
    let shape = as_superuser(|| Shape::of(owned))?;
    let of_key = |i: usize| format!("k.{}", shape.key[i].column.quoted());
    let relation = key.relation(owned);
    let (printed, sent) = (key.printed(owned)?, sent(owned, &shape, &relation)?);
    let mut steps = as_superuser(|| {
        let mut steps = rejections(owned, &printed)?;
        steps.extend(calls(owned, &sent)?);
        Ok(steps)
    })?;
    steps.sort_by_key(|step| step.at);
    let same = |of: &str| {
        key::equal(&shape.key, |i| format!("{of}.{}", shape.key[i].column.quoted()), of_key)
    };
    steps.extend(waiting(owned, &relation, &same("c"))?);
    steps.push(told(owned, &relation, &same("s"))?);
    Ok(steps)
}

/// The key as the log of calls has it.
fn sent(owned: &Owned, shape: &Shape, relation: &str) -> Result<String> {
    let values: Vec<String> =
        shape.key.iter().map(|k| format!("k.{}", k.column.quoted())).collect();
    let read = format!(
        "SELECT 0::pg_catalog.int8, 'key'::pg_catalog.text, {} FROM {relation}",
        values.join(", ")
    );
    let limit = Limit { rows: 1, bytes: usize::MAX };
    let read = owned.as_owner(|| {
        rights::pin_output();
        rows::read_changes(&read, &[], values.len(), limit)
    })?;
    let row = read.into_iter().next().and_then(|row| row_as_json(&owned.sync.key, &row.values));
    row.ok_or_else(|| Error::internal("a key has no values"))
}

fn rejections(owned: &Owned, key: &str) -> Result<Vec<Step>> {
    sql::rows(
        "SELECT last_at, CASE WHEN dismissed_at IS NULL THEN 'rejected' ELSE 'rejected, and dismissed by ' || dismissed_by END, \
                event, run_id, message_id, code, reason FROM sqs_sync.rejection \
         WHERE sync_id = $1 AND pg_catalog.md5(key) = pg_catalog.md5($2) AND key = $2",
        &[owned.sync.id.into(), key.into()],
        |row| {
            Ok(Step {
                at: row.get(1)?,
                what: row.need(2)?,
                event: row.get(3)?,
                run_id: row.get(4)?,
                change_id: None,
                message_id: row.get(5)?,
                code: row.get(6)?,
                detail: row.get(7)?,
                request_id: None,
            })
        },
    )
}

/// Calls of the log that had the row in them.
fn calls(owned: &Owned, key: &str) -> Result<Vec<Step>> {
    sql::rows(
        "SELECT r.at, COALESCE(e.entry ->> 3, 'accepted'), e.entry ->> 1, r.run_id, (e.entry ->> 0)::int8, \
                (SELECT a ->> 'MessageId' \
                 FROM json_array_elements(CASE json_typeof(r.response::json -> 'Successful') \
                        WHEN 'array' THEN r.response::json -> 'Successful' END) AS a \
                 WHERE a ->> 'Id' = (e.place - 1)::text LIMIT 1), \
                e.entry ->> 4, e.entry ->> 5, r.request_id \
         FROM sqs_sync.request AS r, json_array_elements(r.entries::json) WITH ORDINALITY AS e (entry, place) \
         WHERE r.sync_id = $1 AND strpos(r.entries, $2) > 0 AND (e.entry -> 2)::text = $2",
        &[owned.sync.id.into(), key.into()],
        |row| {
            Ok(Step {
                at: row.get(1)?,
                what: row.need(2)?,
                event: row.get(3)?,
                run_id: row.get(4)?,
                change_id: row.get(5)?,
                message_id: row.get(6)?,
                code: row.get(7)?,
                detail: row.get(8)?,
                request_id: row.get(9)?,
            })
        },
    )
}

/// What the change set has of the row.
fn waiting(owned: &Owned, relation: &str, same_key: &str) -> Result<Vec<Step>> {
    let statement = format!(
        "SELECT c.sqs_sync_change_id, c.sqs_sync_event FROM ONLY {} AS c, {relation} WHERE {same_key}",
        owned.tables.changes
    );
    let found: Vec<(i64, String)> =
        owned.as_owner(|| sql::rows(&statement, &[], |row| Ok((row.need(1)?, row.need(2)?))))?;
    let is_unsent = |id: i64| {
        let through = position::handed_through(owned.sync.id, timeline())?;
        let is_aside: bool = sql::value(
            "SELECT EXISTS (SELECT 1 FROM sqs_sync.waiting WHERE sync_id = $1 AND change_id = $2 AND NOT in_doubt)",
            &[owned.sync.id.into(), id.into()],
        )?;
        Ok(id > through || is_aside)
    };
    found
        .into_iter()
        .map(|(id, event)| {
            let what = match as_superuser(|| is_unsent(id))? {
                true => "waits to be sent",
                false => "is being sent, or in doubt",
            };
            Ok(Step { event: Some(event), change_id: Some(id), ..Step::now(what) })
        })
        .collect()
}

fn told(owned: &Owned, relation: &str, same_key: &str) -> Result<Step> {
    let statement = format!(
        "SELECT s.sqs_sync_hash_version FROM ONLY {} AS s, {relation} WHERE {same_key}",
        owned.tables.snapshot
    );
    let version: Option<i16> = owned.as_owner(|| sql::row(&statement, &[], |row| row.need(1)))?;
    Ok(Step::now(match version {
        Some(hash::PERHAPS_TOLD) => "the queue may have been told of it, or of its removal",
        Some(_) => "the queue has been told of it",
        None => "the queue knows nothing of it",
    }))
}

impl Step {
    fn now(what: &str) -> Step {
        Step {
            at: None,
            what: what.to_owned(),
            event: None,
            run_id: None,
            change_id: None,
            message_id: None,
            code: None,
            detail: None,
            request_id: None,
        }
    }
}
