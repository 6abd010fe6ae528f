//! One request, one answer: how messages are sent. Needs `sqs:SendMessage`, which covers
//! SendMessageBatch; what else is asked of SQS is in `lookup`.

use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::operation::RequestId;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};

use crate::connection::{ATTEMPT_TIMEOUT, Connection};
use crate::digest::{is_of_attributes, is_of_body};
use crate::error::{Class, Trouble};
use crate::exchange::{self, Answered, Told};
use crate::identity::Keyring;
use crate::journal::Journal;
use crate::mailbox::Message;
use crate::outgoing::{Attribute, AttributeValue, Outgoing};
use crate::queue::{Located, locate};
use crate::wording::{About, Subject};

/// SQS's answer for one message: its message id, or why not.
pub(crate) type Answer = Result<String, Trouble>;

/// What SQS says of one message that it has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub queue_url: String,
    pub message_id: String,
    /// Of a FIFO queue.
    pub sequence_number: Option<String>,
    /// By which AWS finds the request. Not every server gives one.
    pub request_id: Option<String>,
}

pub(crate) struct Sqs {
    pub(crate) client: Client,
    pub(crate) connection: Connection,
    pub(crate) endpoint: String,
    pub(crate) keyring: Arc<Keyring>,
    journal: Arc<Journal>,
}

impl Sqs {
    pub(crate) fn new(connection: Connection, journal: Arc<Journal>) -> Self {
        Self::with_journals(connection, Arc::clone(&journal), journal)
    }

    /// For questions beside a publisher's messages: of their calls only those are kept by which it has
    /// its keys, since the two share these.
    pub(crate) fn beside(connection: Connection, journal: Arc<Journal>) -> Self {
        Self::with_journals(connection, journal, Arc::default())
    }

    fn with_journals(connection: Connection, of_keys: Arc<Journal>, journal: Arc<Journal>) -> Self {
        let (config, keyring) = connection.sqs_config(of_keys);
        let (client, endpoint) = (Client::from_conf(config), connection.endpoint());
        Self { client, connection, endpoint, keyring, journal }
    }

    /// Reads what a sync calls its queue.
    pub(crate) fn locate(&self, queue: &str) -> Result<Located, Trouble> {
        locate(queue, &self.connection)
    }

    /// Sends one batch, once. There is one answer a message, in their order, or the trouble with
    /// the request as a whole. `attempt` counts how often it was sent.
    pub(crate) async fn send(
        &self,
        url: &Arc<str>,
        messages: &[Message],
        attempt: u32,
    ) -> Result<Vec<Answer>, Trouble> {
        let Some(first) = messages.first() else {
            return Ok(Vec::new());
        };
        let about = self.about(&first.outgoing.queue);
        let send = || async {
            let output = self.request(about, url, messages.iter().map(|m| &m.outgoing)).await?;
            Ok(self.answers(output, messages))
        };
        let of = |answers: &Result<Vec<Answer>, Trouble>| exchange::About {
            attempt,
            entries: told(messages, answers),
            ..exchange::About::of("SendMessageBatch", Arc::clone(url), answers)
        };
        self.with_keys(|| self.watched(send(), of)).await
    }

    /// Sends one message, once.
    pub(crate) async fn send_one(&self, url: &str, message: &Outgoing) -> Result<Receipt, Trouble> {
        let about = self.about(&message.queue);
        let send = || self.request(about, url, std::iter::once(message));
        let output = self.with_keys(send).await?;
        let request_id = output.request_id().map(str::to_owned);
        if let Some(failed) = output.failed.first() {
            return Err(about.entry(&failed.code, failed.sender_fault, failed.message.as_deref()));
        }
        let Some(accepted) = output.successful.into_iter().next() else {
            return Err(about.unreadable());
        };
        match altered(&accepted, message) {
            Some(what) => Err(about.altered(what)),
            None => Ok(Receipt {
                queue_url: url.to_owned(),
                message_id: accepted.message_id,
                sequence_number: accepted.sequence_number,
                request_id,
            }),
        }
    }

    /// Makes a call, and once more where that may help: with new keys.
    pub(crate) async fn with_keys<T, F: Future<Output = Result<T, Trouble>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T, Trouble> {
        let mut used = self.keyring.begin().await?;
        loop {
            let answer = call().await;
            if !self.keyring.again(&mut used, answer.as_ref().err()).await? {
                return answer;
            }
        }
    }

    /// Makes a call, and keeps what is seen of it, if that is asked for.
    pub(crate) async fn watched<T>(
        &self,
        call: impl Future<Output = T>,
        about: impl FnOnce(&T) -> exchange::About,
    ) -> T {
        self.journal.watch(self.keyring.identity(), call, about).await
    }

    async fn request(
        &self,
        about: About<'_>,
        url: &str,
        messages: impl Iterator<Item = &Outgoing>,
    ) -> Result<SendMessageBatchOutput, Trouble> {
        let entries = messages
            .enumerate()
            .map(|(index, message)| entry(index, message))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unbuilt)?;
        self.client
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| about.request(&error))
    }

    /// An entry in neither list stays unknown; one in both was accepted.
    fn answers(&self, output: SendMessageBatchOutput, messages: &[Message]) -> Vec<Answer> {
        let about = |index: usize| self.about(&messages[index].outgoing.queue);
        let mut answers: Vec<Option<Answer>> = messages.iter().map(|_| None).collect();
        for failed in output.failed {
            if let Some((index, answer)) = slot(&mut answers, &failed.id) {
                let words = failed.message.as_deref();
                *answer = Some(Err(about(index).entry(&failed.code, failed.sender_fault, words)));
            }
        }
        for accepted in output.successful {
            if let Some((index, answer)) = slot(&mut answers, &accepted.id) {
                *answer = Some(match altered(&accepted, &messages[index].outgoing) {
                    None => Ok(accepted.message_id),
                    Some(what) => Err(about(index).altered(what)),
                });
            }
        }
        let or_unknown = |(index, answer): (usize, Option<Answer>)| {
            answer.unwrap_or_else(|| Err(about(index).unreadable()))
        };
        answers.into_iter().enumerate().map(or_unknown).collect()
    }

    pub(crate) fn about<'a>(&'a self, queue: &'a str) -> About<'a> {
        self.about_subject(Subject::Queue(queue))
    }

    pub(crate) fn about_subject<'a>(&'a self, subject: Subject<'a>) -> About<'a> {
        let identity = Some(self.keyring.identity());
        About { subject, endpoint: &self.endpoint, identity, patience: ATTEMPT_TIMEOUT }
    }
}

/// What the answers say of each message, for the journal.
fn told(messages: &[Message], answers: &Result<Vec<Answer>, Trouble>) -> Vec<Told> {
    let trouble = |index: usize| match answers {
        Ok(answers) => answers.get(index).and_then(|answer| answer.as_ref().err()),
        Err(trouble) => Some(trouble),
    };
    let told = |(index, message): (usize, &Message)| Told {
        id: message.outgoing.id,
        result: trouble(index).map_or(Answered::Accepted, refusal),
    };
    messages.iter().enumerate().map(told).collect()
}

fn refusal(trouble: &Trouble) -> Answered {
    let (code, error) = (trouble.code.clone(), trouble.what.clone());
    match (trouble.certain, trouble.class) {
        (false, _) => Answered::InDoubt { code, error },
        (true, Class::Row) => Answered::Rejected { code, error },
        (true, _) => Answered::NotAccepted { code, error },
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

/// The answer of the entry with this id, and its number.
fn slot<'a>(
    answers: &'a mut [Option<Answer>],
    id: &str,
) -> Option<(usize, &'a mut Option<Answer>)> {
    let index = id.parse().ok()?;
    Some((index, answers.get_mut(index)?))
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
