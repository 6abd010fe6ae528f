//! What an alert stands at, and what of a verdict is news.
//!
//! Two things are kept: whether the condition holds, and whether the channel believes that it
//! does. Each step tells what brings the channel's belief in line, and nothing while the alert is
//! silenced. So the channel hears that it began and that it ended in turns, whatever happens, and
//! after a silence it hears how things stand, once.

use std::time::{Duration, SystemTime};

use super::judge::Verdict;
use crate::alert::News;

/// What an alert stands at: kept by the caller between steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub is_firing: bool,
    /// Since when it is so, or is not.
    pub since: SystemTime,
    /// When the channel was last told that it is so; `None` once it was told that it is not.
    pub told_at: Option<SystemTime>,
}

/// When an alert's channel is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How long after the last message there is another one, if it still is so.
    pub remind_every: Option<Duration>,
    pub silenced_until: Option<SystemTime>,
}

impl Standing {
    /// That of a new alert.
    pub fn new(now: SystemTime) -> Self {
        Self { is_firing: false, since: now, told_at: None }
    }

    /// What it stands at after a verdict, and what there is to tell.
    pub fn step(self, verdict: &Verdict, policy: &Policy, now: SystemTime) -> (Self, Option<News>) {
        let (is_firing, since) = match verdict {
            Verdict::Unknown => return (self, None),
            Verdict::Firing(finding) => (true, finding.since),
            Verdict::Clear(_) => (false, now),
        };
        let since = if is_firing == self.is_firing { self.since } else { since };
        let next = Self { is_firing, since, ..self };
        if policy.silenced_until.is_some_and(|until| now < until) {
            return (next, None);
        }
        let news = match (is_firing, self.told_at) {
            (true, None) => News::Firing,
            (true, Some(told)) if is_due(policy.remind_every, told, now) => News::Reminder,
            (false, Some(_)) => News::Recovered,
            _ => return (next, None),
        };
        (Self { told_at: is_firing.then_some(now), ..next }, Some(news))
    }
}

/// A clock that was set back puts a reminder off.
fn is_due(remind_every: Option<Duration>, told: SystemTime, now: SystemTime) -> bool {
    remind_every.is_some_and(|every| now.duration_since(told).is_ok_and(|passed| passed >= every))
}
