//! The last of `sqs_sync.requests`, which `sqs_sync.recent_requests` finds without reading the others.

use report::data::Call;
use report::time::{Duration, Time};

use super::{maybe_text, millis, only, text};
use crate::pg::Result;
use crate::pg::sql;

/// No more than the view has of each sync.
const SHOWN: i32 = 20;

/// The newest first. Which they are is read from the index alone; then what they are, by OFFSET 0 one
/// at a time.
pub fn read(name: Option<&str>) -> Result<Vec<Call>> {
    let (is_meant, arguments) = only("r.sync", name);
    let statement = format!(
        "SELECT q.request_id, q.sync, q.run_id, {}, q.operation, q.queue, q.attempt, q.status, round(q.latency_ms)::int8, \
           q.aws_request_id, q.error, m.messages, m.refused, m.refusal \
         FROM (SELECT r.sync, r.request_id FROM sqs_sync.recent_requests r WHERE {is_meant} \
               ORDER BY r.request_id DESC LIMIT {SHOWN}) l \
         CROSS JOIN LATERAL (SELECT * FROM sqs_sync.requests q \
                             WHERE q.sync = l.sync AND q.request_id = l.request_id OFFSET 0) q \
         CROSS JOIN LATERAL (SELECT count(*) AS messages, count(*) FILTER (WHERE e->>'result' <> 'accepted') AS refused, \
                               min(e->>'error') FILTER (WHERE e->>'result' <> 'accepted') AS refusal \
                             FROM json_array_elements(q.entries) e) m \
         ORDER BY q.request_id DESC",
        millis("q.at")
    );
    sql::rows(&statement, &arguments, |row| {
        Ok(Call {
            id: row.need(1)?,
            sync: text(row, 2)?,
            run_id: row.need(3)?,
            at: Time(row.need(4)?),
            operation: text(row, 5)?,
            queue: text(row, 6)?,
            attempt: row.need(7)?,
            status: row.get(8)?,
            latency: Duration(row.need(9)?),
            aws_request_id: maybe_text(row, 10)?,
            error: maybe_text(row, 11)?,
            messages: row.need(12)?,
            refused: row.need(13)?,
            refusal: maybe_text(row, 14)?,
        })
    })
}
