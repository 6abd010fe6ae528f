//! Whether a condition holds, by what is known.

use std::time::{Duration, SystemTime};

use super::condition::{Condition, Over};
use super::facts::{Facts, Run, RunState};
use super::unusual::unusual;
use crate::alert::clock;

/// What was found, for the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Since when it is so.
    pub since: SystemTime,
    /// A sentence without its full stop.
    pub summary: String,
    /// Name and value.
    pub details: Vec<(String, String)>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Firing(Finding),
    Clear(Finding),
    /// Nothing is known that would change what was found before.
    Unknown,
}

/// Judges a condition at a time.
pub fn judge(condition: Condition, facts: &Facts, now: SystemTime) -> Verdict {
    match condition {
        Condition::RunFailed => run_failed(facts),
        Condition::Rejections { over } => rejections(facts, over),
        Condition::RunHeld => run_held(facts, now),
        Condition::NoSuccess { within } => no_success(facts, within, now),
        Condition::RunLong { over } => run_long(facts, over, now),
        Condition::QueuePaused => queue_paused(facts, now),
        Condition::WorkerDown { within } => worker_down(facts, within, now),
        Condition::Unusual => unusual_counts(facts),
    }
}

/// Runs that somebody cancelled say nothing, and neither does one under way: it goes on being so
/// until a run ends otherwise.
fn run_failed(facts: &Facts) -> Verdict {
    let ended = || facts.runs.iter().filter(|run| run.state.has_ended());
    let Some(last) = ended().next() else {
        return Verdict::Unknown;
    };
    if last.state != RunState::Failed {
        return Verdict::Clear(finding(
            last.ended_at(),
            format!("run {} has gone through", last.id),
        ));
    }
    let failed: Vec<&Run> = ended().take_while(|run| run.state == RunState::Failed).collect();
    let since = failed.last().unwrap_or(&last).ended_at();
    let error = last.error.as_deref().unwrap_or("no reason is known");
    let last_success = facts.last_success_at.map_or("never".to_owned(), clock);
    Verdict::Firing(Finding {
        hint: last.hint.clone(),
        ..finding(since, format!("run {} failed: {error}", last.id))
            .with("Run", last.id)
            .with("Failed in a row", failed.len())
            .with("Last success", last_success)
    })
}

fn rejections(facts: &Facts, over: Over) -> Verdict {
    let Some(run) = facts.runs.iter().find(|run| run.state.has_gone_through()) else {
        return Verdict::Unknown;
    };
    let all = run.published.saturating_add(run.rejected);
    let (is_over, limit) = match over {
        Over::Rows(most) => (run.rejected > most, format!("{most} rows")),
        Over::Share(most) => {
            let limit = format!("{}%", most * 100.0);
            (run.rejected as f64 > most * all as f64, limit)
        }
    };
    let summary = format!("run {} rejected {} of {all} rows", run.id, run.rejected);
    let found = finding(run.ended_at(), summary)
        .with("Run", run.id)
        .with("Rejected", run.rejected)
        .with("Published", run.published)
        .with("Limit", limit);
    if !is_over {
        return Verdict::Clear(found);
    }
    let hint = "Look at sqs_sync.rejections: each row has its reason and what to do.";
    Verdict::Firing(Finding { hint: Some(hint.to_owned()), ..found })
}

fn run_held(facts: &Facts, now: SystemTime) -> Verdict {
    let Some(run) = facts.runs.iter().find(|run| run.state == RunState::Held) else {
        return Verdict::Clear(finding(now, "no run is held".to_owned()));
    };
    let error = run.error.as_deref().unwrap_or("somebody must decide");
    let since = run.started_at.unwrap_or(run.requested_at);
    Verdict::Firing(Finding {
        hint: run.hint.clone(),
        ..finding(since, format!("run {} is held: {error}", run.id)).with("Run", run.id)
    })
}

/// That the sync is paused is no excuse: what was paused and forgotten is what this is for.
fn no_success(facts: &Facts, within: Duration, now: SystemTime) -> Verdict {
    let last = facts.last_success_at.unwrap_or(facts.created_at);
    let passed = now.duration_since(last).unwrap_or_default();
    if passed <= within {
        return Verdict::Clear(finding(now, format!("a run went through at {}", clock(last))));
    }
    let ever = match facts.last_success_at {
        Some(last) => format!("no run has gone through since {}", clock(last)),
        None => "no run has ever gone through".to_owned(),
    };
    let paused = if facts.is_paused { "; the sync is paused" } else { "" };
    let found = finding(last + within, format!("{ever}{paused}")).with("Limit", words(within));
    Verdict::Firing(match facts.runs.first() {
        Some(run) => Finding {
            hint: run.hint.clone(),
            ..found.with("Last run", format!("{} ({})", run.id, state_words(run.state)))
        },
        None => found,
    })
}

fn run_long(facts: &Facts, over: Duration, now: SystemTime) -> Verdict {
    let started = |run: &&Run| run.started_at.filter(|_| run.state.is_under_way());
    let long = facts.runs.iter().find_map(|run| {
        let passed = now.duration_since(started(&run)?).ok()?;
        (passed > over).then_some((run, passed))
    });
    let Some((run, passed)) = long else {
        return Verdict::Clear(finding(now, format!("no run takes longer than {}", words(over))));
    };
    let since = run.started_at.unwrap_or(run.requested_at) + over;
    Verdict::Firing(Finding {
        hint: Some(
            "Look at sqs_sync.progress, and at sqs_sync.workers for what it waits for.".to_owned(),
        ),
        ..finding(since, format!("run {} has taken {}", run.id, words(passed)))
            .with("Run", run.id)
            .with("Phase", state_words(run.state))
            .with("Published", run.published)
            .with("Limit", words(over))
    })
}

fn queue_paused(facts: &Facts, now: SystemTime) -> Verdict {
    let Some(first) = facts.paused_queues.iter().min_by_key(|paused| paused.since) else {
        return Verdict::Clear(finding(now, "all queues take messages".to_owned()));
    };
    let more = match facts.paused_queues.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    let found = finding(first.since, format!("queue {} takes no messages{more}", first.queue));
    Verdict::Firing(
        facts
            .paused_queues
            .iter()
            .fold(found, |found, paused| found.with(&paused.queue, &paused.reason)),
    )
}

fn worker_down(facts: &Facts, within: Duration, now: SystemTime) -> Verdict {
    let Some(seen) = facts.worker_seen_at else {
        return Verdict::Unknown;
    };
    let passed = now.duration_since(seen).unwrap_or_default();
    if passed <= within {
        return Verdict::Clear(finding(now, "the worker is there".to_owned()));
    }
    let hint = "Look at sqs_sync.workers and at the server's log. \
                The worker takes one of max_worker_processes.";
    Verdict::Firing(Finding {
        hint: Some(hint.to_owned()),
        ..finding(seen + within, format!("the worker was last seen at {}", clock(seen)))
            .with("Limit", words(within))
    })
}

fn unusual_counts(facts: &Facts) -> Verdict {
    let Some((run, counts)) = unusual(&facts.runs) else {
        return Verdict::Unknown;
    };
    let since = run.started_at.unwrap_or(run.requested_at);
    let Some(most) = counts.iter().max_by_key(|count| count.rows) else {
        return Verdict::Clear(finding(since, format!("run {} found no unusual counts", run.id)));
    };
    let summary = format!(
        "run {} found {} rows {}, and the median of the runs before is {}",
        run.id, most.rows, most.event, most.median
    );
    let found = finding(since, summary).with("Run", run.id);
    let found = counts.iter().fold(found, |found, count| {
        found.with(count.event, format!("{} (median {})", count.rows, count.median))
    });
    let hint = "See that the model returns the rows that it should.";
    Verdict::Firing(Finding { hint: Some(hint.to_owned()), ..found })
}

fn finding(since: SystemTime, summary: String) -> Finding {
    Finding { since, summary, details: Vec::new(), hint: None }
}

impl Finding {
    fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.details.push((name.to_owned(), value.to_string()));
        self
    }
}

fn state_words(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Diffing => "comparing",
        RunState::Held => "held",
        RunState::Publishing => "publishing",
        RunState::Succeeded => "succeeded",
        RunState::PartlyFailed => "partly failed",
        RunState::Failed => "failed",
        RunState::Cancelled => "cancelled",
        RunState::Discarded => "discarded",
    }
}

/// A time's length in its two largest units: `3 h 20 min`.
fn words(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = time.as_secs();
    let (size, unit) = UNITS.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "s"));
    let smaller = UNITS.into_iter().find(|(smaller, _)| *smaller < size);
    match smaller.map(|(smaller, unit)| ((seconds % size) / smaller, unit)) {
        Some((rest, smaller)) if rest > 0 => format!("{} {unit} {rest} {smaller}", seconds / size),
        _ => format!("{} {unit}", seconds / size),
    }
}
