//! Runs over time, out of `sqs_sync.runs`.

use pgrx::datum::DatumWithOid;
use report::data::{Found, History, Span};
use report::time::{Duration, Time};

use super::{millis, only};
use crate::pg::Result;
use crate::pg::sql::{self, Row};

/// How long a history is, and how long each of its spans: a quarter of an hour, hour, day, week, month.
#[derive(Clone, Copy)]
struct Window {
    length: Duration,
    span: Duration,
}

const QUARTER: Window = Window { length: Duration(15 * 60_000), span: Duration(15_000) };
const HOUR: Window = Window { length: Duration::HOUR, span: Duration::MINUTE };
const DAY: Window = Window { length: Duration::DAY, span: Duration(30 * 60_000) };
const WEEK: Window = Window { length: Duration(7 * 86_400_000), span: Duration(3 * 3_600_000) };
const MONTH: Window = Window { length: Duration(30 * 86_400_000), span: Duration(12 * 3_600_000) };

/// So many runs are worth a chart of their own.
const ENOUGH: i64 = 12;

pub fn read(name: Option<&str>, at: Time) -> Result<History> {
    let window = window(name, at)?;
    let span = window.span;
    // Spans begin at round times; the last one is under way.
    let count = window.length.0 / span.0;
    let begins = Time((at.0.div_euclid(span.0) + 1 - count) * span.0);
    let mut spans = vec![Span::default(); usize::try_from(count).unwrap_or(0)];
    for (index, read) in summed(name, begins, span)? {
        if let Some(span) = usize::try_from(index).ok().and_then(|index| spans.get_mut(index)) {
            *span = read;
        }
    }
    Ok(History { begins, span, spans })
}

/// The shortest that holds all of the latest runs, or enough of them. So a long one is read only where
/// there is little in it.
fn window(name: Option<&str>, at: Time) -> Result<Window> {
    let (is_meant, arguments) = only("r.sync", name);
    let since = |window: Window| {
        format!("count(*) FILTER (WHERE {} > {})", millis("r.requested_at"), at.0 - window.length.0)
    };
    let statement = format!(
        "SELECT count(*), {}, {}, {}, {} FROM sqs_sync.recent_runs r WHERE {is_meant}",
        since(QUARTER),
        since(HOUR),
        since(DAY),
        since(WEEK)
    );
    let read = |row: &Row<'_>| {
        Ok([row.need::<i64>(1)?, row.need(2)?, row.need(3)?, row.need(4)?, row.need(5)?])
    };
    let [all, quarter, hour, day, week] =
        sql::row(&statement, &arguments, read)?.unwrap_or_default();
    Ok(match all {
        all if quarter == all && all > 0 => QUARTER,
        all if hour == all && all > 0 => HOUR,
        all if day == all || day >= ENOUGH => DAY,
        all if week == all || week >= ENOUGH => WEEK,
        _ => MONTH,
    })
}

/// What the runs of each span come to; spans without any are left out.
fn summed(name: Option<&str>, begins: Time, span: Duration) -> Result<Vec<(i64, Span)>> {
    let (is_meant, mut arguments) = only("r.sync", name);
    arguments.push(DatumWithOid::from(begins.0 as f64 / 1000.0));
    let (from, span) = (arguments.len(), span.0);
    let requested = millis("r.requested_at");
    let took = millis("r.finished_at - r.started_at");
    let running = millis("COALESCE(r.finished_at, statement_timestamp()) - r.started_at");
    // OFFSET 0: each of these is computed once a run.
    let statement = format!(
        "SELECT r.span, \
           count(*) FILTER (WHERE r.state = 'succeeded'), count(*) FILTER (WHERE r.state = 'partly_failed'), \
           count(*) FILTER (WHERE r.state = 'failed'), \
           count(*) FILTER (WHERE r.state IN ('cancelled', 'discarded')), \
           count(*) FILTER (WHERE r.state IN ('queued', 'diffing', 'publishing', 'held')), \
           sum(r.rows_added)::int8, sum(r.rows_changed)::int8, sum(r.rows_removed)::int8, sum(r.rows_silent)::int8, \
           sum(r.published)::int8, sum(r.rejected)::int8, \
           percentile_disc(0.5) WITHIN GROUP (ORDER BY r.millis), max(r.millis), \
           COALESCE(sum(r.running) FILTER (WHERE r.state <> 'held'), 0)::int8 \
         FROM (SELECT r.*, ({requested} - {}) / {span} AS span, {took} AS millis, {running} AS running \
               FROM sqs_sync.runs r WHERE r.requested_at >= to_timestamp(${from}) AND {is_meant} OFFSET 0) r \
         GROUP BY r.span",
        begins.0
    );
    sql::rows(&statement, &arguments, |row| Ok((row.need(1)?, read_span(row)?)))
}

fn read_span(row: &Row<'_>) -> Result<Span> {
    Ok(Span {
        succeeded: row.need(2)?,
        partly_failed: row.need(3)?,
        failed: row.need(4)?,
        cancelled: row.need(5)?,
        open: row.need(6)?,
        found: Found {
            added: row.need(7)?,
            changed: row.need(8)?,
            removed: row.need(9)?,
            silent: row.need(10)?,
        },
        published: row.need(11)?,
        rejected: row.need(12)?,
        median: row.get(13)?.map(Duration),
        longest: row.get(14)?.map(Duration),
        running: Duration(row.need(15)?),
    })
}
