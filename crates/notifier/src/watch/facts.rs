//! What is known of a sync when its conditions are judged.

use std::time::SystemTime;

/// As many runs are looked at: the last, and those that it is compared with.
pub const HISTORY: usize = 1 + super::unusual::COMPARED;

/// The state of a run, by the names that `sqs_sync.runs` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    Queued,
    Diffing,
    Held,
    Publishing,
    Succeeded,
    PartlyFailed,
    Failed,
    Cancelled,
    Discarded,
}

impl RunState {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "queued" => Self::Queued,
            "diffing" => Self::Diffing,
            "held" => Self::Held,
            "publishing" => Self::Publishing,
            "succeeded" => Self::Succeeded,
            "partly_failed" => Self::PartlyFailed,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "discarded" => Self::Discarded,
            _ => return None,
        })
    }

    /// All was told but what was rejected.
    pub(super) fn has_gone_through(self) -> bool {
        matches!(self, Self::Succeeded | Self::PartlyFailed)
    }

    /// It ended by itself: one that somebody cancelled says nothing of the sync.
    pub(super) fn has_ended(self) -> bool {
        self.has_gone_through() || self == Self::Failed
    }

    pub(super) fn is_under_way(self) -> bool {
        matches!(self, Self::Diffing | Self::Publishing)
    }
}

/// A run, as far as alerts look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: i64,
    pub state: RunState,
    pub requested_at: SystemTime,
    pub started_at: Option<SystemTime>,
    pub finished_at: Option<SystemTime>,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    pub published: u64,
    pub rejected: u64,
    pub error: Option<String>,
    pub hint: Option<String>,
}

impl Run {
    /// When it ended, or the latest that is known of it.
    pub(super) fn ended_at(&self) -> SystemTime {
        self.finished_at.or(self.started_at).unwrap_or(self.requested_at)
    }
}

/// A queue that has been given up for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedQueue {
    pub queue: String,
    pub since: SystemTime,
    pub reason: String,
}

/// What is known of one sync, and of the worker of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub created_at: SystemTime,
    pub is_paused: bool,
    /// The newest first, [`HISTORY`] of them.
    pub runs: Vec<Run>,
    /// When a run last went through, however long ago.
    pub last_success_at: Option<SystemTime>,
    pub paused_queues: Vec<PausedQueue>,
    /// When the database's worker last showed itself.
    pub worker_seen_at: Option<SystemTime>,
}
