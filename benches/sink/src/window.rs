//! A FIFO queue's deduplication: an id that was accepted is not delivered again for a while.

use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// The first message of a deduplication id. Small, since a window can hold ten million.
#[derive(Clone, Copy)]
struct First {
    number: u32,
    /// Milliseconds of the sink's life.
    at: u32,
}

/// The ids of the last so many milliseconds, in two generations: what is older than two windows is
/// dropped with the map that it is in.
#[derive(Default)]
pub(crate) struct Window {
    current: HashMap<u64, First>,
    previous: HashMap<u64, First>,
    begun_at: u32,
}

impl Window {
    /// The number of the message that was accepted with this id within the last `length_ms`. If
    /// there is none, message `number` becomes it.
    pub(crate) fn first(
        &mut self,
        id: &str,
        number: u32,
        length_ms: u32,
        now: Duration,
    ) -> Option<u32> {
        let now = now.as_millis() as u32;
        if now.wrapping_sub(self.begun_at) >= length_ms {
            self.previous = mem::take(&mut self.current);
            self.begun_at = now;
        }
        let key = xxh3_64(id.as_bytes());
        let known = [&self.current, &self.previous]
            .into_iter()
            .filter_map(|ids| ids.get(&key))
            .find(|first| now.wrapping_sub(first.at) < length_ms);
        if let Some(first) = known {
            return Some(first.number);
        }
        self.current.insert(key, First { number, at: now });
        None
    }
}
