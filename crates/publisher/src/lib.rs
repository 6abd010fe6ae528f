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
//! * **A group's messages keep their order.** Of a (queue, group) at most one request is in flight,
//!   and a message that fails for now holds the later ones of its group, and of no other; if it is
//!   given up, so are they (`waiting`, `batch`, `given_up`). Only where a request may carry several
//!   of a group can SQS refuse an earlier one for now and take a later one of them:
//!   [`Settings::one_per_group`] excludes that. A rejected message holds nothing up.
//! * **Nothing blocks the caller** but [`Publisher::stop`], and nothing here prints, logs, or lets a
//!   secret into a text. The environment, the files and the metadata of the machine are looked at
//!   for credentials only, and only where an [`Identity`] says so.
//!
//! What was said to SQS, and what it answered, is kept as far as [`Publisher::record`] asks for it, in
//! bounded memory, until [`Publisher::exchanges`] takes it (`exchange`, `journal`).
//!
//! [`list_queues`] and [`queue_attributes`] ask about queues, and [`send_one`] tries a single message,
//! as an [`Inquiry`] that the caller waits for as it waits for reports.
//!
//! What is not bounded here is how much is handed over: the caller counts what is outstanding. Of
//! queues without messages only so many are remembered (`lanes`).

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod address;
mod batch;
mod connection;
mod counters;
mod digest;
mod dispatch;
mod endpoint;
mod error;
mod exchange;
mod fates;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod given_up;
mod identity;
mod inquiry;
mod journal;
mod lane;
mod lanes;
mod lean;
mod lookup;
mod mailbox;
mod options;
mod outgoing;
mod pace;
mod publisher;
mod queue;
mod rate;
mod sqs;
pub mod thread;
mod waiting;
mod wording;

pub use address::{Reach, is_allowed};
pub use connection::{Connection, Settings, partition_of};
pub use counters::{Counters, LATENCY_BOUNDS_MS, Latencies, latency_at};
pub use endpoint::check_endpoint_url;
pub use error::{Failure, FailureKind};
pub use exchange::{Answered, Body, Exchange, Told};
pub use identity::{Caller, Credentials, Identity, Role, Secret, Source, session_name};
pub use inquiry::{Inquiry, caller, list_queues, queue_attributes, send_one};
pub use journal::{Level, Recording};
pub use lookup::{DeduplicationScope, Listed, Queue, QueueAttributes};
pub use mailbox::{Outcome, Report};
pub use options::{
    Known, Mapping, OptionError, OptionFault, check_server, options, superuser_option,
};
pub use outgoing::{Attribute, AttributeValue, Outgoing};
pub use publisher::Publisher;
pub use queue::arn_of;
pub use sqs::Receipt;
pub use wording::root_cause;
