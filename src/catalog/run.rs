//! `sqs_sync.run`: a row a run, from its request to its end. What is counted of it: [`super::figures`].

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Queued,
    Diffing,
    Held,
    Publishing,
    Succeeded,
    PartlyFailed,
    Failed,
    Cancelled,
    Discarded,
}

const STATES: [(State, &str); 9] = [
    (State::Queued, "queued"),
    (State::Diffing, "diffing"),
    (State::Held, "held"),
    (State::Publishing, "publishing"),
    (State::Succeeded, "succeeded"),
    (State::PartlyFailed, "partly_failed"),
    (State::Failed, "failed"),
    (State::Cancelled, "cancelled"),
    (State::Discarded, "discarded"),
];

impl State {
    pub fn as_str(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    fn parse(text: &str) -> Result<State> {
        STATES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(state, _)| *state)
            .ok_or_else(|| Error::internal(format!("unrecognized state of a run: \"{text}\"")))
    }

    /// Nothing more happens to it.
    pub fn has_ended(self) -> bool {
        !matches!(self, State::Queued | State::Diffing | State::Held | State::Publishing)
    }
}

#[derive(Clone, Debug)]
pub struct Run {
    pub id: i64,
    pub sync_id: i32,
    pub state: State,
    /// The version of the definition that it began with.
    pub version: Option<i32>,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    pub silent: i64,
    pub published: i64,
    pub rejected: i64,
    pub in_doubt: i64,
    pub runner_pid: Option<i32>,
    pub waiting_for: Option<String>,
    /// Seconds from its start to its end, or until now.
    pub took: Option<f64>,
    pub sqlstate: Option<String>,
    pub error: Option<String>,
    pub hint: Option<String>,
}

const COLUMNS: &str = "run_id, sync_id, state, version, rows_added, rows_changed, rows_removed, \
                       rows_silent, published, rejected, in_doubt, runner_pid, waiting_for, \
                       EXTRACT(epoch FROM COALESCE(finished_at, pg_catalog.clock_timestamp()) - started_at)::float8, \
                       sqlstate, error, hint";

fn read(row: &Row<'_>) -> Result<Run> {
    Ok(Run {
        id: row.need(1)?,
        sync_id: row.need(2)?,
        state: State::parse(&row.need::<String>(3)?)?,
        version: row.get(4)?,
        added: row.need(5)?,
        changed: row.need(6)?,
        removed: row.need(7)?,
        silent: row.need(8)?,
        published: row.need(9)?,
        rejected: row.need(10)?,
        in_doubt: row.need(11)?,
        runner_pid: row.get(12)?,
        waiting_for: row.get(13)?,
        took: row.get(14)?,
        sqlstate: row.get(15)?,
        error: row.get(16)?,
        hint: row.get(17)?,
    })
}

pub fn find(run_id: i64) -> Result<Option<Run>> {
    let statement = format!("SELECT {COLUMNS} FROM sqs_sync.run WHERE run_id = $1");
    sql::row(&statement, &[run_id.into()], read)
}

/// The run of that id, or undefined_object.
pub fn by_id(run_id: i64) -> Result<Run> {
    find(run_id)?.ok_or_else(|| does_not_exist(run_id))
}

pub fn does_not_exist(run_id: i64) -> Error {
    Error::new(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, format!("run {run_id} does not exist"))
        .hint("The view sqs_sync.runs lists those that you may see.")
}

/// The run of a sync that waits to start, or is held.
pub fn waiting(sync_id: i32) -> Result<Option<i64>> {
    sql::row(
        "SELECT run_id FROM sqs_sync.run WHERE sync_id = $1 AND state IN ('queued', 'held')",
        &[sync_id.into()],
        |row| row.need(1),
    )
}

/// Whether a run of the sync is under way.
pub fn active(sync_id: i32) -> Result<Option<Run>> {
    let statement = format!(
        "SELECT {COLUMNS} FROM sqs_sync.run WHERE sync_id = $1 AND state IN ('diffing', 'publishing')"
    );
    sql::row(&statement, &[sync_id.into()], read)
}

/// Queues a run; none if another session has queued one meanwhile. Waits for a session that
/// has queued one and not ended its transaction.
pub fn queue(sync_id: i32) -> Result<Option<i64>> {
    Ok(sql::returning(
        "INSERT INTO sqs_sync.run (sync_id, state) VALUES ($1, 'queued') \
         ON CONFLICT (sync_id) WHERE state IN ('queued', 'held') DO NOTHING RETURNING run_id",
        &[sync_id.into()],
        |row| row.need(1),
    )?
    .pop())
}

/// The runner of this process takes the run up. A new run begins with the sync's definition
/// of now; one that goes on keeps its own. None if the run has ended meanwhile, or is locked by
/// somebody who may be about to end it.
pub fn begin(run_id: i64) -> Result<Option<Run>> {
    let statement = format!(
        "UPDATE sqs_sync.run r \
         SET state = CASE WHEN r.state = 'queued' THEN 'diffing' ELSE r.state END, \
             version = COALESCE(r.version, (SELECT s.version FROM sqs_sync.sync s WHERE s.sync_id = r.sync_id)), \
             started_at = COALESCE(r.started_at, pg_catalog.clock_timestamp()), \
             runner_pid = pg_catalog.pg_backend_pid(), attempts = r.attempts + 1, waiting_for = NULL \
         WHERE r.run_id = (SELECT run_id FROM sqs_sync.run \
                           WHERE run_id = $1 AND state IN ('queued', 'diffing', 'publishing') \
                           FOR NO KEY UPDATE SKIP LOCKED) RETURNING {COLUMNS}"
    );
    Ok(sql::returning(&statement, &[run_id.into()], read)?.pop())
}

/// What the runner of a run says in pg_stat_activity that it is at, if `reader` may see the run.
pub fn activity(run_id: i64, reader: Oid) -> Result<Option<String>> {
    sql::row(
        "SELECT a.query FROM sqs_sync.run r JOIN sqs_sync.visible_sync s USING (sync_id) \
         JOIN pg_catalog.pg_stat_get_activity(r.runner_pid) a ON a.pid = r.runner_pid \
         WHERE r.run_id = $1 AND (pg_catalog.pg_has_role($2, COALESCE(s.owner, 10::pg_catalog.oid), 'USAGE') \
                                  OR pg_catalog.pg_has_role($2, 'pg_monitor', 'USAGE'))",
        &[run_id.into(), reader.into()],
        |row| row.get(1),
    )
    .map(Option::flatten)
}

/// Keeps a run that is queued, or held and may be approved, from beginning until the end of the
/// transaction.
pub fn hold_queued(sync_id: i32) -> Result<()> {
    sql::execute(
        "SELECT 1 FROM sqs_sync.run WHERE sync_id = $1 AND state IN ('queued', 'held') FOR UPDATE",
        &[sync_id.into()],
    )?;
    Ok(())
}

/// A run that is to be held leaves no other one waiting behind it.
pub fn cancel_queued(sync_id: i32) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET state = 'cancelled', finished_at = pg_catalog.clock_timestamp(), \
         error = 'the run before it is held' WHERE sync_id = $1 AND state = 'queued'",
        &[sync_id.into()],
    )?;
    Ok(())
}

pub fn finish(run_id: i64, state: State, in_doubt: i64, error: Option<&Error>) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET state = $2, in_doubt = $3, sqlstate = $4, error = $5, hint = $6, \
         runner_pid = NULL, waiting_for = NULL, \
         approved_by = CASE WHEN $2 <> 'held' THEN approved_by END, \
         approved_at = CASE WHEN $2 <> 'held' THEN approved_at END, \
         ended_by = CASE WHEN $2 = 'cancelled' \
           THEN (SELECT c.requested_by FROM sqs_sync.cancellation c WHERE c.run_id = $1) END, \
         finished_at = CASE WHEN $2 = 'held' THEN NULL ELSE pg_catalog.clock_timestamp() END \
         WHERE run_id = $1",
        &[
            run_id.into(),
            state.as_str().into(),
            in_doubt.into(),
            error.map(Error::sqlstate).into(),
            error.map(Error::with_detail).into(),
            error.and_then(|e| e.hint.clone()).into(),
        ],
    )?;
    super::progress::remove(run_id)?;
    super::cancellation::remove(run_id)
}

/// Ends a run that has not begun, or is held; false if it is neither.
pub fn cancel_waiting(run_id: i64) -> Result<bool> {
    let cancelled = sql::execute(
        "UPDATE sqs_sync.run SET state = 'cancelled', waiting_for = NULL, ended_by = SESSION_USER, \
         finished_at = pg_catalog.clock_timestamp() \
         WHERE run_id = $1 AND state IN ('queued', 'held')",
        &[run_id.into()],
    )?;
    Ok(cancelled > 0)
}

/// Ends all runs that are queued, held or under way, in a copy where none is.
pub fn cancel_all(why: &str) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run SET state = 'cancelled', waiting_for = NULL, runner_pid = NULL, error = $1, \
         finished_at = pg_catalog.clock_timestamp() \
         WHERE state IN ('queued', 'held', 'diffing', 'publishing')",
        &[why.into()],
    )?;
    super::cancellation::remove_all()
}

/// Lets a held run begin anew, by the definition of now; false if it is not held.
pub fn approve(run_id: i64) -> Result<bool> {
    let approved = sql::execute(
        "UPDATE sqs_sync.run SET state = 'queued', approved_by = SESSION_USER, \
         approved_at = pg_catalog.clock_timestamp(), version = NULL, started_at = NULL, attempts = 0, \
         rows_added = 0, rows_changed = 0, rows_removed = 0, sqlstate = NULL, error = NULL, hint = NULL \
         WHERE run_id = $1 AND state = 'held'",
        &[run_id.into()],
    )?;
    Ok(approved > 0)
}

/// Ends a held run; false if it is not held.
pub fn discard(run_id: i64) -> Result<bool> {
    let discarded = sql::execute(
        "UPDATE sqs_sync.run SET state = 'discarded', ended_by = SESSION_USER, \
         finished_at = pg_catalog.clock_timestamp() WHERE run_id = $1 AND state = 'held'",
        &[run_id.into()],
    )?;
    Ok(discarded > 0)
}
