//! The publisher against a server that speaks SQS and misbehaves on request.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batches;
mod counters;
mod ending;
mod exchanges;
mod failures;
mod faults;
mod groups;
mod inquiries;
mod limits;
mod queues;
mod retries;
mod server;
mod support;
