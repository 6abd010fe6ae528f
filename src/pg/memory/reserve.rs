//! Memory that is set aside for threads of a process that has no more: what they have locked they can
//! unlock with it. It is given once, and never taken back, as the process is about to end.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A list of reports of all messages that may be with the publisher grows under a lock. As long as it
/// is not used it takes no memory of the machine.
const BYTES: usize = 1 << 20;

#[repr(align(64))]
struct Bytes(UnsafeCell<[u8; BYTES]>);

pub(super) struct Reserve {
    bytes: Bytes,
    taken: AtomicUsize,
}

// SAFETY: each byte is given away once, to one thread.
unsafe impl Sync for Reserve {}

impl Reserve {
    pub(super) const fn new() -> Reserve {
        Reserve { bytes: Bytes(UnsafeCell::new([0; BYTES])), taken: AtomicUsize::new(0) }
    }

    /// Zeroes; null if there are no more.
    pub(super) fn take(&self, layout: Layout) -> *mut u8 {
        let begin = |taken: usize| {
            let address = self.first().addr() + taken;
            Some(address.checked_next_multiple_of(layout.align())? - self.first().addr())
        };
        let end =
            |taken: usize| begin(taken)?.checked_add(layout.size()).filter(|end| *end <= BYTES);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, end);
        match taken.ok().and_then(begin) {
            // SAFETY: within the reserve.
            Some(begin) => unsafe { self.first().add(begin) },
            None => null_mut(),
        }
    }

    /// Whether this is of it.
    #[inline]
    pub(super) fn has(&self, memory: *const u8) -> bool {
        memory.addr().wrapping_sub(self.first().addr()) < BYTES
    }

    #[inline]
    fn first(&self) -> *mut u8 {
        self.bytes.0.get().cast()
    }
}
