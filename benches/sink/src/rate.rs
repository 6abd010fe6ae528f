//! A rate a second that is kept to.

use std::time::Duration;

/// What can be saved up while nothing is asked for, in seconds of the rate.
const BURST_SECONDS: f64 = 0.1;

/// A token bucket, kept as the time at which it was empty.
#[derive(Clone, Copy)]
pub(crate) struct Bucket {
    empty_at: f64,
}

impl Bucket {
    pub(crate) fn full() -> Self {
        Self { empty_at: f64::NEG_INFINITY }
    }

    /// Takes all of `wanted`, or nothing. A full bucket always has enough for one request.
    pub(crate) fn take(&mut self, wanted: usize, per_second: f64, now: Duration) -> bool {
        let (wanted, now) = (wanted as f64, now.as_secs_f64());
        let most = (per_second * BURST_SECONDS).max(wanted);
        let available = ((now - self.empty_at) * per_second).min(most);
        if available < wanted {
            return false;
        }
        self.empty_at = now - (available - wanted) / per_second;
        true
    }
}
