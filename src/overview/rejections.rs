//! `sqs_sync.rejections`, by reason.

use report::data::{Reason, Rejection, Rejections};
use report::text::Text;
use report::time::Time;

use super::{maybe_text, millis, only, text};
use crate::pg::Result;
use crate::pg::sql;

/// Reasons that get examples, and how many each.
const WITH_EXAMPLES: usize = 12;
const EXAMPLES: i32 = 3;

/// How many syncs have rejections that are not the caller's to see is known already.
pub fn read(name: Option<&str>, hidden_syncs: i64) -> Result<Rejections> {
    let mut reasons = reasons(name)?;
    let codes = reasons.iter().take(WITH_EXAMPLES).map(|reason| reason.code.as_str());
    for (code, example) in examples(name, codes.collect())? {
        if let Some(reason) = reasons.iter_mut().find(|reason| reason.code == code) {
            reason.examples.push(example);
        }
    }
    Ok(Rejections { reasons, hidden_syncs })
}

fn reasons(name: Option<&str>) -> Result<Vec<Reason>> {
    let (is_meant, arguments) = only("j.sync", name);
    let statement = format!(
        "SELECT j.code, j.sync, count(*), min({first}), max({last}) FROM sqs_sync.rejections j \
         WHERE {is_meant} GROUP BY j.code, j.sync ORDER BY j.code, count(*) DESC, j.sync",
        first = millis("j.first_at"),
        last = millis("j.last_at")
    );
    let of_syncs = sql::rows(&statement, &arguments, |row| {
        Ok(Reason {
            code: text(row, 1)?,
            syncs: vec![(text(row, 2)?, row.need(3)?)],
            keys: row.need(3)?,
            first_at: Time(row.need(4)?),
            last_at: Time(row.need(5)?),
            examples: Vec::new(),
        })
    })?;
    let mut reasons: Vec<Reason> = Vec::new();
    for one in of_syncs {
        match reasons.last_mut().filter(|reason| reason.code == one.code) {
            Some(reason) => {
                reason.syncs.extend(one.syncs);
                reason.keys += one.keys;
                reason.first_at = reason.first_at.min(one.first_at);
                reason.last_at = reason.last_at.max(one.last_at);
            }
            None => reasons.push(one),
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.keys));
    Ok(reasons)
}

/// The latest of each of these reasons, with the reason's code.
fn examples(name: Option<&str>, codes: Vec<&str>) -> Result<Vec<(Text, Rejection)>> {
    let (is_meant, mut arguments) = only("j.sync", name);
    arguments.push(codes.into());
    let statement = format!(
        "SELECT j.sync, j.key, j.message_id, j.event, j.reason, j.hint, j.attempts, {}, j.code, j.retried_when \
         FROM (SELECT j.*, row_number() OVER (PARTITION BY j.code ORDER BY j.last_at DESC, j.key) AS place \
               FROM sqs_sync.rejections j WHERE {is_meant} AND j.code = ANY (${})) j \
         WHERE j.place <= {EXAMPLES} ORDER BY j.place",
        millis("j.last_at"),
        arguments.len()
    );
    sql::rows(&statement, &arguments, |row| {
        let example = Rejection {
            sync: text(row, 1)?,
            key: text(row, 2)?,
            message_id: maybe_text(row, 3)?,
            event: maybe_text(row, 4)?,
            reason: text(row, 5)?,
            hint: maybe_text(row, 6)?,
            attempts: row.need(7)?,
            last_at: Time(row.need(8)?),
            retried_when: text(row, 10)?,
        };
        Ok((text(row, 9)?, example))
    })
}
