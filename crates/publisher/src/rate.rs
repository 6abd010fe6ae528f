//! The most messages a second that the caller allows: a token bucket over all queues.
//!
//! In any time, no more messages are sent than the rate makes in it and in one second more: what
//! was not used is kept for that long. Every attempt counts. A request waits until a full one may
//! go, since it is requests that are paid for; a rate below a full request a second makes smaller
//! ones.

use std::time::{Duration, Instant};

use crate::pace::after;
use crate::waiting::BATCH_ENTRIES;

/// Less than a message by so little is due to rounding.
const ROUNDING: f64 = 1e-6;

pub(crate) struct Rate {
    per_second: f64,
    /// Messages that may be sent at `counted_at`.
    saved: f64,
    counted_at: Instant,
}

/// How many messages a request may have at such a rate.
pub(crate) fn batch_entries(per_second: Option<f64>) -> usize {
    per_second.map_or(BATCH_ENTRIES, |rate| (rate as usize).clamp(1, BATCH_ENTRIES))
}

impl Rate {
    /// One request may go at once, and nothing is saved beyond it.
    pub(crate) fn new(per_second: f64, now: Instant) -> Self {
        let first = batch_entries(Some(per_second)) as f64;
        Self { per_second, saved: first, counted_at: now }
    }

    /// When the next request may go; `None`: now.
    pub(crate) fn blocked_until(&self, now: Instant) -> Option<Instant> {
        let missing = self.request() - self.saved(now);
        let wait = Duration::try_from_secs_f64(missing / self.per_second);
        (missing > ROUNDING).then(|| after(now, wait.unwrap_or(Duration::MAX)))
    }

    pub(crate) fn take(&mut self, messages: usize, now: Instant) {
        self.saved = self.saved(now) - messages as f64;
        self.counted_at = now;
    }

    fn request(&self) -> f64 {
        batch_entries(Some(self.per_second)) as f64
    }

    fn saved(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.counted_at).as_secs_f64();
        (self.saved + since * self.per_second).min(self.per_second.max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends what may be sent until then, a full request as soon as one may go. Returns when each
    /// went, in seconds, and how many messages it had.
    fn send(rate: &mut Rate, start: Instant, from: Instant, seconds: f64) -> Vec<(f64, usize)> {
        let end = start + Duration::from_secs_f64(seconds);
        let (mut now, mut sent) = (from, Vec::new());
        loop {
            while let Some(until) = rate.blocked_until(now) {
                // A timer is never early, and rarely exact.
                now = until + Duration::from_micros(700);
            }
            if now > end {
                return sent;
            }
            let messages = batch_entries(Some(rate.per_second));
            rate.take(messages, now);
            sent.push(((now - start).as_secs_f64(), messages));
        }
    }

    #[test]
    fn what_is_sent_over_a_run_is_the_rate() {
        for per_second in [0.05_f64, 1.0, 3.7, 9.99, 10.0, 10.5, 100.0, 2500.0] {
            let start = Instant::now();
            let seconds = (200.0 / per_second).max(20.0);
            let sent = send(&mut Rate::new(per_second, start), start, start, seconds);
            let messages: usize = sent.iter().map(|(_, messages)| messages).sum();
            let expected = per_second * seconds;
            let first = batch_entries(Some(per_second)) as f64;
            assert!(messages as f64 <= expected + first, "{per_second}: {messages}");
            assert!(messages as f64 >= expected * 0.95, "{per_second}: {messages}");
        }
    }

    #[test]
    fn no_time_has_more_than_its_own_messages_and_those_of_a_second() {
        for per_second in [0.3_f64, 1.0, 7.0, 10.0, 64.0, 1000.0] {
            let start = Instant::now();
            let mut rate = Rate::new(per_second, start);
            let mut sent = send(&mut rate, start, start, 5.0);
            sent.extend(send(&mut rate, start, start + Duration::from_secs(60), 70.0));
            for (index, (from, _)) in sent.iter().enumerate() {
                let mut messages = 0;
                for (at, more) in &sent[index..] {
                    messages += more;
                    let most = per_second * (at - from) + per_second.max(1.0);
                    assert!(messages as f64 <= most + 0.01, "{per_second}: {messages} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_request_has_no_more_than_a_second_s_messages_and_at_least_one() {
        let of = |rate| batch_entries(Some(rate));
        assert_eq!(
            [of(1e-300), of(0.5), of(1.0), of(3.9), of(10.0), of(f64::MAX)],
            [1, 1, 1, 3, 10, 10]
        );
        assert_eq!(batch_entries(None), BATCH_ENTRIES);
    }

    #[test]
    fn every_rate_lets_the_first_request_go_at_once_and_none_overflows() {
        let start = Instant::now();
        for per_second in [f64::MIN_POSITIVE, 1e-9, 1.0, 1e300, f64::MAX] {
            let mut rate = Rate::new(per_second, start);
            assert_eq!(rate.blocked_until(start), None, "{per_second}");
            rate.take(batch_entries(Some(per_second)), start);
            let until = rate.blocked_until(start);
            assert!(until.is_some_and(|until| until >= start), "{per_second}");
        }
    }
}
