//! `sqs_sync.rejection`: rows that could not be published, a row a key. It lives until its row
//! succeeds, goes away or is dismissed. One that is left alone is not tried again as long as its
//! contents, and unless it is dismissed the definition, are those that failed.

use pgrx::datum::DatumWithOid;

use super::figures::Reasons;
use crate::pg::Result;
use crate::pg::kept::{KEPT, Kept};
use crate::pg::{rights, sql};

#[derive(Debug)]
pub struct Rejection {
    /// JSON object of the key's columns.
    pub key: String,
    /// What the user's `message_id` calls the message.
    pub message_id: Option<String>,
    /// None: the key itself is what is wrong.
    pub tried: Option<Tried>,
    /// How many rows of the model have this key.
    pub rows: i64,
    pub code: String,
    pub reason: String,
    pub hint: Option<String>,
}

/// The change that was rejected.
#[derive(Clone, Debug)]
pub struct Tried {
    pub event: String,
    pub key_hash: i64,
    pub content_hash: i64,
    /// Of the definition by which its message was made.
    pub version: i32,
    /// Bytes of its message, if there is one.
    pub size: Option<i64>,
    /// It is the row's own fault: as it is, it is not tried again.
    pub is_lasting: bool,
}

/// Records rejections of a run; one that an earlier run had counts one attempt more. Of keys that are
/// cut off to the same text the last one stands for all. Returns how many are open, by their code: a
/// key that is unfit as it was when it was dismissed stays dismissed.
pub fn record(sync_id: i32, run_id: i64, rejections: &[Rejection]) -> Result<Reasons> {
    let still = "EXCLUDED.event IS NULL AND r.event IS NULL AND r.code = EXCLUDED.code AND r.rows = EXCLUDED.rows";
    let columns = "key, event, rows, code, reason, hint, message_id, key_hash, content_hash, version, size, left_alone";
    let unnested: Vec<String> = (3..15).map(|n| format!("pg_catalog.unnest(${n})")).collect();
    let statement = format!(
        "WITH given AS ( \
           SELECT g.*, pg_catalog.md5(g.key) AS digest \
           FROM ROWS FROM ({}) WITH ORDINALITY AS g ({columns}, place)), \
         recorded AS ( \
           INSERT INTO sqs_sync.rejection AS r (sync_id, run_id, {columns}) \
           SELECT $1, $2, {columns} \
           FROM (SELECT DISTINCT ON (digest) * FROM given ORDER BY digest, place DESC) AS g ORDER BY place \
           ON CONFLICT (sync_id, pg_catalog.md5(key)) DO UPDATE \
           SET run_id = EXCLUDED.run_id, event = EXCLUDED.event, rows = EXCLUDED.rows, \
               code = EXCLUDED.code, reason = EXCLUDED.reason, hint = EXCLUDED.hint, \
               message_id = EXCLUDED.message_id, key_hash = EXCLUDED.key_hash, \
               content_hash = EXCLUDED.content_hash, version = EXCLUDED.version, \
               size = EXCLUDED.size, left_alone = EXCLUDED.left_alone, \
               dismissed_by = CASE WHEN {still} THEN r.dismissed_by END, \
               dismissed_at = CASE WHEN {still} THEN r.dismissed_at END, \
               attempts = r.attempts + 1, last_at = EXCLUDED.last_at \
           RETURNING pg_catalog.md5(r.key) AS digest, r.dismissed_at IS NULL AS is_open) \
         SELECT g.code, count(*) FROM given g JOIN recorded USING (digest) WHERE is_open GROUP BY 1",
        unnested.join(", ")
    );
    let tried: Vec<Option<&Tried>> = rejections.iter().map(|r| r.tried.as_ref()).collect();
    let texts = |text: fn(&Rejection) -> Option<&str>| -> Vec<Option<&str>> {
        rejections.iter().map(text).collect()
    };
    let numbers = |number: fn(&Tried) -> Option<i64>| -> Vec<Option<i64>> {
        tried.iter().map(|tried| tried.and_then(number)).collect()
    };
    let events: Vec<Option<&str>> = tried.iter().map(|t| t.map(|t| t.event.as_str())).collect();
    let rows: Vec<i64> = rejections.iter().map(|r| r.rows).collect();
    let versions: Vec<Option<i32>> = tried.iter().map(|t| t.map(|t| t.version)).collect();
    let are_lasting: Vec<bool> = tried.iter().map(|t| t.is_some_and(|t| t.is_lasting)).collect();
    let arguments = [
        sync_id.into(),
        run_id.into(),
        texts(|r| Some(&r.key)).into(),
        events.into(),
        rows.into(),
        texts(|r| Some(&r.code)).into(),
        texts(|r| Some(&r.reason)).into(),
        texts(|r| r.hint.as_deref()).into(),
        texts(|r| r.message_id.as_deref()).into(),
        numbers(|t| Some(t.key_hash)).into(),
        numbers(|t| Some(t.content_hash)).into(),
        versions.into(),
        numbers(|t| t.size).into(),
        are_lasting.into(),
    ];
    let open = sql::returning(&statement, &arguments, |row| Ok((row.need(1)?, row.need(2)?)))?;
    Ok(open.into_iter().collect())
}

/// Changes that a run leaves alone if it finds them as they were, by a definition: their ids, events
/// and hashes.
pub fn left_alone(sync_id: i32, version: i32) -> Result<Kept> {
    tried(sync_id, &format!("left_alone AND (dismissed_at IS NOT NULL OR version = {version})"))
}

/// Changed rows that were told, and runs leave alone.
pub fn changed_and_left_alone(sync_id: i32) -> Result<Kept> {
    tried(sync_id, "left_alone AND event = 'changed'")
}

/// Has the next run try these again, by their `id`, dismissed or not.
pub fn try_again(these: &Kept) -> Result<()> {
    let statement = format!(
        "UPDATE sqs_sync.rejection r SET left_alone = false, dismissed_by = NULL, dismissed_at = NULL \
         FROM {KEPT} k WHERE k.id = r.rejection_id"
    );
    these.with_relation(|client| {
        client.update(statement.as_str(), None, &[])?;
        Ok(())
    })
}

/// All changes that were rejected when they were last tried, the same of them.
pub fn known(sync_id: i32) -> Result<Kept> {
    tried(sync_id, "true")
}

fn tried(sync_id: i32, which: &str) -> Result<Kept> {
    Kept::of(&format!(
        "SELECT rejection_id AS id, event, key_hash, content_hash FROM sqs_sync.rejection \
         WHERE sync_id = {sync_id} AND event IS NOT NULL AND {which}"
    ))
}

/// Rejections that a run has left alone.
pub struct LeftAlone {
    pub event: String,
    pub code: String,
    pub is_dismissed: bool,
    /// The run has rejected them itself before, and counted them: they were in doubt.
    pub is_counted: bool,
    pub rows: i64,
}

/// Of those that a run leaves alone it has found these, by their `id`, as they were. All others it
/// tries, or they went away: they are left alone no more, nor dismissed.
pub fn leave_alone(sync_id: i32, run_id: i64, met: Option<&Kept>) -> Result<Vec<LeftAlone>> {
    const TRY: &str = "UPDATE sqs_sync.rejection r SET left_alone = false, dismissed_by = NULL, dismissed_at = NULL \
                       WHERE r.sync_id = $1 AND r.left_alone";
    let Some(met) = met else {
        sql::execute(TRY, &[sync_id.into()])?;
        return Ok(Vec::new());
    };
    let others =
        format!("{TRY} AND NOT EXISTS (SELECT 1 FROM {KEPT} k WHERE k.id = r.rejection_id)");
    let count = format!(
        "SELECT r.event, r.code, r.dismissed_at IS NOT NULL, r.run_id = $2, count(*) \
         FROM sqs_sync.rejection r JOIN {KEPT} k ON k.id = r.rejection_id \
         WHERE r.sync_id = $1 GROUP BY 1, 2, 3, 4"
    );
    // Each of many with each of many: what the planner knows of them may be of a time when they were few.
    rights::set_locally("enable_nestloop", "off")?;
    met.with_relation(|client| {
        client.update(others.as_str(), None, &[sync_id.into()])?;
        sql::rows_by(client, &count, &[sync_id.into(), run_id.into()], |row| {
            Ok(LeftAlone {
                event: row.need(1)?,
                code: row.need(2)?,
                is_dismissed: row.need(3)?,
                is_counted: row.need(4)?,
                rows: row.need(5)?,
            })
        })
    })
}

/// Some of these rejections, by their `id`, that are open.
pub fn some_of(met: &Kept, most: usize) -> Result<Vec<Rejection>> {
    let statement = format!(
        "SELECT r.key, r.message_id, r.event, r.key_hash, r.content_hash, r.version, r.size, r.rows, \
                r.code, r.reason, r.hint \
         FROM sqs_sync.rejection r JOIN {KEPT} k ON k.id = r.rejection_id \
         WHERE r.dismissed_at IS NULL ORDER BY r.rejection_id LIMIT $1"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    met.with_relation(|client| {
        sql::rows_by(client, &statement, &[most.into()], |row| {
            Ok(Rejection {
                key: row.need(1)?,
                message_id: row.get(2)?,
                tried: Some(Tried {
                    event: row.need(3)?,
                    key_hash: row.need(4)?,
                    content_hash: row.need(5)?,
                    version: row.need(6)?,
                    size: row.get(7)?,
                    is_lasting: true,
                }),
                rows: row.need(8)?,
                code: row.need(9)?,
                reason: row.need(10)?,
                hint: row.get(11)?,
            })
        })
    })
}

/// Which rejections somebody means: those of a sync, all or those of a key or a code.
#[derive(Clone, Copy)]
pub struct Meant<'a> {
    pub sync_id: i32,
    /// As rejections have it.
    pub key: Option<&'a str>,
    pub code: Option<&'a str>,
}

impl Meant<'_> {
    const ARE_MEANT: &'static str = "sync_id = $1 AND ($2 IS NULL OR (pg_catalog.md5(key) = pg_catalog.md5($2) AND key = $2)) \
         AND ($3 IS NULL OR code = $3)";

    /// Has the next run try them again; dismissed ones too, if their key is named. Returns how many.
    pub fn retry(&self) -> Result<i64> {
        self.execute(
            "UPDATE sqs_sync.rejection SET left_alone = false, dismissed_by = NULL, dismissed_at = NULL \
             WHERE (dismissed_at IS NULL OR $2 IS NOT NULL)",
        )
    }

    /// Dismisses them. Returns how many.
    pub fn dismiss(&self) -> Result<i64> {
        self.execute(
            "UPDATE sqs_sync.rejection SET left_alone = event IS NOT NULL, dismissed_by = SESSION_USER, \
             dismissed_at = pg_catalog.clock_timestamp() WHERE dismissed_at IS NULL",
        )
    }

    /// How many would be dismissed.
    pub fn count_open(&self) -> Result<i64> {
        let statement = "SELECT count(*) FROM sqs_sync.rejection WHERE dismissed_at IS NULL";
        sql::value(&format!("{statement} AND {}", Self::ARE_MEANT), &self.arguments())
    }

    fn execute(&self, statement: &str) -> Result<i64> {
        let statement = format!("{statement} AND {}", Self::ARE_MEANT);
        Ok(sql::execute(&statement, &self.arguments())? as i64)
    }

    fn arguments(&self) -> [DatumWithOid<'_>; 3] {
        [self.sync_id.into(), self.key.into(), self.code.into()]
    }
}

/// Forgets the rejected changes: all rows are taken as told. Keys that are unfit stay so.
pub fn forget_changes(sync_id: i32) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.rejection WHERE sync_id = $1 AND event IS NOT NULL",
        &[sync_id.into()],
    )?;
    Ok(())
}

/// Forgets what a run that went to its end has neither met nor left alone: it succeeded or went
/// away.
pub fn forget_before(sync_id: i32, run_id: i64) -> Result<()> {
    sql::execute(
        "DELETE FROM sqs_sync.rejection WHERE sync_id = $1 AND run_id < $2 AND NOT left_alone",
        &[sync_id.into(), run_id.into()],
    )?;
    Ok(())
}
