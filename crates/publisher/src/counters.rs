//! What a publisher has done and does: counted on its thread, read by the caller at any time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The upper bounds of the buckets that latencies are counted in, in milliseconds. The last bucket
/// has none.
pub const LATENCY_BOUNDS_MS: [f64; 17] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0,
    10_000.0, 20_000.0,
];

/// How many API calls took how long, by [`LATENCY_BOUNDS_MS`].
pub type Latencies = [u64; LATENCY_BOUNDS_MS.len() + 1];

/// What a publisher has done since it was started, and what it does now.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// API calls that have ended.
    pub calls: u64,
    /// Calls that failed as a whole.
    pub failed_calls: u64,
    /// Calls that SQS throttled, wholly or an entry of theirs.
    pub throttled: u64,
    /// Calls that tried messages again.
    pub retries: u64,
    /// Bytes of messages in all calls, as SQS counts them.
    pub bytes: u64,
    /// Messages that SQS acknowledged after an attempt whose outcome is unknown, where the queue
    /// would take both.
    pub possible_duplicates: u64,
    pub latencies: Latencies,
    /// Requests on their way.
    pub in_flight: usize,
    /// How many there may be, after throttling and failures.
    pub limit: usize,
    /// The queue that is waited for longest, or was last, and until when nothing new is sent to it.
    pub paused: Option<(Arc<str>, Instant)>,
    /// What waits is held up by the caller's own limit of messages a second.
    pub is_limited: bool,
}

impl Counters {
    pub(crate) fn count_call(&mut self, latency: Duration, failed: bool, throttled: bool) {
        self.calls += 1;
        self.failed_calls += u64::from(failed);
        self.throttled += u64::from(throttled);
        let milliseconds = latency.as_secs_f64() * 1000.0;
        let bucket = LATENCY_BOUNDS_MS.partition_point(|bound| *bound < milliseconds);
        self.latencies[bucket] += 1;
    }
}

/// Where the thread shows its counters.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Counters>>);

impl Board {
    pub(crate) fn show(&self, counters: &Counters) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(counters);
    }

    pub(crate) fn read(&self) -> Counters {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long the given share of calls took at most, in milliseconds, within its bucket by
/// interpolation; `None` without calls.
#[must_use]
pub fn latency_at(latencies: &[i64], share: f64) -> Option<f64> {
    let total: i64 = latencies.iter().sum();
    if total <= 0 || !(0.0..=1.0).contains(&share) {
        return None;
    }
    let wanted = share * total as f64;
    let mut below = 0.0;
    let mut from = 0.0;
    for (index, count) in latencies.iter().enumerate() {
        let count = *count as f64;
        let Some(to) = LATENCY_BOUNDS_MS.get(index) else { break };
        if count > 0.0 && below + count >= wanted {
            return Some(from + (to - from) * ((wanted - below) / count).clamp(0.0, 1.0));
        }
        below += count;
        from = *to;
    }
    // Longer than the last bound: how long is not known.
    Some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_counted_in_the_bucket_that_holds_it() {
        let mut counters = Counters::default();
        for (milliseconds, failed) in [(0, false), (1, false), (1, true), (30_000, false)] {
            counters.count_call(Duration::from_millis(milliseconds), failed, false);
        }
        assert_eq!((counters.calls, counters.failed_calls), (4, 1));
        assert_eq!(counters.latencies[0], 1);
        assert_eq!(counters.latencies[3], 2, "a bound belongs to its bucket");
        assert_eq!(counters.latencies[LATENCY_BOUNDS_MS.len()], 1);
    }

    #[test]
    fn a_percentile_lies_in_its_bucket() {
        let mut latencies = [0; LATENCY_BOUNDS_MS.len() + 1];
        assert_eq!(latency_at(&latencies, 0.5), None);
        latencies[6] = 90;
        latencies[8] = 10;
        assert_eq!(latency_at(&latencies, 0.9), Some(10.0));
        assert_eq!(latency_at(&latencies, 0.95), Some(35.0));
        assert!(latency_at(&latencies, 0.01).is_some_and(|ms| (5.0..5.1).contains(&ms)));
        latencies[LATENCY_BOUNDS_MS.len()] = 1000;
        assert_eq!(latency_at(&latencies, 0.99), Some(20_000.0));
        assert_eq!(latency_at(&latencies, 2.0), None);
        assert_eq!(latency_at(&[], 0.5), None);
    }
}
