//! Messages with a deduplication id of the user's own that another change of the run has: a run
//! rejects the later one, since the queue would take it and discard it.

use std::collections::HashSet;
use std::sync::Arc;

use message::{Event, Message, PerEvent};

use super::shown::Shown;
use crate::run::would_be_suppressed;

/// Marks those among these changes, which are in their order. (Whether a queue knows ids of its
/// own or of its groups only a run asks: here they are taken to be a group's, which both are.)
pub fn mark(shown: &mut [Shown], has_own: &PerEvent<bool>) {
    let mut taken: HashSet<(Arc<str>, Option<Arc<str>>, String)> = HashSet::new();
    for shown in shown {
        let event = shown.event.as_deref().and_then(|event| event.parse::<Event>().ok());
        if !event.is_some_and(|event| *has_own.get(event)) {
            continue;
        }
        let Ok(Message { queue, group_id, dedup_id: Some(dedup_id), .. }) = &shown.message else {
            continue;
        };
        if !taken.insert((queue.clone(), group_id.clone(), dedup_id.clone())) {
            shown.message = Err(would_be_suppressed());
            shown.dedup_id = None;
        }
    }
}
