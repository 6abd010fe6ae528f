//! A message as it is handed over: what SQS is to be told, and in which order.

use std::sync::Arc;

/// A message to publish. Every attempt sends it with the same contents, ids and delay.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The change id. It comes back in the report.
    pub id: i64,
    /// The queue's name, URL or ARN, as the sync says it.
    pub queue: Arc<str>,
    pub body: String,
    /// Message attributes; their names differ from one another.
    pub attributes: Vec<Attribute>,
    /// The messages of one group of one queue are sent in the order in which they are handed
    /// over, at most one request with some of them at a time. A FIFO queue needs one.
    pub group_id: Option<Arc<str>>,
    /// Of a FIFO queue. Without it the queue must make one of the body's contents.
    pub dedup_id: Option<String>,
    /// In seconds, up to 900. Not for a FIFO queue.
    pub delay_seconds: Option<u16>,
}

/// A message attribute. Name and type belong to a definition, and are shared by its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub name: Arc<str>,
    /// `String`, `Number` or `Binary`, with or without a label of the user's: `String.currency`.
    pub data_type: Arc<str>,
    pub value: AttributeValue,
}

/// The value of an attribute, as SQS takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Of a `String` or a `Number`.
    Text(String),
    /// Of a `Binary`.
    Bytes(Vec<u8>),
}

impl AttributeValue {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Outgoing {
    /// The size as SQS counts it, in bytes: the body, and the attributes' names, types and
    /// values (botocore, SendMessageBatch). Group, deduplication id and delay are free.
    pub fn size(&self) -> usize {
        let size = |a: &Attribute| a.name.len() + a.data_type.len() + a.value.bytes().len();
        self.body.len() + self.attributes.iter().map(size).sum::<usize>()
    }
}
