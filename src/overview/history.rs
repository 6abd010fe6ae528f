//! Runs over time, out of `sqs_sync.runs`.

use pgrx::datum::DatumWithOid;
use report::data::{Found, History, Span, State};
use report::time::{Duration, Time};

use super::{millis, only, state};
use crate::pg::Result;
use crate::pg::sql;

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
const ENOUGH: usize = 12;

pub fn read(name: Option<&str>, at: Time, recent: &[Time]) -> Result<History> {
    let window = window(at, recent);
    let span = window.span;
    // Spans begin at round times; the last one is under way.
    let count = window.length.0 / span.0;
    let begins = Time((at.0.div_euclid(span.0) + 1 - count) * span.0);
    let mut spans = vec![Span::default(); usize::try_from(count).unwrap_or(0)];
    let mut durations = vec![Vec::new(); spans.len()];
    for part in parts(name, begins, span)? {
        let index = usize::try_from((part.begins.0 - begins.0) / span.0).ok();
        let Some(index) = index.filter(|index| *index < spans.len()) else { continue };
        durations[index].extend(part.add_to(&mut spans[index]));
    }
    for (span, durations) in spans.iter_mut().zip(durations) {
        span.median = median(durations);
    }
    Ok(History { begins, span, spans })
}

/// The shortest that holds all of the latest runs, or enough of them. So a long one is read only where
/// there is little in it.
fn window(at: Time, recent: &[Time]) -> Window {
    let since =
        |window: Window| recent.iter().filter(|time| time.0 > at.0 - window.length.0).count();
    match recent.len() {
        all if since(QUARTER) == all && all > 0 => QUARTER,
        all if since(HOUR) == all && all > 0 => HOUR,
        all if since(DAY) == all || since(DAY) >= ENOUGH => DAY,
        all if since(WEEK) == all || since(WEEK) >= ENOUGH => WEEK,
        _ => MONTH,
    }
}

/// Runs of a span that are in one state and took about as long as each other.
struct Part {
    /// When the span does.
    begins: Time,
    state: State,
    runs: i64,
    /// All of them together, and the longest; of those that have not ended, until now.
    took: Duration,
    longest: Option<Duration>,
    found: Found,
    published: i64,
    rejected: i64,
}

/// A sort of all runs would take longer than all else: they are put together by how long they took,
/// to 3%.
fn parts(name: Option<&str>, begins: Time, span: Duration) -> Result<Vec<Part>> {
    let (is_meant, mut arguments) = only("r.sync", name);
    arguments.push(DatumWithOid::from(begins.0 as f64 / 1000.0));
    let from = arguments.len();
    arguments.push(DatumWithOid::from(span.0 as f64 / 1000.0));
    let length = arguments.len();
    // OFFSET 0: each of these is computed once a run.
    let statement = format!(
        "SELECT {}, r.state, count(*), COALESCE(sum(r.seconds) * 1000, 0)::int8, (max(r.seconds) * 1000)::int8, \
           sum(r.rows_added)::int8, sum(r.rows_changed)::int8, sum(r.rows_removed)::int8, sum(r.rows_silent)::int8, \
           sum(r.published)::int8, sum(r.rejected)::int8 \
         FROM (SELECT r.state, r.rows_added, r.rows_changed, r.rows_removed, r.rows_silent, r.published, r.rejected, \
                 date_bin(make_interval(secs => ${length}), r.requested_at, to_timestamp(${from})) AS span, \
                 date_part('epoch', COALESCE(r.finished_at, statement_timestamp()) - r.started_at) AS seconds \
               FROM sqs_sync.runs r WHERE r.requested_at >= to_timestamp(${from}) AND {is_meant} OFFSET 0) r \
         GROUP BY r.span, r.state, round(ln(abs(r.seconds) + 0.001) * 33)",
        millis("r.span")
    );
    sql::rows(&statement, &arguments, |row| {
        Ok(Part {
            begins: Time(row.need(1)?),
            state: state(&row.need::<String>(2)?)?,
            runs: row.need(3)?,
            took: Duration(row.need(4)?),
            longest: row.get(5)?.map(Duration),
            found: Found {
                added: row.need(6)?,
                changed: row.need(7)?,
                removed: row.need(8)?,
                silent: row.need(9)?,
            },
            published: row.need(10)?,
            rejected: row.need(11)?,
        })
    })
}

impl Part {
    /// Returns how long each took, about, and how many there are, if they have ended.
    fn add_to(self, span: &mut Span) -> Option<(Duration, i64)> {
        let (counted, has_ended) = match self.state {
            State::Succeeded => (&mut span.succeeded, true),
            State::PartlyFailed => (&mut span.partly_failed, true),
            State::Failed => (&mut span.failed, true),
            State::Cancelled | State::Discarded => (&mut span.cancelled, true),
            State::Queued | State::Diffing | State::Publishing | State::Held => {
                (&mut span.open, false)
            }
        };
        *counted += self.runs;
        span.found.added += self.found.added;
        span.found.changed += self.found.changed;
        span.found.removed += self.found.removed;
        span.found.silent += self.found.silent;
        span.published += self.published;
        span.rejected += self.rejected;
        if self.state != State::Held {
            span.running.0 += self.took.0;
        }
        let longest = self.longest.filter(|_| has_ended)?;
        span.longest = span.longest.max(Some(longest));
        Some((Duration(self.took.0 / self.runs.max(1)), self.runs))
    }
}

fn median(mut durations: Vec<(Duration, i64)>) -> Option<Duration> {
    durations.sort_unstable();
    let mut left = (durations.iter().map(|(_, runs)| runs).sum::<i64>() + 1) / 2;
    let found = durations.into_iter().find(|(_, runs)| {
        left -= runs;
        left <= 0
    });
    found.map(|(duration, _)| duration)
}
