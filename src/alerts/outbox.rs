//! Messages on their way: from their table to the notifier's thread, and what became of them back.
//! No transaction is open meanwhile. What is in the table and not delivered is sent, again after
//! a crash, as the same message.

use notifier::{Alert as Message, Answer, Channel, Delivery, FailureKind, Fate, Settings};

use super::channel;
use super::thread::Thread;
use crate::catalog::delivery::{self, Head, Outcome};
use crate::pg::transaction::transaction_in_passing;
use crate::pg::{Error, Result};

/// Messages that are begun at one look.
const BEGUN: i64 = 50;

#[derive(Default)]
pub struct Outbox {
    /// There while something is under way.
    thread: Option<Thread>,
    under_way: Vec<i64>,
    /// What could not be written down.
    unwritten: Vec<(i64, Outcome)>,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Readable when an answer has come.
    pub fn notifier(&self) -> Option<std::os::fd::RawFd> {
        self.thread.as_ref().and_then(Thread::notifier)
    }

    /// Writes down what has been answered.
    pub fn collect(&mut self) -> Result<()> {
        let answers = self.thread.as_ref().map(Thread::answers).unwrap_or_default();
        self.unwritten.extend(answers.into_iter().map(|answer| (answer.id, outcome(answer))));
        let mut left = Vec::new();
        let mut result = Ok(());
        for (id, outcome) in std::mem::take(&mut self.unwritten) {
            match transaction_in_passing(|| delivery::record(id, &outcome)) {
                Ok(true) => self.under_way.retain(|under_way| *under_way != id),
                Ok(false) => left.push((id, outcome)),
                Err(error) => {
                    left.push((id, outcome));
                    result = Err(error);
                }
            }
        }
        self.unwritten = left;
        if self.under_way.is_empty() {
            self.thread = None;
        }
        result
    }

    /// Sends what is due.
    pub fn send(&mut self) -> Result<()> {
        let heads = transaction_in_passing(|| delivery::heads(&self.under_way, BEGUN))?;
        for head in heads {
            if let Some(outcome) = self.attend(&head) {
                self.under_way.push(head.id);
                self.unwritten.push((head.id, outcome));
            }
        }
        match self.unwritten.is_empty() {
            true => Ok(()),
            false => self.collect(),
        }
    }

    /// Begins a delivery, or ends it at once; the outcome is given if it is to be written yet.
    fn attend(&mut self, head: &Head) -> Option<Outcome> {
        let (message, channel) = match prepared(head) {
            Ok(prepared) => prepared,
            Err(error) => return Some(failed(&error, error.is_passing())),
        };
        match channel.notification(&message) {
            Some((name, payload)) => notify(head.id, name, &payload).err(),
            None => self.begin(head.id, message, channel).err(),
        }
    }

    fn begin(
        &mut self,
        id: i64,
        message: Message,
        channel: Channel,
    ) -> std::result::Result<(), Outcome> {
        if self.thread.is_none() {
            self.thread = Some(Thread::start(Settings::default()).map_err(|e| failed(&e, true))?);
        }
        let delivery = Delivery { id, alert: message, channel };
        // Without room it stays in the table, and is found again.
        if self.thread.as_ref().is_some_and(|thread| thread.deliver(delivery)) {
            self.under_way.push(id);
        }
        Ok(())
    }
}

/// The message, and the channel as it is now: who may use it is asked each time.
fn prepared(head: &Head) -> Result<(Message, Channel)> {
    let channel = transaction_in_passing(|| channel::of(&head.channel, head.owner))?;
    let message: Message = serde_json::from_str(&head.message)
        .map_err(|error| Error::internal(format!("a kept alert cannot be read: {error}")))?;
    Ok((Message { id: head.message_id.clone(), ..message }, channel))
}

/// A notification is made in the transaction that writes it down: once.
fn notify(id: i64, name: &str, payload: &str) -> std::result::Result<(), Outcome> {
    let notified = transaction_in_passing(|| {
        delivery::notify(name, payload)?;
        match delivery::record(id, &notified(name))? {
            true => Ok(()),
            false => Err(Error::not_in_state("another transaction has locked the delivery")),
        }
    });
    notified.map_err(|error| failed(&error, true))
}

/// What is said of a notification that was made.
pub fn notified(name: &str) -> Outcome {
    Outcome {
        delivered: true,
        passes: false,
        attempts: 1,
        status: None,
        answer: Some(format!("notified {name}")),
        hint: None,
        seconds: 0.0,
    }
}

fn failed(error: &Error, passes: bool) -> Outcome {
    Outcome {
        delivered: false,
        passes,
        attempts: 1,
        status: None,
        answer: Some(error.with_detail()),
        hint: error.hint.clone(),
        seconds: 0.0,
    }
}

pub fn outcome(answer: Answer) -> Outcome {
    let base = Outcome {
        delivered: true,
        passes: false,
        attempts: i32::try_from(answer.attempts).unwrap_or(i32::MAX),
        status: answer.status.map(i32::from),
        answer: None,
        hint: None,
        seconds: answer.latency.as_secs_f64(),
    };
    match answer.fate {
        Fate::Delivered { reference } => Outcome { answer: reference, ..base },
        Fate::Failed(failure) => Outcome {
            delivered: false,
            passes: !matches!(failure.kind, FailureKind::Refused | FailureKind::Address),
            answer: Some(failure.message),
            hint: failure.hint,
            ..base
        },
    }
}
