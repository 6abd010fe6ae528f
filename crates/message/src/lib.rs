//! A row to an SQS message: what the owner of a sync wrote (a [`Source`]: Liquid templates, a field
//! mapping or a column, and what events say otherwise) is compiled once into [`Definitions`], which
//! then turn each [`Change`] into a [`Message`].
//!
//! What this crate promises:
//!
//! * What [`Definition::render`] returns is fit to send: SQS's [`limits`] have been checked, and a
//!   body that was described as JSON is JSON, whatever the row holds.
//! * No value of a row can add a key to a message or leave the place that the definition gave it;
//!   nor can it send a message to a queue that is not of the connection's own account.
//! * A row that makes no message is a [`Rejection`], which names the limit, the column or the
//!   attribute, but shows nothing of the row beyond a size or a code point.
//! * Nothing that an owner can write and nothing that a row can hold makes it panic, overflow the
//!   stack or allocate without bound.
//!
//! It knows neither Postgres nor the network: the extension hands it column names and values as
//! Postgres printed them.

#![forbid(unsafe_code)]

mod allowed;
mod attributes;
mod body;
mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
mod definition;
mod definitions;
mod delivery;
mod error;
mod json;
pub mod limits;
mod mapping;
mod message;
mod names;
mod number;
mod object;
mod output;
mod property;
mod queue;
mod source;
mod template;
mod value;

pub use allowed::{AllowedQueues, AllowedQueuesError};
pub use change::{Change, Event, ParseEventError, Run};
pub use context::Context;
pub use definition::Definition;
pub use definitions::{Definitions, PerEvent};
pub use error::{DefinitionError, ErrorKind, Rejection};
pub use json::row_as_json;
pub use message::{Attribute, AttributeValue, Message};
pub use names::ColumnsUsed;
pub use queue::{is_fifo, queue_name};
pub use source::{Dedup, Format, Override, Property, Source, UnknownNameError};
pub use template::{INTERRUPTED, ask_for_interrupts};
pub use value::Value;
