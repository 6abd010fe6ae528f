//! How a run goes, for those who watch it: what it has asked of SQS, how fast it is, what it waits
//! for. Written once a second, with a settlement where there is one, and told to pg_stat_activity.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use publisher::Counters;

use super::job::Job;
use crate::catalog::figures::{self, Traffic};
use crate::catalog::progress::{self, Gauges, Phase};
use crate::catalog::run;
use crate::pg::{Result, process};

/// How often it is written.
const EVERY: Duration = Duration::from_secs(1);
/// Over how long the rate is taken.
const RATE_OVER: Duration = Duration::from_secs(10);

pub struct Pulse {
    /// What the run had asked of SQS before.
    base: Traffic,
    /// Messages, sent again after another attempt than the publisher's, that a queue may have twice.
    more_duplicates: i64,
    /// Changes that the run had dealt with before, and now.
    done_before: i64,
    done: i64,
    total: i64,
    /// When how many had been dealt with, the oldest first.
    samples: VecDeque<(Instant, i64)>,
    beat_at: Instant,
}

/// What is written at once.
pub struct Beat {
    traffic: Traffic,
    gauges: Gauges,
}

impl Pulse {
    /// With raised rights.
    pub fn load(job: &Job) -> Result<Pulse> {
        let run = run::by_id(job.run.id)?;
        let now = Instant::now();
        Ok(Pulse {
            base: job.traffic.borrow().clone(),
            more_duplicates: 0,
            done_before: run.published + run.rejected,
            done: 0,
            total: progress::total(job.run.id)?,
            samples: VecDeque::from([(now, 0)]),
            beat_at: now,
        })
    }

    /// A change has been dealt with: SQS has answered, or it was refused before.
    pub fn count(&mut self, changes: usize) {
        self.done += changes as i64;
    }

    /// A message that was in doubt is acknowledged.
    pub fn count_possible_duplicate(&mut self) {
        self.more_duplicates += 1;
    }

    pub fn is_due(&self) -> bool {
        self.beat_at.elapsed() >= EVERY
    }

    /// What is to be written now, if it is time.
    pub fn beat(
        &mut self,
        job: &Job,
        phase: Phase,
        unanswered: usize,
        counters: &Counters,
    ) -> Option<Beat> {
        if !self.is_due() {
            return None;
        }
        let now = Instant::now();
        let last_beat_at = std::mem::replace(&mut self.beat_at, now);
        let traffic = self.traffic(counters);
        job.traffic.replace(traffic.clone());
        let rate = self.rate(now);
        self.tell(job, phase);
        let slow_queue = counters.paused.as_ref().filter(|(_, until)| *until > last_beat_at);
        let gauges = Gauges {
            phase,
            unanswered: unanswered as i64,
            rate: Some(rate),
            in_flight: i32::try_from(counters.in_flight).unwrap_or(i32::MAX),
            in_flight_limit: i32::try_from(counters.limit).unwrap_or(i32::MAX),
            slow_queue: slow_queue.map(|(queue, _)| queue.to_string()),
            is_limited: counters.is_limited,
        };
        Some(Beat { traffic, gauges })
    }

    /// What the run has asked of SQS in all.
    pub fn traffic(&self, counters: &Counters) -> Traffic {
        let plus = |before: i64, now: u64| before.saturating_add_unsigned(now);
        let before = |place: usize| self.base.latencies.get(place).copied().unwrap_or(0);
        let latencies = counters.latencies.iter().enumerate();
        Traffic {
            calls: plus(self.base.calls, counters.calls),
            failed_calls: plus(self.base.failed_calls, counters.failed_calls),
            throttled: plus(self.base.throttled, counters.throttled),
            retries: plus(self.base.retries, counters.retries),
            bytes: plus(self.base.bytes, counters.bytes),
            possible_duplicates: self.more_duplicates
                + plus(self.base.possible_duplicates, counters.possible_duplicates),
            latencies: latencies.map(|(place, calls)| plus(before(place), *calls)).collect(),
        }
    }

    fn rate(&mut self, now: Instant) -> f64 {
        self.samples.push_back((now, self.done));
        let is_old = |at: &Instant| now.duration_since(*at) > RATE_OVER;
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|(at, _)| is_old(at)) {
            self.samples.pop_front();
        }
        let (since, before) = self.samples.front().copied().unwrap_or((now, self.done));
        (self.done - before) as f64 / now.duration_since(since).as_secs_f64().max(0.001)
    }

    fn tell(&self, job: &Job, phase: Phase) {
        let (done, total) =
            (grouped(self.done_before + self.done), grouped(self.total.max(self.done)));
        let what = phase.as_str();
        process::report_activity(&format!("sync {}: {what} {done} of {total}", job.sync.name));
    }
}

impl Beat {
    /// With raised rights.
    pub fn write(&self, run_id: i64) -> Result<()> {
        figures::set_traffic(run_id, &self.traffic)?;
        progress::set(run_id, &self.gauges)
    }
}

/// A count as people read it: 1,234,567.
pub fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
