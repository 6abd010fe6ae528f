//! What comes into a backlog and goes out of it.

use std::sync::Arc;
use std::time::Instant;

use message::Event;
use publisher::Outgoing;

/// A message with what is to be known of it.
pub struct Entry {
    pub message: Outgoing,
    pub about: Sent,
    /// What the user's `message_id` calls it.
    pub message_id: Option<String>,
    /// Its row's key, as JSON, where calls are kept.
    pub key: Option<String>,
    /// It is not to be sent sooner, nor is what follows it in its lane.
    pub not_before: Option<Instant>,
}

impl Entry {
    pub(crate) fn is_held(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|time| time > now)
    }
}

/// What is to be known of a message when its report comes.
#[derive(Clone, Copy)]
pub struct Sent {
    pub event: Event,
    /// It may have been sent before: "not sent" does not make it certain.
    pub was_in_doubt: bool,
}

/// Where a message was that was not taken.
pub struct Place {
    pub(crate) lane: i64,
    pub queue: Arc<str>,
}

/// A message that the publisher has reported.
pub struct Reported {
    pub about: Sent,
    pub message_id: Option<String>,
    pub bytes: usize,
    pub place: Place,
}

/// A change that is set aside.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub lane: i64,
    pub change_id: i64,
    /// An earlier attempt may have sent it.
    pub in_doubt: bool,
}

/// How many of the changes that a lane has set aside are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub lane: i64,
    /// Those up to this id have been taken. (Else their dead rows would be read again.)
    pub after: i64,
    pub changes: i64,
}
