//! Messages to SQS, without Postgres.
//!
//! A [`Publisher`] takes rendered messages from the one thread that may talk to Postgres, packs
//! them into batches, sends many requests at once from a thread of its own, retries what may be
//! retried, and hands back one [`Report`] a message. What it promises:
//!
//! * **Every message is reported exactly once**, also when the thread dies: a message that is
//!   lost on the way reports itself as in doubt (`mailbox`).
//! * **"Not sent" is certain, "in doubt" is not.** Each attempt's outcome is known here, because
//!   the SDK's own retries are off (`connection`); an outcome that could be an acceptance marks
//!   the message in doubt until SQS acknowledges it (`error`).
//! * **A bad message fails alone, a bad queue fails alone.** Each entry of a batch has its own
//!   fate, a refused batch is halved down to its culprit, and each queue has a lane, a pace and a
//!   failure of its own (`lane`, `pace`).
//! * **Nothing blocks the caller** but [`Publisher::stop`], and nothing here prints, logs, reads
//!   the environment or the instance's metadata, or lets a secret into a text.
//!
//! What is not bounded here is how much is handed over: the caller counts what is outstanding.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod connection;
mod dispatch;
mod error;
mod lane;
mod mailbox;
mod outgoing;
mod pace;
mod publisher;
mod queue;
mod sqs;
mod wording;

pub use connection::{Connection, Credentials, Secret, Settings};
pub use error::{Failure, FailureKind};
pub use mailbox::{Outcome, Report};
pub use outgoing::{Attribute, AttributeValue, Outgoing};
pub use publisher::Publisher;
