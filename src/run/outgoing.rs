//! A rendered message in the publisher's terms.

use std::sync::Arc;

use publisher::{Attribute, AttributeValue, Outgoing};

pub fn of(change_id: i64, queue: &Arc<str>, message: message::Message) -> Outgoing {
    let attribute = |a: message::Attribute| Attribute {
        data_type: a.data_type().into(),
        name: a.name.into(),
        value: AttributeValue::Text(a.value),
    };
    Outgoing {
        id: change_id,
        queue: Arc::clone(queue),
        body: message.body,
        attributes: message.attributes.into_iter().map(attribute).collect(),
        group_id: None,
        dedup_id: None,
        delay_seconds: None,
    }
}
