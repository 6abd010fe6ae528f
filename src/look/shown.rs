//! One change as it would be sent: its message, or the problem that it has.

use std::fmt::Write;

use message::limits::MAX_MESSAGE_BYTES;
use message::{AttributeValue, Definitions, Message, Value};

use crate::catalog::position::Origin;
use crate::catalog::rejection::Rejection;
use crate::pg::rows::ChangeRow;
use crate::run::rendering::{self, Refused};

/// In the place of a deduplication id that only a run knows.
const AT_RUN: &str = "at run";
/// The event of a change in doubt.
const RESEND: &str = "resend";

pub struct Shown {
    /// Of a change that is sent again; the others have none yet.
    pub change_id: Option<i64>,
    pub event: Option<String>,
    /// The key as the text of a JSON object.
    pub key: String,
    pub message: Result<Message, Refused>,
    /// The message's, or that the run makes it.
    pub dedup_id: Option<String>,
    /// The row as templates see it, and as it was told before: JSON, unless it is too long.
    pub row: Option<String>,
    pub old: Option<String>,
    /// Memory that it takes, about.
    pub cost: usize,
}

impl Shown {
    /// A change that a run would find.
    pub fn of(
        change: ChangeRow,
        key: String,
        columns: &[String],
        definitions: &Definitions,
        origin: &Origin,
    ) -> Shown {
        let message = rendering::render(definitions, columns, &change, origin, any_queue)
            .map(|(_, message)| message);
        let dedup_id = message.as_ref().ok().and_then(|message| message.dedup_id.clone());
        let next = ChangeRow { id: change.id.wrapping_add(1), ..change };
        let dedup_id = dedup_id.map(|id| {
            match rendering::render(definitions, columns, &next, origin, any_queue) {
                Ok((_, other)) if other.dedup_id.as_ref() == Some(&id) => id,
                _ => AT_RUN.to_owned(),
            }
        });
        let event = next.event.clone();
        Shown::with(None, event, key, message, dedup_id, next, columns)
    }

    /// A change in doubt, which is sent again as it was.
    pub fn again(
        change: ChangeRow,
        key: String,
        columns: &[String],
        definitions: &Definitions,
        origin: &Origin,
    ) -> Shown {
        let message = rendering::render(definitions, columns, &change, origin, any_queue)
            .map(|(_, message)| message);
        let dedup_id = message.as_ref().ok().and_then(|message| message.dedup_id.clone());
        let (id, event) = (Some(change.id), RESEND.to_owned());
        Shown::with(id, event, key, message, dedup_id, change, columns)
    }

    fn with(
        change_id: Option<i64>,
        event: String,
        key: String,
        message: Result<Message, Refused>,
        dedup_id: Option<String>,
        change: ChangeRow,
        columns: &[String],
    ) -> Shown {
        let cost = change.bytes() + message.as_ref().map_or(0, Message::size);
        let is_read = change.unread.is_none();
        let json =
            |row: &Vec<Value<'_>>| is_read.then(|| message::row_as_json(columns, row)).flatten();
        let old = match change.event.as_str() {
            "changed" => change.old.as_ref().and_then(json),
            "removed" => json(&change.values),
            _ => None,
        };
        let row = json(&change.values);
        Shown { change_id, event: Some(event), key, message, dedup_id, row, old, cost }
    }

    /// A row that is rejected for its key, or was before.
    pub fn rejected(rejection: Rejection) -> Shown {
        let Rejection { key, tried, code, reason, hint, .. } = rejection;
        let event = tried.map(|tried| tried.event);
        let cost = key.len();
        let message = Err(Refused::new(&code, reason, hint));
        Shown { change_id: None, event, key, message, dedup_id: None, row: None, old: None, cost }
    }

    /// Code and reason of why there is no message.
    pub fn problem(&self) -> Option<String> {
        self.message.as_ref().err().map(|refused| format!("{}: {}", refused.code, refused.reason))
    }

    /// The attributes as JSON, in the form of the option `attributes`.
    pub fn attributes(&self) -> Option<String> {
        let attributes = &self.message.as_ref().ok()?.attributes;
        if attributes.is_empty() {
            return None;
        }
        let items: Vec<String> = attributes
            .iter()
            .map(|attribute| {
                let value = match &attribute.value {
                    AttributeValue::Text(text) => quoted(text),
                    AttributeValue::Bytes(bytes) => quoted(&hexadecimal(bytes)),
                };
                let (name, data_type) = (quoted(&attribute.name), quoted(&attribute.data_type));
                format!("{name}: {{\"type\": {data_type}, \"value\": {value}}}")
            })
            .collect();
        Some(format!("{{{}}}", items.join(", ")))
    }
}

/// The longest message that any queue takes: what is a queue's own, only a run asks, and the check.
pub fn any_queue(_queue: &str) -> usize {
    MAX_MESSAGE_BYTES
}

/// Text as JSON has it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// As Postgres shows a bytea.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
