//! An SQS of the project's own, for speed and for faults.
//!
//! It speaks SQS's AWS JSON 1.0 protocol over HTTP/1.1 (SendMessageBatch, SendMessage, ListQueues,
//! GetQueueUrl, GetQueueAttributes, CreateQueue), takes messages and throws them away. What it
//! promises:
//!
//! * It costs little: some 3 µs of CPU a message, on one thread, so that a benchmark measures
//!   what sends and not what takes.
//! * It accounts for every message that it took: what was delivered, twice, out of order in its
//!   group, and what never came ([`account`]).
//! * It fails as it is told, by settings that can change while it runs ([`settings`]), and the same
//!   way for the same seed: the n-th request of a queue since the last reset has one fate.
//! * A message is accepted before its answer waits for the latency: who is killed in between has
//!   sent it. With a journal it also outlives the sink ([`journal`]).
//!
//! It listens on 127.0.0.1 alone, and `/_sink/` on the same port controls it ([`control`]).
//!
//! Where it differs from SQS:
//!
//! * Nothing can be received. Signatures, credentials, accounts and regions are not looked at: a
//!   queue is the last segment of its URL.
//! * Until a queue is created, by the command line, control or CreateQueue, every name that is sent
//!   to exists.
//! * A queue is FIFO by its name. Deduplication is over the whole queue, and content-based for a
//!   message without a deduplication id. It goes by a 64-bit hash of the id.
//! * Messages are checked for what SQS's documentation forbids, in less depth: the value of a
//!   `Number` attribute, and attributes' names, may be anything.
//! * Where AWS does not say whether a bad entry fails alone or with its batch: a FIFO message without
//!   a group fails the batch, all else fails its entry.
//! * There are no quotas but those that are set, and no message system attributes.

#![forbid(unsafe_code)]

mod account;
mod answer;
mod chance;
mod check;
pub mod client;
mod control;
mod digest;
mod error;
mod journal;
mod queue;
mod queues;
mod rate;
mod send;
mod server;
mod settings;
mod sqs;
mod usage;
mod window;
mod wire;

pub use server::Server;
pub use usage::Usage;
