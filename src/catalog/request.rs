//! `sqs_sync.request`: the request log, a row a call of SQS's API. Only a sync's runner writes it,
//! in the transaction that settles what the calls came to.

use publisher::Body;

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
    pub request: Body,
    pub response: Response,
    /// Calls before it that could not be kept.
    pub dropped: i64,
}

/// The text of an answer, which is JSON.
pub enum Response {
    None,
    AsItCame(Body),
    Quoted(String),
}

impl Response {
    fn text(&self) -> Option<&str> {
        match self {
            Response::None => None,
            Response::AsItCame(body) => text_of(body),
            Response::Quoted(text) => Some(text),
        }
    }
}

/// A body that is text, and holds nothing that a text of Postgres cannot.
pub fn text_of(body: &Body) -> Option<&str> {
    std::str::from_utf8(body.bytes()?).ok().filter(|text| !text.contains('\0'))
}

impl Request {
    /// What it takes in the table, in bytes, but for its header.
    pub fn bytes(&self) -> usize {
        let texts = [self.error.as_deref(), text_of(&self.request), self.response.text()];
        let texts: usize = texts.into_iter().flatten().map(str::len).sum();
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
            column!(r => text_of(&r.request)),
            column!(r => r.request.length() as i32),
            column!(r => r.response.text()),
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

/// The last call that has to go for the later ones to have room; 0: none has.
pub fn beyond(sync_id: i32, bytes: i64) -> Result<i64> {
    sql::row(
        "SELECT request_id FROM ( \
           SELECT request_id, pg_catalog.sum(bytes) OVER (ORDER BY request_id DESC) AS total \
           FROM sqs_sync.request WHERE sync_id = $1) AS r \
         WHERE total > $2 ORDER BY request_id DESC LIMIT 1",
        &[sync_id.into(), bytes.into()],
        |row| row.need(1),
    )
    .map(Option::unwrap_or_default)
}

/// Calls that are deleted at once.
const AT_ONCE: i64 = 1000;

/// Deletes some of the oldest calls: those up to `through`, and those that are older than so many
/// minutes. Returns whether there may be more.
pub fn delete_some(sync_id: i32, through: i64, minutes: i32) -> Result<bool> {
    let deleted = sql::execute(
        "DELETE FROM sqs_sync.request AS r USING ( \
           SELECT request_id FROM sqs_sync.request WHERE sync_id = $1 ORDER BY request_id LIMIT $4) AS o \
         WHERE r.sync_id = $1 AND r.request_id = o.request_id AND (r.request_id <= $2 \
           OR r.at < pg_catalog.clock_timestamp() - pg_catalog.make_interval(mins => $3))",
        &[sync_id.into(), through.into(), minutes.into(), AT_ONCE.into()],
    )?;
    Ok(deleted as i64 == AT_ONCE)
}
