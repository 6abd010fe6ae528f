//! Alerts, without Postgres: when one is due, and its way to a channel.
//!
//! The caller holds what is known of its syncs against each alert's condition ([`judge`]), keeps
//! each alert's state ([`Standing`]), and hands what is to be told to a [`Notifier`], which
//! delivers it from a thread of its own. What is promised:
//!
//! * **One message a change of state.** A condition that goes on is told once, and again only as
//!   a reminder; between two that it began there is always one that it ended (`watch`).
//! * **Nothing blocks the caller** but [`Notifier::stop`]. What is on its way is bounded, and every
//!   delivery is answered exactly once (`mailbox`).
//! * **A channel is told in order, and holds up no other** (`notifier`).
//! * **A channel is no way into the server's network** (`wire/address`), goes through no proxy, and
//!   follows no redirect.
//! * **No secret is in a text**: not in an error, an answer or a `Debug`, also where a peer has
//!   repeated it.
//! * **No text leaves its place**: whatever a name or an error holds, it makes no mention, link,
//!   header or second SMS (`channel`).

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod alert;
mod channel;
mod deliver;
mod error;
mod mailbox;
mod nearest;
mod notifier;
mod text;
mod watch;
mod wire;

pub use alert::{Alert, News, Subject, Watched};
pub use channel::{
    Channel, Explained as ExplainedOption, Kind as ChannelKind, check_mapping, check_server,
    options, superuser_option,
};
pub use deliver::Settings;
pub use error::{Failure, FailureKind};
pub use mailbox::{Answer, Delivery, Fate};
pub use notifier::Notifier;
pub use watch::{
    Condition, Facts, Finding, HISTORY, Kind as ConditionKind, Over, PausedQueue, Policy, Run,
    RunState, Severity, Standing, Verdict, judge,
};
