//! Messages in, reports out, and the duty between the two.
//!
//! A [`Message`] owes a report from the moment that it is made on the caller's thread. Settling
//! consumes it; one that is dropped unsettled, because a thread panicked or a runtime was shut
//! down around it, reports itself as in doubt. So "reported exactly once" is kept by ownership,
//! not by care.

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::batch::GroupId;
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

/// How often the caller had taken the reports. What he hands over in an epoch he does knowing the
/// reports of all epochs before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(u64);

#[derive(Default)]
struct Reports {
    waiting: Vec<Report>,
    epoch: Epoch,
    /// The bell has been rung for them.
    is_rung: bool,
}

/// The reports that wait for the caller, and the eventfd that says that some do.
pub(crate) struct Mailbox {
    reports: Mutex<Reports>,
    bell: EventFd,
    /// The caller asked the thread to end.
    stopping: AtomicBool,
}

impl Mailbox {
    pub(crate) fn open() -> std::io::Result<Arc<Self>> {
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Arc::new(Self { reports: Mutex::default(), bell, stopping: AtomicBool::new(false) }))
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

    pub(crate) fn epoch(&self) -> Epoch {
        self.lock().epoch
    }

    pub(crate) fn drain(&self) -> Vec<Report> {
        let mut reports = self.lock();
        if std::mem::take(&mut reports.is_rung) {
            // Under the lock, so that the bell is heard only while reports wait. The read cannot
            // fail, since it was rung.
            let _ = self.bell.read();
        }
        reports.epoch.0 += 1;
        std::mem::take(&mut reports.waiting)
    }

    #[cfg(test)]
    pub(crate) fn peek(&self) -> Vec<Report> {
        self.lock().waiting.clone()
    }

    /// Tells the caller that reports wait, if some do. Who makes reports rings when he has made
    /// those that he can: to wake the caller for each costs more than the report.
    pub(crate) fn ring(&self) {
        let mut reports = self.lock();
        if !reports.waiting.is_empty() && !reports.is_rung {
            reports.is_rung = true;
            // Fails only at a count of 2^64 - 2, and it is never above 1.
            let _ = self.bell.write(1);
        }
    }

    fn post(&self, report: Report) -> Epoch {
        let mut reports = self.lock();
        reports.waiting.push(report);
        reports.epoch
    }

    fn lock(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    pub(crate) fn group(&self) -> Option<&GroupId> {
        self.outgoing.group_id.as_ref()
    }

    pub(crate) fn settle(mut self, outcome: Outcome) -> Epoch {
        self.report(outcome)
    }

    /// Returns when it was reported.
    pub(crate) fn fail(self, failure: &Arc<Failure>) -> Epoch {
        let failure = Arc::clone(failure);
        let outcome =
            if self.in_doubt { Outcome::InDoubt { failure } } else { Outcome::NotSent { failure } };
        self.settle(outcome)
    }

    fn report(&mut self, outcome: Outcome) -> Epoch {
        match self.mailbox.take() {
            Some(mailbox) => mailbox.post(Report { id: self.outgoing.id, outcome }),
            None => Epoch::default(),
        }
    }
}

pub(crate) fn fail_all(messages: impl IntoIterator<Item = Message>, failure: &Arc<Failure>) {
    for message in messages {
        message.fail(failure);
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        if let Some(mailbox) = self.mailbox.clone() {
            self.report(Outcome::InDoubt { failure: mailbox.lost() });
            mailbox.ring();
        }
    }
}
