//! The notifier of this process. It ends with whoever started it, and with the process: one that
//! is told to end does not unwind, and must not leave a thread behind.

use std::cell::RefCell;
use std::os::fd::RawFd;

use notifier::{Answer, Delivery, Notifier, Settings};

use crate::pg::{Error, Result, process};

thread_local! {
    static CURRENT: RefCell<Option<Notifier>> = const { RefCell::new(None) };
}

/// The right to use the process's notifier; there is one at a time.
pub struct Thread(());

impl Thread {
    pub fn start(settings: Settings) -> Result<Thread> {
        let notifier = Notifier::start(settings)
            .map_err(|error| Error::not_in_state(format!("the notifier cannot start: {error}")))?;
        process::at_exit(end);
        CURRENT.replace(Some(notifier));
        Ok(Thread(()))
    }

    pub fn notifier(&self) -> Option<RawFd> {
        with_current(Notifier::notifier)
    }

    /// Whether there was room for it.
    pub fn deliver(&self, delivery: Delivery) -> bool {
        with_current(|notifier| notifier.deliver(delivery).is_ok()).unwrap_or(false)
    }

    pub fn answers(&self) -> Vec<Answer> {
        with_current(Notifier::answers).unwrap_or_default()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        end();
    }
}

fn with_current<T>(work: impl FnOnce(&Notifier) -> T) -> Option<T> {
    CURRENT.with_borrow(|current| current.as_ref().map(work))
}

/// Dropped, a notifier waits for its thread for at most a second.
fn end() {
    drop(CURRENT.take());
}
