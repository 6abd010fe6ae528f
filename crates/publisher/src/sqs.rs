//! One request, one answer: how messages are sent. Needs `sqs:SendMessage`, which covers
//! SendMessageBatch; what else is asked of SQS is in `lookup`.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};

use crate::connection::Connection;
use crate::digest::{is_of_attributes, is_of_body};
use crate::error::{Class, Trouble};
use crate::mailbox::Message;
use crate::outgoing::{Attribute, AttributeValue, Outgoing};
use crate::queue::{Located, locate};
use crate::wording::{About, Subject};

/// SQS's answer for one message: its message id, or why not.
pub(crate) type Answer = Result<String, Trouble>;

pub(crate) struct Sqs {
    pub(crate) client: Client,
    pub(crate) connection: Connection,
    pub(crate) endpoint: String,
}

impl Sqs {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            client: Client::from_conf(connection.sdk_config()),
            endpoint: connection.endpoint(),
            connection,
        }
    }

    /// Reads what a sync calls its queue.
    pub(crate) fn locate(&self, queue: &str) -> Result<Located, Trouble> {
        locate(queue, &self.connection)
    }

    /// Sends one batch, once. There is one answer a message, in their order, or the trouble with
    /// the request as a whole.
    pub(crate) async fn send(
        &self,
        url: &str,
        messages: &[Message],
    ) -> Result<Vec<Answer>, Trouble> {
        let Some(first) = messages.first() else {
            return Ok(Vec::new());
        };
        let about = self.about(&first.outgoing.queue);
        let entries = messages
            .iter()
            .enumerate()
            .map(|(index, message)| entry(index, &message.outgoing))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unbuilt)?;
        let output = self
            .client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| about.request(&error))?;

        // An entry in neither list stays unknown; one in both was accepted.
        let mut answers = vec![Err(about.unreadable()); messages.len()];
        for failed in output.failed() {
            if let Some(answer) = slot(&mut answers, failed.id()) {
                *answer = Err(about.entry(failed.code(), failed.sender_fault(), failed.message()));
            }
        }
        for (accepted, message) in output
            .successful()
            .iter()
            .filter_map(|accepted| Some((accepted, messages.get(index_of(accepted.id())?)?)))
        {
            if let Some(answer) = slot(&mut answers, accepted.id()) {
                *answer = match altered(accepted, &message.outgoing) {
                    None => Ok(accepted.message_id().to_owned()),
                    Some(what) => Err(about.altered(what)),
                };
            }
        }
        Ok(answers)
    }

    pub(crate) fn about<'a>(&'a self, queue: &'a str) -> About<'a> {
        About { subject: Subject::Queue(queue), endpoint: &self.endpoint }
    }
}

fn entry(index: usize, message: &Outgoing) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(message.body.as_str())
        .set_message_group_id(message.group_id.as_deref().map(str::to_owned))
        .set_message_deduplication_id(message.dedup_id.clone())
        .set_delay_seconds(message.delay_seconds.map(i32::from));
    for attribute in &message.attributes {
        entry = entry.message_attributes(&*attribute.name, value_of(attribute)?);
    }
    entry.build()
}

fn value_of(attribute: &Attribute) -> Result<MessageAttributeValue, BuildError> {
    let value = MessageAttributeValue::builder().data_type(&*attribute.data_type);
    match &attribute.value {
        AttributeValue::Text(text) => value.string_value(text.as_str()),
        AttributeValue::Bytes(bytes) => value.binary_value(Blob::new(bytes.as_slice())),
    }
    .build()
}

/// The builders ask only for fields that are always given, so this is never seen.
fn unbuilt(error: BuildError) -> Trouble {
    Trouble { class: Class::Row, certain: true, code: None, what: error.to_string(), hint: None }
}

fn index_of(id: &str) -> Option<usize> {
    id.parse().ok()
}

fn slot<'a>(answers: &'a mut [Answer], id: &str) -> Option<&'a mut Answer> {
    answers.get_mut(index_of(id)?)
}

/// What SQS received otherwise than it was sent, if anything.
fn altered(accepted: &SendMessageBatchResultEntry, message: &Outgoing) -> Option<&'static str> {
    let attributes = accepted.md5_of_message_attributes().unwrap_or_default();
    if !is_of_body(accepted.md5_of_message_body(), &message.body) {
        Some("another body")
    } else if !is_of_attributes(attributes, &message.attributes) {
        Some("other attributes")
    } else {
        None
    }
}
