//! Messages in, reports out, and the duty between the two.
//!
//! A [`Message`] owes a report from the moment that it is made on the caller's thread. Settling
//! consumes it; one that is dropped unsettled, because a thread panicked or a runtime was shut
//! down around it, reports itself as in doubt. So "reported exactly once" is kept by ownership,
//! not by care.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::error::{Failure, FailureKind};
use crate::outgoing::Outgoing;

/// What became of a message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// SQS accepted it.
    Acknowledged { message_id: String },
    /// SQS refused it for what it holds: the row's own fault. No copy of it was accepted. (When
    /// an earlier attempt's outcome was unknown, this holds because the same bytes are refused.)
    Rejected { code: String, reason: String },
    /// It is certain that SQS accepted no copy of it.
    NotSent { failure: Arc<Failure> },
    /// The outcome of some attempt is unknown: SQS may have accepted it, even more than once.
    InDoubt { failure: Arc<Failure> },
}

/// The one report of a message.
#[derive(Clone, Debug)]
pub struct Report {
    pub id: i64,
    pub outcome: Outcome,
}

/// The reports that wait for the caller, and the eventfd that says that some do.
pub(crate) struct Mailbox {
    reports: Mutex<Vec<Report>>,
    bell: EventFd,
    /// The caller asked the thread to end.
    stopping: AtomicBool,
}

impl Mailbox {
    pub(crate) fn open() -> std::io::Result<Arc<Self>> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Arc::new(Self {
            reports: Mutex::new(Vec::new()),
            bell,
            stopping: AtomicBool::new(false),
        }))
    }

    pub(crate) fn notifier(&self) -> RawFd {
        self.bell.as_fd().as_raw_fd()
    }

    pub(crate) fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// What a message fails with that the thread did not settle.
    pub(crate) fn lost(&self) -> Arc<Failure> {
        let (kind, message, hint) = if self.stopping.load(Ordering::Acquire) {
            (FailureKind::Cancelled, "the publisher was stopped before the answer came", None)
        } else {
            (
                FailureKind::Service,
                "the publisher's thread ended unexpectedly",
                Some("This is a defect of sqs_sync: please report it."),
            )
        };
        Arc::new(Failure {
            kind,
            code: None,
            message: message.to_owned(),
            hint: hint.map(str::to_owned),
        })
    }

    pub(crate) fn drain(&self) -> Vec<Report> {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if !reports.is_empty() {
            // Under the lock, so that the bell is heard exactly while reports wait. The read
            // cannot fail: the bell was rung when the first of them came.
            let _ = self.bell.read();
        }
        std::mem::take(&mut *reports)
    }

    fn post(&self, report: Report) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.is_empty() {
            // Fails only at a count of 2^64 - 2, and it is never above 1.
            let _ = self.bell.write(1);
        }
        reports.push(report);
    }
}

/// A message on its way, with the duty to report it.
pub(crate) struct Message {
    pub(crate) outgoing: Outgoing,
    in_doubt: bool,
    /// Taken when the report is posted.
    mailbox: Option<Arc<Mailbox>>,
}

impl Message {
    pub(crate) fn new(outgoing: Outgoing, mailbox: Arc<Mailbox>) -> Self {
        Self { outgoing, in_doubt: false, mailbox: Some(mailbox) }
    }

    /// An attempt's outcome is unknown: from now on only an acknowledgement makes it certain.
    pub(crate) fn mark_in_doubt(&mut self) {
        self.in_doubt = true;
    }

    pub(crate) fn settle(mut self, outcome: Outcome) {
        self.report(outcome);
    }

    pub(crate) fn fail(self, failure: &Arc<Failure>) {
        let failure = Arc::clone(failure);
        let outcome =
            if self.in_doubt { Outcome::InDoubt { failure } } else { Outcome::NotSent { failure } };
        self.settle(outcome);
    }

    fn report(&mut self, outcome: Outcome) {
        if let Some(mailbox) = self.mailbox.take() {
            mailbox.post(Report { id: self.outgoing.id, outcome });
        }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        if let Some(failure) = self.mailbox.as_ref().map(|mailbox| mailbox.lost()) {
            self.report(Outcome::InDoubt { failure });
        }
    }
}
