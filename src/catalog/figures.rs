//! What is counted of a run, in its row of `sqs_sync.run`: what its diff found, what became of it and
//! why, and what that took of SQS. Each moves in the transaction that moves what is counted.

use std::collections::BTreeMap;

use message::PerEvent;

use crate::pg::Result;
use crate::pg::sql::{self, Row};

/// What the diff found.
pub struct Found {
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    /// Of these, what moved the snapshot at once: no message is due.
    pub silent: i64,
    pub rejected: i64,
    /// Of the rejected ones those that were left alone, as they were rejected before.
    pub still_rejected: i64,
    /// Rows that were left alone, as they were dismissed.
    pub dismissed: i64,
}

/// In the diff's transaction: the run now publishes.
pub fn set_found(run_id: i64, found: &Found) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET state = 'publishing', attempts = 0, \
         diff_took = pg_catalog.clock_timestamp() - pg_catalog.now(), diffed_at = pg_catalog.clock_timestamp(), rows_added = $2, rows_changed = $3, \
         rows_removed = $4, rows_silent = $5, rejected = rejected + $6, still_rejected = $7, dismissed = $8 \
         WHERE run_id = $1",
        &[
            run_id.into(),
            found.added.into(),
            found.changed.into(),
            found.removed.into(),
            found.silent.into(),
            found.rejected.into(),
            found.still_rejected.into(),
            found.dismissed.into(),
        ],
    )?;
    Ok(())
}

/// Adds to the counts of a run, in the transaction that moves what is counted.
pub fn count(run_id: i64, published: i64, rejected: i64, resent: i64) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET published = published + $2, rejected = rejected + $3, \
         resent = resent + $4, attempts = 0 WHERE run_id = $1",
        &[run_id.into(), published.into(), rejected.into(), resent.into()],
    )?;
    Ok(())
}

/// What a run would announce that is to be held.
pub fn set_due(run_id: i64, due: &PerEvent<i64>) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET rows_added = $2, rows_changed = $3, rows_removed = $4 WHERE run_id = $1",
        &[run_id.into(), due.added.into(), due.changed.into(), due.removed.into()],
    )?;
    Ok(())
}

/// How many rows were not told, by the code of the reason.
pub type Reasons = BTreeMap<String, i64>;

pub fn add_reasons(run_id: i64, reasons: &Reasons) -> Result<()> {
    if reasons.is_empty() {
        return Ok(());
    }
    let (codes, counts): (Vec<String>, Vec<i64>) =
        reasons.iter().map(|(code, count)| (code.clone(), *count)).unzip();
    sql::execute(
        "UPDATE sqs_sync.run SET reasons = ( \
           SELECT pg_catalog.jsonb_object_agg(code, rows) FROM ( \
             SELECT code, pg_catalog.sum(rows) AS rows FROM ( \
               SELECT key, value::pg_catalog.int8 FROM pg_catalog.jsonb_each_text(reasons) \
               UNION ALL SELECT * FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) AS n (code, rows)) AS u (code, rows) \
             GROUP BY code) AS s) \
         WHERE run_id = $1",
        &[run_id.into(), codes.into(), counts.into()],
    )?;
    Ok(())
}

/// What a run has asked of SQS, over all runners that had a part in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    pub calls: i64,
    pub failed_calls: i64,
    pub throttled: i64,
    pub retries: i64,
    pub bytes: i64,
    pub possible_duplicates: i64,
    pub latencies: Vec<i64>,
}

pub fn traffic(run_id: i64) -> Result<Traffic> {
    let statement = "SELECT calls, failed_calls, throttled, retries, bytes, possible_duplicates, latencies \
                     FROM sqs_sync.run WHERE run_id = $1";
    let read = |row: &Row<'_>| {
        Ok(Traffic {
            calls: row.need(1)?,
            failed_calls: row.need(2)?,
            throttled: row.need(3)?,
            retries: row.need(4)?,
            bytes: row.need(5)?,
            possible_duplicates: row.need(6)?,
            latencies: row.need(7)?,
        })
    };
    Ok(sql::row(statement, &[run_id.into()], read)?.unwrap_or_default())
}

pub fn set_traffic(run_id: i64, traffic: &Traffic) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET calls = $2, failed_calls = $3, throttled = $4, retries = $5, bytes = $6, \
         possible_duplicates = $7, latencies = $8 WHERE run_id = $1",
        &[
            run_id.into(),
            traffic.calls.into(),
            traffic.failed_calls.into(),
            traffic.throttled.into(),
            traffic.retries.into(),
            traffic.bytes.into(),
            traffic.possible_duplicates.into(),
            traffic.latencies.clone().into(),
        ],
    )?;
    Ok(())
}
