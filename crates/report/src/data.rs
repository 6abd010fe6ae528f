//! What a page is made of, as plain values.
//!
//! Who fills it in has left out what the reader may not see: here nothing is hidden.

use crate::text::Text;
use crate::time::{Duration, Time};

/// One look at everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub about: About,
    /// The sync that it is about; none: all that the reader may see.
    pub only: Option<Text>,
    pub syncs: Vec<Sync>,
    pub history: History,
    /// The latest runs, the newest first.
    pub runs: Vec<Run>,
    pub rejections: Rejections,
    /// The last calls that are kept, the newest first.
    pub calls: Vec<Call>,
    /// Those whose condition holds first.
    pub alerts: Vec<Alert>,
    pub processes: Processes,
}

/// Of what, for whom and when it was made.
#[derive(Clone, Debug, Default)]
pub struct About {
    pub at: Time,
    pub database: Text,
    pub reader: Text,
    pub postgres: Text,
    pub extension: Text,
}

#[derive(Clone, Debug, Default)]
pub struct Sync {
    pub name: Text,
    /// None if its tables are gone, and the owner with them.
    pub owner: Option<Text>,
    pub model: Text,
    pub key: Text,
    pub server: Text,
    pub queue: Text,
    pub events: Vec<Event>,
    pub version: i32,
    pub state: SyncState,
    pub last: Option<Run>,
    /// States of its latest runs, the newest first.
    pub recent: Vec<State>,
    /// The end of the latest of these that told everything it could.
    pub told_at: Option<Time>,
    /// The cron expression that it runs by, and when it runs next by it.
    pub schedule: Option<Text>,
    pub next_at: Option<Time>,
    /// The sync after whose success it runs.
    pub after: Option<Text>,
    /// Keys that are not published; none if the reader may not see them.
    pub rejected: Option<i64>,
}

/// An event that a sync publishes.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub name: Text,
    /// What of its message is not the sync's, as JSON; none if nothing is.
    pub own: Option<Text>,
    /// What of the sync's message it has not.
    pub without: Vec<Text>,
    pub condition: Option<Text>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncState {
    #[default]
    New,
    Ready,
    Paused,
}

/// Of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    #[default]
    Queued,
    Diffing,
    Publishing,
    Held,
    Succeeded,
    PartlyFailed,
    Failed,
    Cancelled,
    Discarded,
}

#[derive(Clone, Debug, Default)]
pub struct Run {
    pub id: i64,
    pub sync: Text,
    pub state: State,
    pub requested_at: Time,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
    pub found: Found,
    pub published: i64,
    pub rejected: i64,
    pub in_doubt: i64,
    pub waiting_for: Option<Text>,
    pub error: Option<Text>,
    pub sqlstate: Option<Text>,
    pub hint: Option<Text>,
}

/// What a diff found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    /// Of these, what moved the snapshot without a message.
    pub silent: i64,
}

/// Runs over time, in spans of one length, the oldest first. Each run counts where it was asked for.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub begins: Time,
    pub span: Duration,
    pub spans: Vec<Span>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    pub succeeded: i64,
    pub partly_failed: i64,
    pub failed: i64,
    pub cancelled: i64,
    /// Queued, under way or held.
    pub open: i64,
    pub found: Found,
    pub published: i64,
    pub rejected: i64,
    /// How long its ended runs took, from start to end: half of them at most this long.
    pub median: Option<Duration>,
    pub longest: Option<Duration>,
    /// All of that together.
    pub running: Duration,
}

/// Keys that are not published, by reason.
#[derive(Clone, Debug, Default)]
pub struct Rejections {
    /// The reason with the most keys first.
    pub reasons: Vec<Reason>,
    /// Syncs whose rejections the reader may not see.
    pub hidden_syncs: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Reason {
    pub code: Text,
    /// The syncs that have it, each with how many keys, the one with the most first.
    pub syncs: Vec<(Text, i64)>,
    pub keys: i64,
    pub first_at: Time,
    pub last_at: Time,
    /// Some of them, the latest first.
    pub examples: Vec<Rejection>,
}

#[derive(Clone, Debug, Default)]
pub struct Rejection {
    pub sync: Text,
    pub key: Text,
    pub message_id: Option<Text>,
    pub event: Option<Text>,
    pub reason: Text,
    pub hint: Option<Text>,
    pub attempts: i64,
    /// When it is tried again: what comes after "when".
    pub retried_when: Text,
    pub last_at: Time,
}

/// A call of SQS's API.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub id: i64,
    pub sync: Text,
    pub run_id: i64,
    pub at: Time,
    pub operation: Text,
    pub queue: Text,
    pub attempt: i32,
    /// Of HTTP; none: no answer came.
    pub status: Option<i32>,
    pub latency: Duration,
    pub aws_request_id: Option<Text>,
    /// Why it failed as a whole.
    pub error: Option<Text>,
    pub messages: i64,
    /// Of these, those that were not accepted, and why one of them was not.
    pub refused: i64,
    pub refusal: Option<Text>,
}

/// An alert, with the sync for which its condition holds.
#[derive(Clone, Debug, Default)]
pub struct Alert {
    pub name: Text,
    /// None: all that its owner may see, or the database.
    pub sync: Option<Text>,
    pub condition: Text,
    pub channel: Text,
    pub is_firing: bool,
    pub since: Time,
    /// What was found when it began to hold.
    pub summary: Option<Text>,
    pub silenced_until: Option<Time>,
    pub delivery: Option<Delivery>,
}

/// The last message of an alert.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// `queued`, `delivered` or `failed`.
    pub state: Text,
    pub answer: Option<Text>,
}

/// The processes of the extension in this database.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    /// Nothing runs on a standby.
    pub on_standby: bool,
    /// Why the database is taken for a copy, in which nothing runs.
    pub copy: Option<Text>,
    pub max_runners: i32,
    pub running: Vec<Process>,
    pub queued: Vec<Process>,
}

#[derive(Clone, Debug, Default)]
pub struct Process {
    pub pid: Option<i32>,
    pub kind: Text,
    pub sync: Option<Text>,
    pub run_id: Option<i64>,
    pub since: Option<Time>,
    pub activity: Option<Text>,
}
