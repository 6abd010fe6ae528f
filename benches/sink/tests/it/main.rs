//! The sink through a real socket, as a client meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;
mod checks;
mod control;
mod faults;
mod fifo;
mod journal;
mod sending;
mod support;
mod throttling;
