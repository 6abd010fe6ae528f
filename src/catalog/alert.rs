//! `sqs_sync.alert` and `sqs_sync.alert_standing`: what is watched, and how it stands.

use pgrx::PgSqlErrorCode;
use pgrx::datum::Interval;
use pgrx::pg_sys::Oid;

use crate::pg::error::shown;
use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

/// Seconds since 1970.
pub type Epoch = f64;

#[derive(Clone, Debug)]
pub struct Alert {
    pub id: i32,
    /// What makes its messages' deduplication keys unlike those of any other alert.
    pub uuid: String,
    pub name: String,
    pub owner: Oid,
    pub condition: String,
    pub over: Option<String>,
    /// In seconds, as the next.
    pub within: Option<f64>,
    pub remind_every: Option<f64>,
    pub silenced_until: Option<Epoch>,
    pub channel: String,
    pub created_at: Epoch,
}

const COLUMNS: &str = "a.alert_id, a.alert_uuid::text, a.name, a.owner::oid, a.condition, a.\"over\", \
    date_part('epoch', a.within), date_part('epoch', a.remind_every), date_part('epoch', a.silenced_until), \
    a.channel, date_part('epoch', a.created_at)";
/// How many these are.
const COUNT: usize = 11;

fn read(row: &Row<'_>) -> Result<Alert> {
    Ok(Alert {
        id: row.need(1)?,
        uuid: row.need(2)?,
        name: row.need(3)?,
        owner: row.need(4)?,
        condition: row.need(5)?,
        over: row.get(6)?,
        within: row.get(7)?,
        remind_every: row.get(8)?,
        silenced_until: row.get(9)?,
        channel: row.need(10)?,
        created_at: row.need(11)?,
    })
}

/// What an alert is made of.
pub struct New<'a> {
    pub name: &'a str,
    pub owner: Oid,
    /// None: all that the owner may see.
    pub sync_id: Option<i32>,
    pub condition: &'a str,
    pub over: Option<&'a str>,
    pub within: Option<Interval>,
    pub channel: &'a str,
    pub remind_every: Option<Interval>,
}

/// False if there is an alert of that name.
pub fn insert(new: &New<'_>) -> Result<bool> {
    let inserted = sql::execute(
        "INSERT INTO sqs_sync.alert (name, owner, sync_id, condition, \"over\", within, channel, remind_every) \
         VALUES ($1, $2::oid::regrole, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING RETURNING alert_id",
        &[
            new.name.into(),
            new.owner.into(),
            new.sync_id.into(),
            new.condition.into(),
            new.over.into(),
            new.within.into(),
            new.channel.into(),
            new.remind_every.into(),
        ],
    )?;
    Ok(inserted > 0)
}

/// The alert of that name, or undefined_object, and the sync that it is about by its name.
pub fn by_name(name: &str) -> Result<(Alert, Option<String>)> {
    let statement = format!(
        "SELECT {COLUMNS}, s.name FROM sqs_sync.alert a LEFT JOIN sqs_sync.sync s USING (sync_id) \
         WHERE a.name = $1"
    );
    sql::row(&statement, &[name.into()], |row| Ok((read(row)?, row.get(COUNT + 1)?)))?.ok_or_else(
        || {
            Error::new(
                PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
                format!("alert \"{}\" does not exist", shown(name)),
            )
            .hint("The view sqs_sync.alerts lists those that you may see.")
        },
    )
}

pub fn delete(id: i32) -> Result<()> {
    sql::execute("DELETE FROM sqs_sync.alert WHERE alert_id = $1", &[id.into()])?;
    Ok(())
}

pub fn exists() -> Result<bool> {
    sql::value("SELECT EXISTS (SELECT 1 FROM sqs_sync.alert)", &[])
}

/// Whether a sync with this owner (or none) may be seen by a role.
pub fn may_see(role: Oid, owner: Option<Oid>) -> Result<bool> {
    sql::value(&format!("SELECT {}", sees("$1", "$2::oid")), &[role.into(), owner.into()])
}

/// The rule of the views, for another than who reads: who has the owner's rights, and pg_monitor.
fn sees(role: &str, owner: &str) -> String {
    format!(
        "(pg_has_role({role}, COALESCE({owner}, 10::oid), 'USAGE') \
          OR pg_has_role({role}, 'pg_monitor'::name, 'USAGE'))"
    )
}

/// How an alert stands with a sync, or the database.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub is_firing: bool,
    pub since: Epoch,
    pub told_at: Option<Epoch>,
}

/// An alert, and what it is to be judged for.
#[derive(Clone, Debug)]
pub struct Pair {
    pub alert: Alert,
    /// 0: the database.
    pub sync_id: i32,
    pub sync: Option<String>,
    /// The alert's owner may see rows of the sync, and so what an error says.
    pub shows_rows: bool,
    /// None: the condition never held.
    pub standing: Option<Standing>,
}

const STANDING: &str = "t.is_firing, date_part('epoch', t.since), date_part('epoch', t.told_at)";

fn read_pair(row: &Row<'_>) -> Result<Pair> {
    let standing = match row.get::<bool>(COUNT + 4)? {
        None => None,
        Some(is_firing) => {
            Some(Standing { is_firing, since: row.need(COUNT + 5)?, told_at: row.get(COUNT + 6)? })
        }
    };
    Ok(Pair {
        alert: read(row)?,
        sync_id: row.need(COUNT + 1)?,
        sync: row.get(COUNT + 2)?,
        shows_rows: row.need(COUNT + 3)?,
        standing,
    })
}

/// The next syncs that some alert watches, from this one on.
pub fn watched_syncs(from: i32, most: i64) -> Result<Vec<i32>> {
    sql::rows(
        "SELECT s.sync_id FROM sqs_sync.sync s WHERE s.sync_id >= $1 \
           AND (EXISTS (SELECT 1 FROM sqs_sync.alert a WHERE a.sync_id IS NULL AND a.condition <> 'worker_down') \
                OR EXISTS (SELECT 1 FROM sqs_sync.alert a WHERE a.sync_id = s.sync_id)) \
         ORDER BY s.sync_id LIMIT $2",
        &[from.into(), most.into()],
        |row| row.need(1),
    )
}

/// The alerts that watch these syncs, in the order of syncs and alerts, behind the last one.
pub fn pairs(syncs: &[i32], after: (i32, i32), most: i64) -> Result<Vec<Pair>> {
    let statement = format!(
        "SELECT {COLUMNS}, s.sync_id, s.name, pg_has_role(a.owner::oid, COALESCE(s.owner, 10::oid), 'USAGE'), {STANDING} \
         FROM sqs_sync.visible_sync s \
         JOIN sqs_sync.alert a ON a.sync_id = s.sync_id OR a.sync_id IS NULL AND a.condition <> 'worker_down' \
         LEFT JOIN sqs_sync.alert_standing t ON t.alert_id = a.alert_id AND t.sync_id = s.sync_id \
         WHERE s.sync_id = ANY ($1) AND (s.sync_id, a.alert_id) > ($2, $3) AND {} \
         ORDER BY s.sync_id, a.alert_id LIMIT $4",
        sees("a.owner::oid", "s.owner")
    );
    let arguments = [syncs.to_vec().into(), after.0.into(), after.1.into(), most.into()];
    sql::rows(&statement, &arguments, read_pair)
}

/// The alerts that watch the database.
pub fn of_database(most: i64) -> Result<Vec<Pair>> {
    let statement = format!(
        "SELECT {COLUMNS}, 0, NULL::text, true, {STANDING} FROM sqs_sync.alert a \
         LEFT JOIN sqs_sync.alert_standing t ON t.alert_id = a.alert_id AND t.sync_id = 0 \
         WHERE a.sync_id IS NULL AND a.condition = 'worker_down' ORDER BY a.alert_id LIMIT $1"
    );
    sql::rows(&statement, &[most.into()], read_pair)
}

/// How alerts stand with syncs that are gone, or that their owners may see no longer. Those of
/// silenced ones wait, so that it is told.
pub fn unwatched(most: i64) -> Result<Vec<Pair>> {
    let statement = format!(
        "SELECT {COLUMNS}, t.sync_id, t.sync, false, {STANDING} \
         FROM sqs_sync.alert_standing t JOIN sqs_sync.alert a USING (alert_id) \
         WHERE t.sync_id <> 0 AND COALESCE(a.silenced_until <= now(), true) \
           AND NOT EXISTS (SELECT 1 FROM sqs_sync.visible_sync s WHERE s.sync_id = t.sync_id AND {}) \
         LIMIT $1",
        sees("a.owner::oid", "s.owner")
    );
    sql::rows(&statement, &[most.into()], read_pair)
}

/// Locks alerts so that they are not dropped until the end of the transaction; one that somebody
/// is dropping is left out.
pub fn keep(ids: &[i32]) -> Result<Vec<i32>> {
    sql::returning(
        "SELECT alert_id FROM sqs_sync.alert WHERE alert_id = ANY ($1) FOR KEY SHARE SKIP LOCKED",
        &[ids.to_vec().into()],
        |row| row.need(1),
    )
}

/// How a pair stands from now on.
pub struct Changed {
    pub alert_id: i32,
    pub sync_id: i32,
    pub sync: Option<String>,
    pub standing: Standing,
    pub summary: String,
}

pub fn set_standings(changed: &[Changed]) -> Result<()> {
    let column = |of: fn(&Changed) -> i32| changed.iter().map(of).collect::<Vec<i32>>();
    sql::execute(
        "INSERT INTO sqs_sync.alert_standing AS t (alert_id, sync_id, sync, is_firing, since, told_at, summary) \
         SELECT n.alert_id, n.sync_id, n.sync, n.is_firing, to_timestamp(n.since), to_timestamp(n.told_at), n.summary \
         FROM unnest($1::int4[], $2::int4[], $3::text[], $4::bool[], $5::float8[], $6::float8[], $7::text[]) \
              AS n (alert_id, sync_id, sync, is_firing, since, told_at, summary) \
         ON CONFLICT (alert_id, sync_id) DO UPDATE SET sync = EXCLUDED.sync, is_firing = EXCLUDED.is_firing, \
           since = EXCLUDED.since, told_at = EXCLUDED.told_at, summary = EXCLUDED.summary",
        &[
            column(|c| c.alert_id).into(),
            column(|c| c.sync_id).into(),
            changed.iter().map(|c| c.sync.clone()).collect::<Vec<_>>().into(),
            changed.iter().map(|c| c.standing.is_firing).collect::<Vec<_>>().into(),
            changed.iter().map(|c| c.standing.since).collect::<Vec<_>>().into(),
            changed.iter().map(|c| c.standing.told_at).collect::<Vec<_>>().into(),
            changed.iter().map(|c| c.summary.clone()).collect::<Vec<_>>().into(),
        ],
    )?;
    Ok(())
}

pub fn forget_standings(pairs: &[(i32, i32)]) -> Result<()> {
    let (alerts, syncs): (Vec<i32>, Vec<i32>) = pairs.iter().copied().unzip();
    sql::execute(
        "DELETE FROM sqs_sync.alert_standing t USING unnest($1::int4[], $2::int4[]) AS n (alert_id, sync_id) \
         WHERE t.alert_id = n.alert_id AND t.sync_id = n.sync_id",
        &[alerts.into(), syncs.into()],
    )?;
    Ok(())
}

/// Until when an alert tells nothing.
pub fn silence(id: i32, duration: Interval) -> Result<pgrx::datum::TimestampWithTimeZone> {
    sql::returning(
        "UPDATE sqs_sync.alert SET silenced_until = clock_timestamp() + $2 WHERE alert_id = $1 \
         RETURNING silenced_until",
        &[id.into(), duration.into()],
        |row| row.need(1),
    )?
    .pop()
    .ok_or_else(|| Error::internal(format!("alert {id} does not exist")))
}

pub fn unsilence(id: i32) -> Result<()> {
    let statement = "UPDATE sqs_sync.alert SET silenced_until = NULL WHERE alert_id = $1";
    sql::execute(statement, &[id.into()])?;
    Ok(())
}

/// When the worker last showed itself, if somebody ever asked for it.
pub fn worker_seen_at() -> Result<Option<Epoch>> {
    Ok(sql::row("SELECT date_part('epoch', seen_at) FROM sqs_sync.worker_sight", &[], |row| {
        row.get(1)
    })?
    .flatten())
}

/// The worker is there. Written only while an alert asks for it.
pub fn worker_is_there() -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.worker_sight (seen_at) SELECT clock_timestamp() \
         WHERE EXISTS (SELECT 1 FROM sqs_sync.alert WHERE condition = 'worker_down') \
         ON CONFLICT (is_only) DO UPDATE SET seen_at = EXCLUDED.seen_at",
        &[],
    )?;
    Ok(())
}

/// Makes of all alerts others, that have told nothing yet.
pub fn start_anew() -> Result<()> {
    for statement in [
        "UPDATE sqs_sync.alert SET alert_uuid = gen_random_uuid()",
        "DELETE FROM sqs_sync.alert_standing",
        "DELETE FROM sqs_sync.alert_delivery",
        "DELETE FROM sqs_sync.worker_sight",
    ] {
        sql::execute(statement, &[])?;
    }
    Ok(())
}
