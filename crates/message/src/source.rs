//! A message definition as its owner wrote it: the sync's, and what an event says otherwise.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A message definition as its owner wrote it.
///
/// Each property but `body_column`, `fields`, `format` and `dedup` is a template: a literal is one
/// without tags, a column is `{{row.column}}`. Of `template`, `body_column` and `fields` exactly
/// one must be given, and `queue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The queue: a literal name, URL or ARN, or a template of the name of one in the connection's
    /// own account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// A template of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The column whose text is the body, letter for letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_column: Option<String>,
    /// The JSON text of an object of name in the message to column, or of an array of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// What the body is. By default a template makes JSON, and a column whatever it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// The JSON text of an object of attribute name to text template, or to an object of `type` and
    /// `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<String>,
    /// The name by which results and rejections report the message. Empty for a row: it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The message group, which a FIFO queue needs. Empty for a row: it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// The deduplication id, for FIFO queues; in place of [`Source::dedup`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_id: Option<String>,
    /// Where the deduplication id on a FIFO queue comes from; by default from the change id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup: Option<Dedup>,
    /// Seconds, for standard queues. Empty for a row: the queue's own delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<String>,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON. A template's outputs are written according to where they stand in it, and each
    /// finished body is checked.
    Json,
    /// Any text. A template's outputs stand as they are.
    Text,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 2] = [Format::Json, Format::Text];

    /// The format's name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Text => "text",
        }
    }
}

/// What a FIFO queue knows a message by when it comes again, where the definition has no
/// `dedup_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dedup {
    /// An id made of the sync and the change: the same at every retry, never that of another
    /// change.
    ChangeId,
    /// No id is sent, and the queue makes one of the body. A row that goes from A to B and back to
    /// A within five minutes loses its third message.
    Content,
}

impl Dedup {
    /// Every way.
    pub const ALL: [Dedup; 2] = [Dedup::ChangeId, Dedup::Content];

    /// The way's name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dedup::ChangeId => "change_id",
            Dedup::Content => "content",
        }
    }
}

/// A property of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    Queue,
    Template,
    BodyColumn,
    Fields,
    Format,
    Attributes,
    MessageId,
    GroupId,
    DedupId,
    Dedup,
    DelaySeconds,
}

impl Property {
    /// Every property.
    pub const ALL: [Property; 11] = [
        Property::Queue,
        Property::Template,
        Property::BodyColumn,
        Property::Fields,
        Property::Format,
        Property::Attributes,
        Property::MessageId,
        Property::GroupId,
        Property::DedupId,
        Property::Dedup,
        Property::DelaySeconds,
    ];

    /// The property's name in SQL, in errors and in the catalog.
    pub const fn as_str(self) -> &'static str {
        match self {
            Property::Queue => "queue",
            Property::Template => "template",
            Property::BodyColumn => "body_column",
            Property::Fields => "fields",
            Property::Format => "format",
            Property::Attributes => "attributes",
            Property::MessageId => "message_id",
            Property::GroupId => "group_id",
            Property::DedupId => "dedup_id",
            Property::Dedup => "dedup",
            Property::DelaySeconds => "delay_seconds",
        }
    }
}

/// The text names nothing of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unrecognized {what} {text:?}: it is one of {}", .names.join(", "))]
pub struct UnknownNameError {
    what: &'static str,
    text: String,
    names: Vec<&'static str>,
}

macro_rules! named {
    ($type:ident, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownNameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $type::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
                    UnknownNameError {
                        what: $what,
                        text: text.chars().take(64).collect(),
                        names: $type::ALL.map($type::as_str).to_vec(),
                    }
                })
            }
        }
    };
}

named!(Format, "format");
named!(Dedup, "dedup");
named!(Property, "option");

/// What the definition of one event says, where it is not the sync's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    /// What it says itself. A property that is not given is the sync's.
    pub set: Source,
    /// What it is without, although the sync has it; what is set too is set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<Property>,
}

impl Override {
    /// Whether it says nothing: the event's definition is the sync's.
    pub fn is_empty(&self) -> bool {
        *self == Override::default()
    }
}

impl Source {
    /// This definition with what an override says in its place.
    ///
    /// A body that it gives, of whichever kind, takes the place of the body and its format; a
    /// `dedup_id` or `dedup` that of both.
    pub fn overridden(&self, by: &Override) -> Source {
        let mut source = self.clone();
        let set = by.set.clone();
        by.unset.iter().for_each(|property| source.unset(*property));
        if set.has_body() {
            source.template = set.template;
            source.body_column = set.body_column;
            source.fields = set.fields;
            source.format = set.format;
        } else {
            source.format = set.format.or(source.format);
        }
        if set.dedup_id.is_some() || set.dedup.is_some() {
            source.dedup_id = set.dedup_id;
            source.dedup = set.dedup;
        }
        source.queue = set.queue.or(source.queue);
        source.attributes = set.attributes.or(source.attributes);
        source.message_id = set.message_id.or(source.message_id);
        source.group_id = set.group_id.or(source.group_id);
        source.delay_seconds = set.delay_seconds.or(source.delay_seconds);
        source
    }

    /// Whether it says anything of a property.
    pub fn has(&self, property: Property) -> bool {
        match property {
            Property::Queue => self.queue.is_some(),
            Property::Template => self.template.is_some(),
            Property::BodyColumn => self.body_column.is_some(),
            Property::Fields => self.fields.is_some(),
            Property::Format => self.format.is_some(),
            Property::Attributes => self.attributes.is_some(),
            Property::MessageId => self.message_id.is_some(),
            Property::GroupId => self.group_id.is_some(),
            Property::DedupId => self.dedup_id.is_some(),
            Property::Dedup => self.dedup.is_some(),
            Property::DelaySeconds => self.delay_seconds.is_some(),
        }
    }

    fn has_body(&self) -> bool {
        self.template.is_some() || self.body_column.is_some() || self.fields.is_some()
    }

    fn unset(&mut self, property: Property) {
        match property {
            Property::Queue => self.queue = None,
            Property::Template => self.template = None,
            Property::BodyColumn => self.body_column = None,
            Property::Fields => self.fields = None,
            Property::Format => self.format = None,
            Property::Attributes => self.attributes = None,
            Property::MessageId => self.message_id = None,
            Property::GroupId => self.group_id = None,
            Property::DedupId => self.dedup_id = None,
            Property::Dedup => self.dedup = None,
            Property::DelaySeconds => self.delay_seconds = None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn given(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// A definition that has every property, if not all at once in one that compiles.
    fn full() -> Source {
        Source {
            queue: given("q"),
            template: given("t"),
            body_column: given("b"),
            fields: given("f"),
            format: Some(Format::Text),
            attributes: given("a"),
            message_id: given("m"),
            group_id: given("g"),
            dedup_id: given("d"),
            dedup: Some(Dedup::Content),
            delay_seconds: given("1"),
        }
    }

    #[test]
    fn an_empty_override_changes_nothing() {
        assert!(Override::default().is_empty());
        assert_eq!(full().overridden(&Override::default()), full());
    }

    #[test]
    fn what_is_set_takes_the_place_of_the_syncs() {
        let by = Override { set: full(), unset: Property::ALL.to_vec() };
        assert_eq!(Source::default().overridden(&by), full());
    }

    #[test]
    fn every_property_can_be_unset() {
        let by = Override { set: Source::default(), unset: Property::ALL.to_vec() };
        assert_eq!(full().overridden(&by), Source::default());
        let by = Override { unset: vec![Property::GroupId], ..Override::default() };
        assert_eq!(full().overridden(&by), Source { group_id: None, ..full() });
    }

    #[test]
    fn a_body_takes_the_place_of_the_body_and_its_format() {
        let base = Source { template: given("t"), format: Some(Format::Text), ..Source::default() };
        let set = Source { fields: given("f"), ..Source::default() };
        let by = Override { set: set.clone(), unset: Vec::new() };
        assert_eq!(base.overridden(&by), set);
        let set = Source { format: Some(Format::Json), ..Source::default() };
        let by = Override { set, unset: Vec::new() };
        assert_eq!(base.overridden(&by), Source { format: Some(Format::Json), ..base });
    }

    #[test]
    fn a_deduplication_takes_the_place_of_the_one_before() {
        let base = Source { dedup: Some(Dedup::Content), ..Source::default() };
        let set = Source { dedup_id: given("d"), ..Source::default() };
        let by = Override { set: set.clone(), unset: Vec::new() };
        assert_eq!(base.overridden(&by), set);
        let back = Override { set: base.clone(), unset: Vec::new() };
        assert_eq!(set.overridden(&back), base);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for property in Property::ALL {
            assert_eq!(property.to_string().parse::<Property>().unwrap(), property);
            let json = serde_json::to_string(&property).unwrap();
            assert_eq!(json, format!("\"{property}\""));
        }
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "unrecognized format \"xml\": it is one of json, text");
        assert_eq!("content".parse::<Dedup>().unwrap(), Dedup::Content);
    }

    #[test]
    fn a_definition_is_stored_by_what_is_given() {
        let by = Override {
            set: Source { queue: given("q"), format: Some(Format::Text), ..Source::default() },
            unset: vec![Property::DelaySeconds],
        };
        let json = serde_json::to_string(&by).unwrap();
        assert_eq!(json, r#"{"set":{"queue":"q","format":"text"},"unset":["delay_seconds"]}"#);
        assert_eq!(serde_json::from_str::<Override>(&json).unwrap(), by);
        assert_eq!(serde_json::from_str::<Override>("{}").unwrap(), Override::default());
    }
}
