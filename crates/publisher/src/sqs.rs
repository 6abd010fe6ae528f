//! One request, one answer: SQS as the publisher uses it.
//!
//! Needs `sqs:SendMessage` (which covers SendMessageBatch) and, for queues given by name,
//! `sqs:ListQueues`; nothing else. GetQueueUrl would be a third right to ask for.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};
use md5::{Digest, Md5};

use crate::connection::Connection;
use crate::error::{Class, Trouble};
use crate::mailbox::Message;
use crate::outgoing::{Attribute, AttributeValue, Outgoing};
use crate::queue::{Located, locate, name_of, onto_endpoint};
use crate::wording::About;

/// ListQueues gives at most this many a page (botocore, ListQueues).
const PAGE: i32 = 1000;

/// SQS's answer for one message: its message id, or why not.
pub(crate) type Answer = Result<String, Trouble>;

pub(crate) struct Sqs {
    client: Client,
    connection: Connection,
    endpoint: String,
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
                *answer = if is_same_body(accepted, &message.outgoing) {
                    Ok(accepted.message_id().to_owned())
                } else {
                    Err(about.altered())
                };
            }
        }
        Ok(answers)
    }

    /// Finds the URL of a queue given by name.
    pub(crate) async fn find(&self, name: &str) -> Result<String, Trouble> {
        let mut token = None;
        loop {
            let page = self
                .client
                .list_queues()
                .queue_name_prefix(name)
                .max_results(PAGE)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| self.about(name).request(&error))?;
            if let Some(url) = page.queue_urls().iter().find(|url| name_of(url) == name) {
                return Ok(onto_endpoint(url, &self.connection));
            }
            token = page.next_token;
            if token.as_deref().is_none_or(str::is_empty) {
                return Err(self.missing(name));
            }
        }
    }

    fn missing(&self, name: &str) -> Trouble {
        Trouble::queue(
            format!(
                "queue \"{name}\" does not exist in the connection's account in region {} at {}",
                self.connection.region, self.endpoint
            ),
            "Check the name, the region and the account, or create the queue. \
             A queue of another account is given by its URL or ARN.",
        )
    }

    fn about<'a>(&'a self, queue: &'a str) -> About<'a> {
        About { queue, endpoint: &self.endpoint }
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

/// The SDK does not look at the digest that SQS gives of the body. A server that gives none is
/// believed.
fn is_same_body(accepted: &SendMessageBatchResultEntry, message: &Outgoing) -> bool {
    let digest = accepted.md5_of_message_body();
    digest.is_empty() || digest == format!("{:x}", Md5::digest(&message.body))
}
