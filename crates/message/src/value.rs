//! What a message is made from: one change, with its row's values as Postgres printed them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A column's value. Text is borrowed from the row where it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// SQL's NULL.
    Null,
    /// A `boolean`.
    Bool(bool),
    /// Postgres's own digits of any numeric type, which may be `NaN`, `Infinity` or `-Infinity`.
    Number(Cow<'a, str>),
    /// Any value that is neither of the other kinds, as its type's output function prints it.
    Text(Cow<'a, str>),
    /// The text of a `json`, `jsonb` or array value. The caller promises that it is valid JSON.
    Json(Cow<'a, str>),
}

impl Value<'_> {
    /// The same value, borrowed from this one.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Bool(*b),
            Value::Number(digits) => Value::Number(Cow::Borrowed(digits)),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Json(json) => Value::Json(Cow::Borrowed(json)),
        }
    }

    /// The value as plain text: NULL is empty, everything else is as Postgres has it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Value::Null => "",
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Number(text) | Value::Text(text) | Value::Json(text) => text,
        }
    }
}

/// What happened to a row of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Added,
    Changed,
    Removed,
}

impl Event {
    /// Every event, in the order in which they are told.
    pub const ALL: [Event; 3] = [Event::Added, Event::Changed, Event::Removed];

    /// The event's name in SQL, in templates and in the catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Event::Added => "added",
            Event::Changed => "changed",
            Event::Removed => "removed",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not an event's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown event {0:?}: it must be added, changed or removed")]
pub struct ParseEventError(String);

impl FromStr for Event {
    type Err = ParseEventError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Event::ALL
            .into_iter()
            .find(|event| event.as_str() == text)
            .ok_or_else(|| ParseEventError(text.to_owned()))
    }
}

/// One change of a change set.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The change id.
    pub id: i64,
    /// What happened to the row.
    pub event: Event,
    /// One value for each of the columns that the definition was compiled with, in their order.
    /// For a removed row, its last known contents.
    pub row: &'a [Value<'a>],
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_event_is_read_as_it_is_written() {
        for event in Event::ALL {
            assert_eq!(event.to_string().parse::<Event>().unwrap(), event);
        }
        assert!("Added".parse::<Event>().is_err());
    }
}
