//! Whether a fault happens: drawn from a seed, so that a run can be had again.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What is drawn for. Each has draws of its own, so that setting one share moves no other fault.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    ResetBefore,
    Throttled,
    /// Which of the two codes a throttled request gets.
    ThrottlingException,
    Failed,
    Rejected,
    Missing,
    /// Which entry is missing from the answer.
    MissingEntry,
    /// Whether the entry that is missing from the answer was accepted.
    MissingAccepted,
    Cut,
    ResetAfter,
    Unavailable,
    Hang,
}

/// The draws of one request.
#[derive(Clone, Copy)]
pub(crate) struct Dice {
    seed: u64,
    request: u64,
}

impl Dice {
    /// `request` counts a queue's requests.
    pub(crate) fn new(seed: u64, request: u64) -> Self {
        Self { seed, request }
    }

    /// Whether this fault, which happens to `share` of all, happens to the request.
    pub(crate) fn falls(self, fault: Fault, share: f64) -> bool {
        self.falls_on(fault, share, 0)
    }

    /// Whether it happens to the entry at `index` of the request.
    pub(crate) fn falls_on(self, fault: Fault, share: f64, index: usize) -> bool {
        share > 0.0 && self.draw(fault, index) < share
    }

    /// One of `count` entries, by index.
    pub(crate) fn pick(self, fault: Fault, count: usize) -> usize {
        (self.draw(fault, 0) * count as f64) as usize
    }

    /// From 0, inclusive, to 1, exclusive.
    fn draw(self, fault: Fault, index: usize) -> f64 {
        let mut drawn_for = [0; 17];
        drawn_for[..8].copy_from_slice(&self.request.to_le_bytes());
        drawn_for[8..16].copy_from_slice(&(index as u64).to_le_bytes());
        drawn_for[16] = fault as u8;
        // The 53 bits that an f64 holds.
        (xxh3_64_with_seed(&drawn_for, self.seed) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
