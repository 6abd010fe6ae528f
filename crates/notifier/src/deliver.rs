//! A delivery: attempts until the peer has taken the message, refused it, or is given up.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use crate::alert::Alert;
use crate::channel::Channel;
use crate::error::Trouble;
use crate::mailbox::{Answer, Fate};
use crate::wire::{Undelivered, Wire};

/// No longer wait is granted to a peer that asks for one.
const LONGEST_ASKED: Duration = Duration::from_secs(120);

/// How an alert is delivered.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most attempts of one delivery. 0 counts as 1.
    pub attempts: u32,
    /// How long one attempt may take, from the name lookup to the end of the answer.
    pub timeout: Duration,
    /// The first retry waits at most this long, each further one at most twice as long as the last.
    pub backoff: Duration,
    /// No retry waits longer than this, unless the peer asks for it.
    pub longest_backoff: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            attempts: 5,
            timeout: Duration::from_secs(15),
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Full jitter, as for SQS; `failures` counts from 1. At least what the peer asked for.
    fn pause(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let bound = self.longest_backoff.min(self.backoff.saturating_mul(1 << doublings));
        let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
        bound.mul_f64(fastrand::f64()).max(asked)
    }
}

/// Tries until there is an outcome.
pub(crate) async fn deliver(
    wire: &Wire,
    settings: &Settings,
    id: i64,
    alert: &Alert,
    channel: &Channel,
) -> Answer {
    let started = Instant::now();
    let mut undelivered = Undelivered::default();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let attempt = wire.attempt(channel, alert, &mut undelivered);
        let outcome = timeout(settings.timeout, attempt)
            .await
            .unwrap_or_else(|_| Err(no_answer(channel, settings.timeout)));
        let answer =
            |status, fate| Answer { id, fate, status, attempts, latency: started.elapsed() };
        match outcome {
            Ok(taken) => {
                return answer(taken.status, Fate::Delivered { reference: taken.reference });
            }
            Err(trouble) if trouble.passes && attempts < settings.attempts => {
                sleep(settings.pause(attempts, trouble.retry_after)).await;
            }
            Err(trouble) => {
                let (status, was_retried) = (trouble.status, trouble.passes && attempts > 1);
                let mut failure = trouble.failure(|text| channel.redact(text));
                if was_retried {
                    failure.message += &format!(", after {attempts} attempts");
                }
                return answer(status, Fate::Failed(failure));
            }
        }
    }
}

fn no_answer(channel: &Channel, patience: Duration) -> Trouble {
    let seconds = patience.as_secs_f64();
    Trouble::network(format!("no answer from {} within {seconds} s", channel.peer()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_up_to_its_bound_and_is_no_shorter_than_asked() {
        let settings = Settings::default();
        for failures in 1..40 {
            let bound =
                Duration::from_secs(1 << (failures - 1_u32).min(5)).min(settings.longest_backoff);
            assert!(settings.pause(failures, None) <= bound);
        }
        let asked = Duration::from_secs(45);
        assert_eq!(settings.pause(1, Some(asked)), asked);
        assert_eq!(settings.pause(1, Some(Duration::MAX)), LONGEST_ASKED);
    }
}
