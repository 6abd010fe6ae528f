//! What requests hold, borrowed from them where no escape is in the way.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text. A type of its own, since serde borrows a `Cow` only where it is not inside another type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What every request about one queue names. Of SendMessage it is read apart from the entry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Addressed<'a> {
    #[serde(borrow)]
    pub(crate) queue_url: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Batch<'a> {
    #[serde(borrow)]
    pub(crate) queue_url: Text<'a>,
    #[serde(borrow)]
    pub(crate) entries: Vec<Entry<'a>>,
}

/// One message: an entry of SendMessageBatch, or SendMessage, which has no id.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) message_body: Text<'a>,
    pub(crate) delay_seconds: Option<i64>,
    #[serde(borrow, default)]
    pub(crate) message_attributes: Attributes<'a>,
    #[serde(borrow)]
    pub(crate) message_group_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) message_deduplication_id: Option<Text<'a>>,
}

impl Entry<'_> {
    /// As SQS counts it: the body, and each attribute's name, type and value, in bytes.
    pub(crate) fn size(&self) -> usize {
        let attributes: usize = self
            .message_attributes
            .iter()
            .map(|(name, attribute)| {
                name.len() + attribute.data_type.len() + attribute.value().len()
            })
            .sum();
        self.message_body.len() + attributes
    }
}

/// In the order of their names, which is that of their digest.
pub(crate) type Attributes<'a> = BTreeMap<Text<'a>, Attribute<'a>>;

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute<'a> {
    #[serde(borrow)]
    pub(crate) data_type: Text<'a>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    string_value: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "from_base64", serialize_with = "to_base64")]
    binary_value: Option<Vec<u8>>,
}

impl Attribute<'_> {
    pub(crate) fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }

    pub(crate) fn value(&self) -> &[u8] {
        if self.is_binary() {
            self.binary_value.as_deref().unwrap_or_default()
        } else {
            self.string_value.as_deref().unwrap_or_default().as_bytes()
        }
    }
}

fn from_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Cow::<'de, str>::deserialize(from)?;
    STANDARD.decode(text.as_ref()).map(Some).map_err(serde::de::Error::custom)
}

fn to_base64<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&STANDARD.encode(bytes.as_deref().unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named<'a> {
    #[serde(borrow)]
    pub(crate) queue_name: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listing<'a> {
    #[serde(borrow, default)]
    pub(crate) queue_name_prefix: Text<'a>,
    pub(crate) max_results: Option<usize>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}
