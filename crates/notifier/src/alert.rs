//! An alert, as every channel is given it.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::{Deserialize, Serialize};

use crate::watch::{Finding, Kind};

/// What an alert says of its condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It was not so before.
    Firing,
    /// It is so no longer.
    Recovered,
    /// It still is so.
    Reminder,
    /// Somebody tries the channel.
    Test,
}

impl News {
    pub fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Recovered => "recovered",
            Self::Reminder => "reminder",
            Self::Test => "test",
        }
    }

    /// The word that a message begins with.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Firing => "FIRING",
            Self::Recovered => "RECOVERED",
            Self::Reminder => "STILL FIRING",
            Self::Test => "TEST",
        }
    }
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Sync(String),
    /// The database with all of its syncs.
    All,
}

impl Subject {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Sync(name) => name,
            Self::All => "all syncs",
        }
    }
}

/// One message to one channel. What its texts hold is not trusted: each channel makes them fit.
///
/// Its serialized form is for the table in which it waits for its delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Of this message: the same at each attempt, and never that of another. A receiver that has
    /// seen it has the message already.
    pub id: String,
    /// Of the alert, as it was created.
    pub name: String,
    pub subject: Subject,
    pub condition: Kind,
    pub news: News,
    /// What it is about in a few words.
    pub title: String,
    /// What is so, in a sentence or two.
    pub summary: String,
    /// Name and value, in the order in which they are shown.
    pub details: Vec<(String, String)>,
    /// Since when it is so.
    pub since: SystemTime,
    /// When it was found.
    pub at: SystemTime,
    pub database: String,
    /// What to do about it.
    pub runbook: Option<String>,
    /// The same for all messages about this condition of this subject.
    pub dedup_key: String,
}

/// What is the same of all messages of an alert about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Of the alert, as it was created.
    pub name: String,
    pub subject: Subject,
    pub condition: Kind,
    pub database: String,
    pub dedup_key: String,
}

impl Alert {
    /// The message that tells news of a finding.
    pub fn telling(
        id: String,
        watched: &Watched,
        news: News,
        finding: &Finding,
        at: SystemTime,
    ) -> Self {
        let watched = watched.clone();
        Self {
            id,
            title: format!("{}: {}", watched.subject.name(), watched.condition.words()),
            name: watched.name,
            subject: watched.subject,
            condition: watched.condition,
            news,
            summary: finding.summary.clone(),
            details: finding.details.clone(),
            since: finding.since,
            at,
            database: watched.database,
            runbook: finding.hint.clone(),
            dedup_key: watched.dedup_key,
        }
    }

    /// A message that tries the channel. It is about nothing, so it has a key of its own.
    pub fn trying(id: String, watched: &Watched, at: SystemTime) -> Self {
        let finding = Finding {
            since: at,
            summary: "this is a test of the channel: nothing is wrong".to_owned(),
            details: Vec::new(),
            hint: None,
        };
        let alert = Self::telling(id, watched, News::Test, &finding, at);
        Self { dedup_key: format!("{}/test", alert.dedup_key), ..alert }
    }
}

/// A time as RFC 3339 has it, in UTC and in seconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = DateTime::from_secs(DateTime::from(time).secs());
    // Out of the years that the format has, which no clock shows.
    seconds.fmt(Format::DateTime).unwrap_or_else(|_| format!("{} s", seconds.secs()))
}

/// A time for people: `2026-11-24 18:10 UTC`.
pub(crate) fn clock(time: SystemTime) -> String {
    let text = rfc3339(time);
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => text,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// Tuesday, 24 November 2026, 18:10:09 UTC.
    pub(crate) fn noon() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_543_809_250)
    }

    pub(crate) fn alert() -> Alert {
        Alert {
            id: "0d9c1b1e-7c1f-4d39-9a3b-5a0d7b6c1e11".to_owned(),
            name: "customers failed".to_owned(),
            subject: Subject::Sync("customers".to_owned()),
            condition: Kind::RunFailed,
            news: News::Firing,
            title: "customers: run failed".to_owned(),
            summary: "run 42 failed: queue \"customers\" does not exist".to_owned(),
            details: vec![("Run".to_owned(), "42".to_owned())],
            since: noon() - Duration::from_secs(600),
            at: noon(),
            database: "shop".to_owned(),
            runbook: Some("Check that the queue exists.".to_owned()),
            dedup_key: "sqs_sync/shop/7/customers".to_owned(),
        }
    }

    #[test]
    fn a_message_that_was_kept_in_a_table_is_the_same() {
        for (subject, news) in
            [(Subject::Sync("a \"b\"".to_owned()), News::Firing), (Subject::All, News::Recovered)]
        {
            for condition in Kind::ALL {
                let alert = Alert { subject: subject.clone(), news, condition, ..alert() };
                let kept = serde_json::to_value(&alert).unwrap();
                assert_eq!(kept["condition"], condition.name());
                assert_eq!(kept["news"], news.name());
                assert_eq!(serde_json::from_value::<Alert>(kept).unwrap(), alert);
            }
        }
    }

    #[test]
    fn a_test_triggers_and_resolves_nothing_of_the_alerts_own() {
        let watched = Watched {
            name: "customers failed".to_owned(),
            subject: Subject::Sync("customers".to_owned()),
            condition: Kind::RunFailed,
            database: "shop".to_owned(),
            dedup_key: "sqs_sync/shop/7".to_owned(),
        };
        let test = Alert::trying("id".to_owned(), &watched, noon());
        assert_eq!((test.news, test.title.as_str()), (News::Test, "customers: run failed"));
        assert_ne!(test.dedup_key, watched.dedup_key);
    }

    #[test]
    fn times_are_utc_and_end_in_z() {
        assert_eq!(rfc3339(noon()), "2026-11-24T18:10:09Z");
        assert_eq!(clock(noon()), "2026-11-24 18:10 UTC");
    }
}
