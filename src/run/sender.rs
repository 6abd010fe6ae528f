//! The publisher of this process. It ends with the pipeline that started it, and with the
//! process: a runner that is told to end does not unwind, and must not leave a thread behind
//! that still sends while the process is taken down.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use publisher::{
    Connection, Counters, Exchange, Failure, Inquiry, Outgoing, Publisher, QueueAttributes,
    Recording, Report, Settings,
};

use crate::pg::{Error, Result, process};

thread_local! {
    static CURRENT: RefCell<Option<Publisher>> = const { RefCell::new(None) };
    static ASKED: RefCell<Option<Inquiry<Answers>>> = const { RefCell::new(None) };
}

/// What SQS says of some queues, in their order.
type Answers = Vec<std::result::Result<QueueAttributes, Failure>>;

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

    pub fn counters(&self) -> Counters {
        with_current(Publisher::counters).unwrap_or_default()
    }

    /// Says which calls are kept from now on.
    pub fn record(&self, recording: Recording) {
        with_current(|publisher| publisher.record(recording));
    }

    /// The calls that were kept: those of all reports that were taken before are among them.
    pub fn exchanges(&self) -> Vec<Exchange> {
        with_current(Publisher::exchanges).unwrap_or_default()
    }

    pub fn cancel(&self) {
        with_current(Publisher::cancel);
    }

    /// Asks SQS about queues, beside what is sent. Returns whether that could be.
    pub fn ask(&self, connection: Connection, queues: Vec<Arc<str>>, patience: Duration) -> bool {
        let ask = |publisher: &Publisher| publisher.ask(connection, queues, patience).ok();
        let inquiry = with_current(ask).flatten();
        let is_asked = inquiry.is_some();
        ASKED.replace(inquiry);
        is_asked
    }

    /// The answers, once: none while they are not there.
    pub fn answers(&self) -> Option<Answers> {
        let answer = ASKED.with_borrow(|asked| asked.as_ref().and_then(Inquiry::answer))?;
        ASKED.take();
        Some(answer.unwrap_or_default())
    }

    pub fn answer_notifier(&self) -> Option<RawFd> {
        ASKED.with_borrow(|asked| asked.as_ref().map(Inquiry::notifier))
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

/// Dropped, a publisher or an inquiry waits for its thread for at most a second.
fn end() {
    drop(CURRENT.take());
    drop(ASKED.take());
}
