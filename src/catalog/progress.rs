//! `sqs_sync.run_progress`: how each run under way goes. Only its runner writes it, once a second.

use crate::pg::Result;
use crate::pg::sql;

/// What a run is at, beyond its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Checking,
    Resending,
    Diffing,
    Publishing,
    Cancelling,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Checking => "checking",
            Phase::Resending => "resending",
            Phase::Diffing => "diffing",
            Phase::Publishing => "publishing",
            Phase::Cancelling => "cancelling",
        }
    }
}

/// The run comes to this phase. With `to_do` it has so many changes to deal with from now on.
pub fn enter(run_id: i64, phase: Phase, to_do: Option<i64>) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.run_progress AS g (run_id, phase, total) \
         SELECT run_id, $2, published + rejected + COALESCE($3, 0) FROM sqs_sync.run WHERE run_id = $1 \
         ON CONFLICT (run_id) DO UPDATE SET phase = EXCLUDED.phase, unanswered = 0, rate = NULL, \
           total = CASE WHEN $3 IS NULL THEN g.total ELSE EXCLUDED.total END, \
           in_flight = 0, slow_queue = NULL, is_limited = false, updated_at = EXCLUDED.updated_at",
        &[run_id.into(), phase.as_str().into(), to_do.into()],
    )?;
    Ok(())
}

/// What is with SQS now.
#[derive(Clone, Debug)]
pub struct Gauges {
    pub phase: Phase,
    pub unanswered: i64,
    /// Messages a second, once that is known.
    pub rate: Option<f64>,
    pub in_flight: i32,
    pub in_flight_limit: i32,
    pub slow_queue: Option<String>,
    /// The sync's own limit of messages a second holds it.
    pub is_limited: bool,
}

pub fn set(run_id: i64, gauges: &Gauges) -> Result<()> {
    sql::execute(
        "UPDATE sqs_sync.run_progress SET phase = $2, unanswered = $3, rate = $4, in_flight = $5, \
         in_flight_limit = $6, slow_queue = $7, is_limited = $8, updated_at = pg_catalog.clock_timestamp() \
         WHERE run_id = $1",
        &[
            run_id.into(),
            gauges.phase.as_str().into(),
            gauges.unanswered.into(),
            gauges.rate.into(),
            gauges.in_flight.into(),
            gauges.in_flight_limit.into(),
            gauges.slow_queue.clone().into(),
            gauges.is_limited.into(),
        ],
    )?;
    Ok(())
}

/// How far a run has come, for who waits for it.
pub struct Progress {
    pub phase: String,
    pub total: i64,
    pub rate: Option<f64>,
}

pub fn find(run_id: i64) -> Result<Option<Progress>> {
    sql::row(
        "SELECT phase, total, rate FROM sqs_sync.run_progress WHERE run_id = $1",
        &[run_id.into()],
        |row| Ok(Progress { phase: row.need(1)?, total: row.need(2)?, rate: row.get(3)? }),
    )
}

pub fn total(run_id: i64) -> Result<i64> {
    Ok(find(run_id)?.map_or(0, |progress| progress.total))
}

pub fn remove(run_id: i64) -> Result<()> {
    sql::execute("DELETE FROM sqs_sync.run_progress WHERE run_id = $1", &[run_id.into()])?;
    Ok(())
}
