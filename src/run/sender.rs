//! The publisher of this process. It ends with the pipeline that started it, and with the
//! process: a runner that is told to end does not unwind, and must not leave a thread behind
//! that still sends while the process is taken down.

use std::cell::RefCell;
use std::os::fd::RawFd;

use publisher::{Connection, Outgoing, Publisher, Report, Settings};

use crate::pg::{Error, Result, process};

thread_local! {
    static CURRENT: RefCell<Option<Publisher>> = const { RefCell::new(None) };
}

/// The right to use the process's publisher; there is one at a time.
pub struct Sender(());

impl Sender {
    pub fn start(connection: Connection, settings: Settings) -> Result<Sender> {
        let publisher = Publisher::start(connection, settings)
            .map_err(|error| Error::not_in_state(format!("the publisher cannot start: {error}")))?;
        process::at_exit(end);
        CURRENT.replace(Some(publisher));
        Ok(Sender(()))
    }

    pub fn notifier(&self) -> Option<RawFd> {
        with_current(Publisher::notifier)
    }

    pub fn send(&self, messages: Vec<Outgoing>) {
        with_current(|publisher| publisher.send(messages));
    }

    pub fn reports(&self) -> Vec<Report> {
        with_current(Publisher::reports).unwrap_or_default()
    }

    pub fn cancel(&self) {
        with_current(Publisher::cancel);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        end();
    }
}

fn with_current<T>(work: impl FnOnce(&Publisher) -> T) -> Option<T> {
    CURRENT.with_borrow(|current| current.as_ref().map(work))
}

/// Dropped, a publisher waits for its thread for at most a second.
fn end() {
    drop(CURRENT.take());
}
