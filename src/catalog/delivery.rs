//! `sqs_sync.alert_delivery`: what is on its way to a channel, and what became of it.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;

use crate::pg::Result;
use crate::pg::sql;

/// A message to be queued, of an alert that is there.
pub struct New {
    pub alert_id: i32,
    pub sync: Option<String>,
    pub news: &'static str,
    pub title: String,
    pub summary: String,
    /// The whole message, as it is read again.
    pub message: String,
}

pub fn queue(new: &[New]) -> Result<()> {
    let texts =
        |of: fn(&New) -> &str| new.iter().map(|n| of(n).to_owned()).collect::<Vec<String>>();
    sql::execute(
        "INSERT INTO sqs_sync.alert_delivery (alert_id, owner, channel, sync, news, title, summary, message) \
         SELECT a.alert_id, a.owner::oid, a.channel, n.sync, n.news, n.title, n.summary, n.message \
         FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) \
              WITH ORDINALITY AS n (alert_id, sync, news, title, summary, message, place) \
         JOIN sqs_sync.alert a USING (alert_id) ORDER BY n.place",
        &[
            new.iter().map(|n| n.alert_id).collect::<Vec<_>>().into(),
            new.iter().map(|n| n.sync.clone()).collect::<Vec<_>>().into(),
            texts(|n| n.news).into(),
            texts(|n| &n.title).into(),
            texts(|n| &n.summary).into(),
            texts(|n| &n.message).into(),
        ],
    )?;
    Ok(())
}

/// The first message that waits for a channel.
#[derive(Clone)]
pub struct Head {
    pub id: i64,
    pub message_id: String,
    pub owner: Oid,
    pub channel: String,
    pub message: String,
}

/// The first of each owner's messages to each channel, if it is due and not under way. (What is
/// under way keeps its place, so nothing overtakes it.)
pub fn heads(under_way: &[i64], most: i64) -> Result<Vec<Head>> {
    sql::rows(
        "SELECT h.delivery_id, h.message_id::text, h.owner, h.channel, h.message \
         FROM (SELECT DISTINCT ON (d.owner, d.channel) d.* FROM sqs_sync.alert_delivery d \
               WHERE d.state = 'queued' ORDER BY d.owner, d.channel, d.delivery_id) h \
         WHERE h.due_at <= clock_timestamp() AND h.delivery_id <> ALL ($1) \
         ORDER BY h.delivery_id LIMIT $2",
        &[under_way.to_vec().into(), most.into()],
        |row| {
            Ok(Head {
                id: row.need(1)?,
                message_id: row.need(2)?,
                owner: row.need(3)?,
                channel: row.need(4)?,
                message: row.need(5)?,
            })
        },
    )
}

/// What came of some attempts.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub delivered: bool,
    /// It may be otherwise at a later attempt.
    pub passes: bool,
    pub attempts: i32,
    pub status: Option<i32>,
    pub answer: Option<String>,
    pub hint: Option<String>,
    pub seconds: f64,
}

/// Writes what came of a delivery: it is over, or due again after a while that grows with its age,
/// until it is an hour old. False if somebody has its row locked: to be tried again.
pub fn record(id: i64, outcome: &Outcome) -> Result<bool> {
    let seen = sql::returning(
        "WITH found AS MATERIALIZED (SELECT delivery_id FROM sqs_sync.alert_delivery \
                                     WHERE delivery_id = $1 FOR NO KEY UPDATE SKIP LOCKED), \
         written AS (UPDATE sqs_sync.alert_delivery d \
           SET state = CASE WHEN $2 THEN 'delivered' WHEN n.again THEN 'queued' ELSE 'failed' END, \
               attempts = d.attempts + $4, status = $5, answer = $6, hint = $7, latency = make_interval(secs => $8), \
               finished_at = CASE WHEN NOT n.again THEN clock_timestamp() END, \
               due_at = clock_timestamp() \
                        + GREATEST(interval '10 seconds', LEAST(interval '5 minutes', n.age / 2)) * (0.5 + random() / 2) \
           FROM found f, LATERAL (SELECT clock_timestamp() - o.created_at AS age, \
                                         NOT $2 AND $3 AND clock_timestamp() - o.created_at < interval '1 hour' AS again \
                                  FROM sqs_sync.alert_delivery o WHERE o.delivery_id = f.delivery_id) n \
           WHERE d.delivery_id = f.delivery_id RETURNING 1) \
         SELECT EXISTS (SELECT 1 FROM found) OR NOT EXISTS (SELECT 1 FROM sqs_sync.alert_delivery WHERE delivery_id = $1)",
        &arguments(id, outcome),
        |row| row.need::<bool>(1),
    )?;
    Ok(seen.first() == Some(&true))
}

fn arguments<'a>(id: i64, outcome: &'a Outcome) -> [DatumWithOid<'a>; 8] {
    [
        id.into(),
        outcome.delivered.into(),
        outcome.passes.into(),
        outcome.attempts.into(),
        outcome.status.into(),
        outcome.answer.as_deref().into(),
        outcome.hint.as_deref().into(),
        outcome.seconds.into(),
    ]
}

/// Writes a test, which was made outside of the queue.
pub fn record_test(new: &New, message_id: &str, outcome: &Outcome) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.alert_delivery (message_id, alert_id, owner, channel, sync, news, title, summary, \
           message, state, attempts, status, answer, hint, latency, finished_at) \
         SELECT $1::uuid, a.alert_id, a.owner::oid, a.channel, $3, $4, $5, $6, $7, \
                CASE WHEN $8 THEN 'delivered' ELSE 'failed' END, $9, $10, $11, $12, make_interval(secs => $13), \
                clock_timestamp() \
         FROM sqs_sync.alert a WHERE a.alert_id = $2",
        &[
            message_id.into(),
            new.alert_id.into(),
            new.sync.as_deref().into(),
            new.news.into(),
            new.title.as_str().into(),
            new.summary.as_str().into(),
            new.message.as_str().into(),
            outcome.delivered.into(),
            outcome.attempts.into(),
            outcome.status.into(),
            outcome.answer.as_deref().into(),
            outcome.hint.as_deref().into(),
            outcome.seconds.into(),
        ],
    )?;
    Ok(())
}

/// A notification, made at commit.
pub fn notify(name: &str, payload: &str) -> Result<()> {
    sql::execute("SELECT pg_notify($1, $2)", &[name.into(), payload.into()])?;
    Ok(())
}

/// Forgets what is old, and what waits behind more than can be told.
pub fn tidy() -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.alert_delivery WHERE delivery_id IN ( \
           SELECT n.delivery_id FROM ( \
             SELECT delivery_id, state, created_at, \
                    row_number() OVER (PARTITION BY alert_id ORDER BY delivery_id DESC) AS place, \
                    row_number() OVER (PARTITION BY alert_id, sync, state ORDER BY delivery_id DESC) AS place_of_sync \
             FROM sqs_sync.alert_delivery) n \
           WHERE n.state <> 'queued' AND (n.place > 1000 OR n.created_at < now() - interval '30 days') \
              OR n.state = 'queued' AND n.place_of_sync > 20 \
           LIMIT 10000)",
        &[],
    )?;
    Ok(())
}
