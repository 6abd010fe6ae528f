//! The notifier against peers of this machine, in clear text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ending;
mod options;
mod payloads;
mod retries;
mod secrets;
mod sms;
#[path = "../support/mod.rs"]
mod support;
