//! The notifier against peers that encrypt: an HTTPS receiver, and the mail server aiosmtpd.
//!
//! They are in a binary of their own, since the certificate authority is in the environment, as it
//! is for who runs a server with one of his own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod https;
mod mail;
mod mail_server;
// Some of it is for the other binary.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
