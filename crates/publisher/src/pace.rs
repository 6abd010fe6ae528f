//! How fast a queue is sent to: backoff, and the number of requests in flight.
//!
//! Additive increase, multiplicative decrease: a failed round halves a queue's window, each
//! success adds a fraction of a request. After a failed round, messages that were never tried
//! wait too, so an outage is probed by a few requests and not by everything that waits.

use std::time::{Duration, Instant};

/// The first retry waits at most this long, each further one at most twice as long as the last.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// No retry waits longer than this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): anything up to the
/// exponential bound. `failures` counts from 1.
pub(crate) fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let bound = LONGEST_BACKOFF.min(FIRST_BACKOFF * (1 << doublings));
    bound.mul_f64(fastrand::f64())
}

/// `duration` after `start`, or so far off that it never comes.
pub(crate) fn after(start: Instant, duration: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
    start.checked_add(duration).unwrap_or_else(|| start + NEVER)
}

/// One queue's pace.
pub(crate) struct Pace {
    limit: f64,
    window: f64,
    /// Failed rounds since the last success.
    rounds: u32,
    /// When the first request of an unbroken row of failures was started.
    failing_since: Option<Instant>,
    /// A failure of a request started before this belongs to a round already counted.
    counted_at: Option<Instant>,
    /// Until then nothing new is tried.
    paused_until: Option<Instant>,
    /// When a request last succeeded.
    worked_at: Option<Instant>,
}

impl Pace {
    /// Starts at full speed: SQS's standard queues have no quota to feel for.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.max(1) as f64;
        Self {
            limit,
            window: limit,
            rounds: 0,
            failing_since: None,
            counted_at: None,
            paused_until: None,
            worked_at: None,
        }
    }

    pub(crate) fn allows(&self, in_flight: usize) -> bool {
        (in_flight as f64) < self.window.floor()
    }

    /// How many requests may be in flight.
    pub(crate) fn window(&self) -> usize {
        self.window as usize
    }

    pub(crate) fn paused_until(&self) -> Option<Instant> {
        self.paused_until
    }

    pub(crate) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    pub(crate) fn worked_at(&self) -> Option<Instant> {
        self.worked_at
    }

    pub(crate) fn succeeded(&mut self, now: Instant) {
        self.worked_at = Some(now);
        self.window = (self.window + 1.0 / self.window).min(self.limit);
        self.rounds = 0;
        self.failing_since = None;
        self.paused_until = None;
    }

    /// A request that was started at `started` failed at `now`.
    pub(crate) fn failed(&mut self, started: Instant, now: Instant, retry_for: Duration) {
        let since = *self.failing_since.get_or_insert(started);
        if self.counted_at.is_some_and(|counted| started < counted) {
            return;
        }
        self.counted_at = Some(now);
        self.rounds = self.rounds.saturating_add(1);
        self.window = (self.window / 2.0).max(1.0);
        // Not beyond the end of patience: the last probe is made then.
        let until = after(now, backoff(self.rounds)).min(after(since, retry_for));
        self.paused_until = Some(until);
    }

    /// For how many rounds and how long nothing has succeeded, if that is `retry_for` or more.
    pub(crate) fn outage(&self, now: Instant, retry_for: Duration) -> Option<(u32, Duration)> {
        let time = now.saturating_duration_since(self.failing_since?);
        (time >= retry_for).then_some((self.rounds, time))
    }

    /// What failed is given up: what comes next is tried anew, slowly.
    pub(crate) fn forget_outage(&mut self) {
        self.failing_since = None;
        self.rounds = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn backoff_doubles_up_to_twenty_seconds() {
        for _ in 0..1000 {
            assert!(backoff(1) <= Duration::from_millis(100));
            assert!(backoff(3) <= Duration::from_millis(400));
            assert!(backoff(u32::MAX) <= LONGEST_BACKOFF);
        }
    }

    #[test]
    fn a_round_of_failures_halves_the_window_once() {
        let mut pace = Pace::new(64);
        let started = Instant::now();
        for _ in 0..64 {
            pace.failed(started, started + Duration::from_millis(1), LONG);
        }
        assert!(pace.allows(31));
        assert!(!pace.allows(32));
    }

    #[test]
    fn the_window_grows_back_and_never_closes() {
        let mut pace = Pace::new(4);
        let start = Instant::now();
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            pace.failed(now, now, LONG);
        }
        assert!(pace.allows(0) && !pace.allows(1));
        for _ in 0..100 {
            pace.succeeded(start);
        }
        assert!(pace.allows(3) && !pace.allows(4));
        assert!(!pace.is_paused(start));
    }

    #[test]
    fn patience_without_end_does_not_overflow() {
        let now = Instant::now();
        assert!(after(now, Duration::MAX) > now);
        Pace::new(1).failed(now, now, Duration::MAX);
    }
}
