//! What a message is made from: one change of a row, and the run that tells it.

use std::fmt;
use std::str::FromStr;

use crate::value::Value;

/// What happened to a row of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A row with a key that was not there before.
    Added,
    /// A row that was there before with other values.
    Changed,
    /// A row that is there no longer.
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
    /// The row as it was told before, in the same form, if it has changed: needed if the definition
    /// uses a column of it ([`ColumnsUsed::old`](crate::ColumnsUsed)). Not looked at for a row that
    /// was added, which has none, and for one that was removed, of which it is the row itself.
    pub old: Option<&'a [Value<'a>]>,
    /// The run that found the change.
    pub run: Run<'a>,
}

/// What templates see of a run. A change that is sent again is to be rendered with the run that it
/// was first sent by, or its message would be another.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The run's id.
    pub id: i64,
    /// When it began: ISO 8601 in UTC with a Z, as a `timestamptz` is handed over.
    pub started_at: &'a str,
}

impl<'a> Change<'a> {
    /// The row before the change, if there was one.
    pub(crate) fn before(&self) -> Option<&'a [Value<'a>]> {
        match self.event {
            Event::Added => None,
            Event::Changed => self.old,
            Event::Removed => Some(self.row),
        }
    }
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
