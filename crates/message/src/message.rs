//! A message as SQS takes it.

use std::sync::Arc;

/// A message that is fit to send: every rule of [`limits`](crate::limits) holds but the queue's own
/// lower maximum of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The queue's name; its URL or ARN only where the definition says so itself, without a row.
    pub queue: Arc<str>,
    /// 1 to 1,048,576 bytes, of characters that SQS takes.
    pub body: String,
    /// At most ten, in the order in which the definition names them.
    pub attributes: Vec<Attribute>,
    /// Always there on a FIFO queue. On a standard queue it is a tenant of its fair sharing.
    pub group_id: Option<Arc<str>>,
    /// Never there on a standard queue. Without one a FIFO queue makes it of the body, if
    /// `ContentBasedDeduplication` is set.
    pub dedup_id: Option<String>,
    /// 0 to 900 seconds; never there on a FIFO queue. Without one the queue's own delay applies.
    pub delay_seconds: Option<u16>,
    /// The name by which the message is reported in results and rejections. Any text of at most
    /// 1,024 characters: never to be sent as the id of a batch's entry.
    pub message_id: Option<String>,
}

/// A message attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Unlike that of any other attribute of the message.
    pub name: Arc<str>,
    /// `String`, `Number` or `Binary`, with `.` and a label of the user's or without.
    pub data_type: Arc<str>,
    pub value: AttributeValue,
}

/// An attribute's value, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// SQS's `StringValue`, of a `String` or a `Number`.
    Text(Arc<str>),
    /// SQS's `BinaryValue`, of a `Binary`.
    Bytes(Vec<u8>),
}

impl AttributeValue {
    /// The value's bytes; of a text, its UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            AttributeValue::Text(text) => text.as_bytes(),
            AttributeValue::Bytes(bytes) => bytes,
        }
    }
}

impl Message {
    /// The size in bytes as SQS counts it: the body, and the name, type and value of each attribute
    /// (Amazon SQS Developer Guide, "Message metadata for Amazon SQS"). Ids are free.
    pub fn size(&self) -> usize {
        let size = |a: &Attribute| a.name.len() + a.data_type.len() + a.value.as_bytes().len();
        self.body.len() + self.attributes.iter().map(size).sum::<usize>()
    }
}
