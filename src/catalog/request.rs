//! `sqs_sync.request`: the request log, a row a call of SQS's API. Only a sync's runner writes it,
//! in the transaction that settles what the calls came to.

use crate::pg::Result;
use crate::pg::sql;

/// A call as it is kept.
pub struct Request {
    /// Seconds since 1970.
    pub at: f64,
    pub operation: &'static str,
    pub queue: String,
    pub attempt: i32,
    pub latency_ms: f64,
    pub status: Option<i32>,
    pub aws_request_id: Option<String>,
    pub error: Option<String>,
    /// A JSON array of arrays: change id, event, key, and of what was not accepted the result,
    /// the code and the error.
    pub entries: String,
    /// The body as it was sent, which is JSON; None: it was too long to be kept.
    pub request: Option<String>,
    pub request_bytes: i32,
    /// The answer as JSON.
    pub response: Option<String>,
    /// Calls before it that could not be kept.
    pub dropped: i64,
}

impl Request {
    /// What it takes in the table, in bytes, but for its header.
    pub fn bytes(&self) -> usize {
        let texts = [&self.error, &self.request, &self.response];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        FIXED + self.queue.len() + self.entries.len() + texts
    }
}

/// What the columns of no great length take, and the row's header.
const FIXED: usize = 150;

/// Writes calls. Nothing is written of a sync that is gone.
pub fn put(sync_id: i32, run_id: i64, requests: &[Request]) -> Result<()> {
    macro_rules! column {
        ($request:ident => $value:expr) => {
            requests.iter().map(|$request| $value).collect::<Vec<_>>().into()
        };
    }
    sql::execute(
        "INSERT INTO sqs_sync.request (sync_id, run_id, at, operation, queue, attempt, latency_ms, status, \
           aws_request_id, error, entries, request, request_bytes, response, dropped, bytes) \
         SELECT s.sync_id, $2, pg_catalog.to_timestamp(r.at), r.operation, r.queue, r.attempt, r.latency_ms, r.status, \
           r.aws_request_id, r.error, r.entries, r.request, r.request_bytes, r.response, r.dropped, r.bytes \
         FROM sqs_sync.sync AS s, ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4), pg_catalog.unnest($5), \
           pg_catalog.unnest($6), pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9), \
           pg_catalog.unnest($10), pg_catalog.unnest($11), pg_catalog.unnest($12), pg_catalog.unnest($13), \
           pg_catalog.unnest($14), pg_catalog.unnest($15), pg_catalog.unnest($16)) \
           AS r (at, operation, queue, attempt, latency_ms, status, aws_request_id, error, entries, request, \
                 request_bytes, response, dropped, bytes) \
         WHERE s.sync_id = $1",
        &[
            sync_id.into(),
            run_id.into(),
            column!(r => r.at),
            column!(r => r.operation),
            column!(r => r.queue.as_str()),
            column!(r => r.attempt),
            column!(r => r.latency_ms),
            column!(r => r.status),
            column!(r => r.aws_request_id.as_deref()),
            column!(r => r.error.as_deref()),
            column!(r => r.entries.as_str()),
            column!(r => r.request.as_deref()),
            column!(r => r.request_bytes),
            column!(r => r.response.as_deref()),
            column!(r => r.dropped),
            column!(r => r.bytes() as i32),
        ],
    )?;
    Ok(())
}

/// How many of `calls` were kept after a call.
pub fn count_after(sync_id: i32, after_id: i64, calls: i64) -> Result<i64> {
    sql::value(
        "SELECT count(*) FROM (SELECT 1 FROM sqs_sync.request \
           WHERE sync_id = $1 AND request_id > $2 LIMIT $3) AS r",
        &[sync_id.into(), after_id.into(), calls.into()],
    )
}

/// The id of the last call that was kept of any sync.
pub fn last_id() -> Result<i64> {
    sql::value(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM sqs_sync.request_id_seq",
        &[],
    )
}

pub fn forget(sync_id: i32) -> Result<()> {
    sql::execute("DELETE FROM sqs_sync.request WHERE sync_id = $1", &[sync_id.into()])?;
    Ok(())
}

/// The last call that has to go, for the later ones to have room and to be no older than so many
/// minutes; 0: none has.
pub fn beyond(sync_id: i32, bytes: i64, minutes: i32) -> Result<i64> {
    let too_many: Option<i64> = sql::row(
        "SELECT request_id FROM ( \
           SELECT request_id, pg_catalog.sum(bytes) OVER (ORDER BY request_id DESC) AS total \
           FROM sqs_sync.request WHERE sync_id = $1) AS r \
         WHERE total > $2 ORDER BY request_id DESC LIMIT 1",
        &[sync_id.into(), bytes.into()],
        |row| row.need(1),
    )?;
    // Calls are kept in the order of their ends: before the first that is young enough.
    let too_old: Option<i64> = sql::row(
        "SELECT request_id - 1 FROM sqs_sync.request WHERE sync_id = $1 \
           AND at >= pg_catalog.clock_timestamp() - pg_catalog.make_interval(mins => $2) \
         ORDER BY request_id LIMIT 1",
        &[sync_id.into(), minutes.into()],
        |row| row.need(1),
    )?;
    Ok(too_many.unwrap_or_default().max(too_old.unwrap_or(i64::MAX)))
}

/// Calls that are deleted at once.
const AT_ONCE: i64 = 1000;

/// Deletes some of the oldest calls, up to `through`. Returns whether there may be more.
///
/// A range of the index, which no statistics lead the planner away from.
pub fn delete_some(sync_id: i32, through: i64) -> Result<bool> {
    let deleted = sql::execute(
        "DELETE FROM sqs_sync.request WHERE sync_id = $1 AND request_id <= LEAST($2, ( \
           SELECT request_id FROM sqs_sync.request WHERE sync_id = $1 \
           ORDER BY request_id OFFSET $3 - 1 LIMIT 1))",
        &[sync_id.into(), through.into(), AT_ONCE.into()],
    )?;
    Ok(deleted as i64 == AT_ONCE)
}
