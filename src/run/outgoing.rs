//! A rendered message in the publisher's terms.

use publisher::{Attribute, AttributeValue, Outgoing};

pub fn of(change_id: i64, message: message::Message) -> Outgoing {
    Outgoing {
        id: change_id,
        queue: message.queue,
        body: message.body,
        attributes: message.attributes.into_iter().map(attribute).collect(),
        group_id: message.group_id,
        dedup_id: message.dedup_id,
        delay_seconds: message.delay_seconds,
    }
}

fn attribute(of: message::Attribute) -> Attribute {
    let value = match of.value {
        message::AttributeValue::Text(text) => AttributeValue::Text(text.to_string()),
        message::AttributeValue::Bytes(bytes) => AttributeValue::Bytes(bytes),
    };
    Attribute { name: of.name, data_type: of.data_type, value }
}
