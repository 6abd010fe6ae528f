//! A lane: its number, its share, and what it holds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use publisher::Outgoing;
use xxhash_rust::xxh3::xxh3_64;

use crate::backlog::MAX_OUTSTANDING;
use crate::entry::Entry;

/// Messages of a group with the publisher: two requests, since a group has one at a time.
pub const GROUP_SHARE: usize = 20;

/// What a lane has in memory.
pub struct Lane {
    pub queue: Arc<str>,
    pub is_group: bool,
    /// Messages with the publisher.
    pub outstanding: usize,
    pub parked: VecDeque<Entry>,
    /// Changes of the lane have been set aside; those up to this id have been taken again.
    pub aside: Option<i64>,
    /// Until when what was set aside is not to be taken again.
    pub held_until: Option<Instant>,
}

impl Lane {
    pub fn of(queue: Arc<str>, is_group: bool) -> Lane {
        Lane {
            queue,
            is_group,
            outstanding: 0,
            parked: VecDeque::new(),
            aside: None,
            held_until: None,
        }
    }

    pub fn is_idle(&self) -> bool {
        self.outstanding == 0 && self.parked.is_empty() && self.aside.is_none()
    }
}

/// How many messages of a lane may be with the publisher when so many lanes are in use. A group
/// has one request at a time, an ungrouped queue as many as there are.
pub fn share(is_group: bool, lanes: usize) -> usize {
    match (is_group, lanes) {
        (true, lanes) => (MAX_OUTSTANDING / (lanes + 1)).clamp(1, GROUP_SHARE),
        (false, 0 | 1) => MAX_OUTSTANDING,
        (false, lanes) => (MAX_OUTSTANDING / (lanes + 1)).max(GROUP_SHARE),
    }
}

/// Two groups that chance to have the same number share a lane: neither loses its order.
pub fn lane_of(outgoing: &Outgoing) -> (i64, bool) {
    // A queue is one, whether by its name, its URL or its ARN.
    let queue = message::queue_name(&outgoing.queue).as_bytes();
    match &outgoing.group_id {
        None => (xxh3_64(queue) as i64, false),
        Some(group) => {
            let name = [queue, b"\0", group.as_bytes()].concat();
            (xxh3_64(&name) as i64, true)
        }
    }
}
