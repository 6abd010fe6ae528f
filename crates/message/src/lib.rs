//! A row to an SQS message: what the owner of a sync wrote (Liquid templates, a field mapping or a
//! column) is compiled once into a [`Definition`], which then turns each change into a [`Message`].
//!
//! What this crate promises:
//!
//! * What [`Definition::render`] returns is fit to send: SQS's [`limits`] have been checked, and a
//!   body that was described as JSON is JSON, whatever the row holds.
//! * No value of a row can add a key to a message or leave the place that the definition gave it.
//! * A row that makes no message is a [`Rejection`], which names the limit, the column or the
//!   attribute, but shows nothing of the row beyond a size or a code point.
//! * Nothing that an owner can write and nothing that a row can hold makes it panic, overflow the
//!   stack or allocate without bound.
//!
//! It knows neither Postgres nor the network: the extension hands it column names and values as
//! Postgres printed them.

#![forbid(unsafe_code)]

mod attributes;
mod definition;
mod error;
mod json;
pub mod limits;
mod mapping;
mod message;
mod names;
mod number;
mod object;
mod output;
mod template;
mod value;

pub use definition::{Definition, Source};
pub use error::{DefinitionError, ErrorKind, Rejection};
pub use message::{Attribute, Message};
pub use names::ColumnsUsed;
pub use value::{Change, Event, ParseEventError, Value};
