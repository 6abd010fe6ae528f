//! Deliveries in, answers out, and the duty between the two.
//!
//! As with the publisher's messages, "answered exactly once" is kept by ownership: an [`Owed`]
//! delivery that is dropped without an answer, because a thread panicked or was stopped, answers
//! for itself.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::alert::Alert;
use crate::channel::Channel;
use crate::error::{Failure, FailureKind};

/// The most deliveries that a notifier has at once. What does not fit stays with the caller, who
/// has it in a table.
const CAPACITY: usize = 256;

/// An alert and where it goes.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The caller's own number for it.
    pub id: i64,
    pub alert: Alert,
    pub channel: Channel,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The peer took it.
    Delivered {
        /// The peer's own id for it, if it gave one.
        reference: Option<String>,
    },
    /// The peer refused it, or was given up. It may have got it all the same, if an answer was lost.
    Failed(Failure),
}

/// The one answer to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub id: i64,
    pub fate: Fate,
    /// The last attempt's status, of HTTP or SMTP, if the peer gave one.
    pub status: Option<u16>,
    pub attempts: u32,
    /// From the first attempt's start to the last one's end.
    pub latency: Duration,
}

#[derive(Default)]
struct Answers {
    waiting: Vec<Answer>,
    outstanding: usize,
}

/// The answers that wait for the caller, and the eventfd that says that some do.
pub(crate) struct Mailbox {
    answers: Mutex<Answers>,
    bell: EventFd,
    stopping: AtomicBool,
}

impl Mailbox {
    pub(crate) fn open() -> std::io::Result<Arc<Self>> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Arc::new(Self { answers: Mutex::default(), bell, stopping: AtomicBool::new(false) }))
    }

    pub(crate) fn notifier(&self) -> RawFd {
        self.bell.as_fd().as_raw_fd()
    }

    pub(crate) fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Takes a delivery on, if there is room for it.
    pub(crate) fn owe(self: &Arc<Self>, delivery: Delivery) -> Result<Owed, Box<Delivery>> {
        let mut answers = self.lock();
        if answers.outstanding >= CAPACITY {
            return Err(Box::new(delivery));
        }
        answers.outstanding += 1;
        Ok(Owed { delivery, mailbox: Some(Arc::clone(self)) })
    }

    pub(crate) fn drain(&self) -> Vec<Answer> {
        let mut answers = self.lock();
        let taken = std::mem::take(&mut answers.waiting);
        answers.outstanding -= taken.len();
        if !taken.is_empty() {
            // Under the lock, so that the bell is heard only while answers wait.
            let _ = self.bell.read();
        }
        taken
    }

    fn post(&self, answer: Answer) {
        let mut answers = self.lock();
        answers.waiting.push(answer);
        if answers.waiting.len() == 1 {
            // Fails only at a count of 2^64 - 2, and it is never above 1.
            let _ = self.bell.write(1);
        }
    }

    /// What a delivery fails with that the thread did not answer.
    fn lost(&self) -> Failure {
        let (kind, message, hint) = if self.stopping.load(Ordering::Acquire) {
            (FailureKind::Cancelled, "the notifier was stopped before the answer came", None)
        } else {
            (
                FailureKind::Defect,
                "the notifier's thread ended unexpectedly",
                Some("This is a defect of sqs_sync: please report it."),
            )
        };
        Failure { kind, message: message.to_owned(), hint: hint.map(str::to_owned) }
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery on its way, with the duty to answer it.
pub(crate) struct Owed {
    pub(crate) delivery: Delivery,
    /// Taken when the answer is posted.
    mailbox: Option<Arc<Mailbox>>,
}

impl Owed {
    pub(crate) fn settle(mut self, answer: Answer) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.post(answer);
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.post(Answer {
                id: self.delivery.id,
                fate: Fate::Failed(mailbox.lost()),
                status: None,
                attempts: 0,
                latency: Duration::ZERO,
            });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::alert::tests::alert;

    pub(crate) fn delivery(id: i64) -> Delivery {
        let given = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let server = [
            given("channel", "webhook"),
            // Nobody listens there.
            given("url", "http://127.0.0.1:9/"),
            given("internal_network", "true"),
        ];
        let mapping = [given("signing_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        Delivery { id, alert: alert(), channel: Channel::new("hook", &server, &mapping).unwrap() }
    }

    #[test]
    fn a_delivery_that_is_lost_answers_for_itself_and_leaves_its_place() {
        let mailbox = Mailbox::open().unwrap();
        for round in 0..3 {
            for id in 0..CAPACITY {
                drop(
                    mailbox.owe(delivery(i64::try_from(id).unwrap())).unwrap_or_else(|_| panic!()),
                );
            }
            assert_eq!(mailbox.owe(delivery(999)).err().map(|full| full.id), Some(999));
            assert_eq!(mailbox.bell.read().unwrap(), 1, "rung once in round {round}");
            mailbox.bell.write(1).unwrap();
            let answers = mailbox.drain();
            assert_eq!(answers.len(), CAPACITY);
            let is_defect = |answer: &Answer| matches!(&answer.fate, Fate::Failed(failure) if failure.kind == FailureKind::Defect);
            assert!(answers.iter().all(is_defect));
        }
        assert!(mailbox.bell.read().is_err(), "quiet when nothing waits");
    }
}
