//! What SQS says of its queues.
//!
//! ListQueues finds them, with `sqs:ListQueues`; GetQueueUrl would be a third right to ask for.
//! GetQueueAttributes is an extra: who may not, knows less.

use std::time::Duration;

use aws_sdk_sqs::operation::list_queues::ListQueuesOutput;
use aws_sdk_sqs::types::QueueAttributeName;

use crate::error::Trouble;
use crate::exchange;
use crate::queue::{arn_of, name_of, onto_endpoint};
use crate::sqs::Sqs;
use crate::wording::{About, Subject};

/// ListQueues gives at most this many a page (botocore, ListQueues).
const PAGE: usize = 1000;

/// A queue of the connection's account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    /// As messages can be sent to it: at the connection's endpoint, if it has one of its own.
    pub url: String,
    /// None if the URL does not tell the account.
    pub arn: Option<String>,
}

/// Queues that SQS has listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub queues: Vec<Queue>,
    /// There are no others of the prefix that was asked for.
    pub is_complete: bool,
}

/// What is known of a queue. `None` is unknown: the connection may not ask, or SQS did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueAttributes {
    pub url: String,
    /// In bytes, of a message with its attributes: 1,024 to 1,048,576.
    pub maximum_message_size: Option<usize>,
    pub is_fifo: Option<bool>,
    /// A FIFO queue makes a deduplication id of the body where a message has none.
    pub deduplicates_by_content: Option<bool>,
    pub deduplication_scope: Option<DeduplicationScope>,
}

/// Within what a deduplication id must not be given twice in five minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeduplicationScope {
    Queue,
    MessageGroup,
}

impl Sqs {
    /// Finds the URL of a queue given by name.
    pub(crate) async fn find(&self, name: &str) -> Result<String, Trouble> {
        let about = self.about(name);
        let mut token = None;
        loop {
            let mut page = self.page(name, PAGE, token, about, Some(name)).await?;
            if let Some(url) = page.queue_urls().iter().find(|url| name_of(url) == name) {
                return Ok(onto_endpoint(url, &self.connection));
            }
            token = next(&mut page);
            if token.is_none() {
                return Err(self.missing(name));
            }
        }
    }

    /// Lists the queues whose names begin with `prefix`, but no more than `most`.
    pub(crate) async fn list(&self, prefix: &str, most: usize) -> Result<Listed, Trouble> {
        let about = self.about_subject(Subject::List);
        let (mut queues, mut token) = (Vec::new(), None);
        loop {
            // One more than is wanted shows whether there are more.
            let size = (most - queues.len()).saturating_add(1).min(PAGE);
            let mut page = self.page(prefix, size, token, about, None).await?;
            token = next(&mut page);
            for url in page.queue_urls() {
                if queues.len() == most {
                    return Ok(Listed { queues, is_complete: false });
                }
                let url = onto_endpoint(url, &self.connection);
                let (name, arn) = (name_of(&url).to_owned(), arn_of(&url, &self.connection.region));
                queues.push(Queue { name, url, arn });
            }
            if token.is_none() {
                return Ok(Listed { queues, is_complete: true });
            }
        }
    }

    async fn page(
        &self,
        prefix: &str,
        size: usize,
        token: Option<String>,
        about: About<'_>,
        sought: Option<&str>,
    ) -> Result<ListQueuesOutput, Trouble> {
        let request = self
            .client
            .list_queues()
            .set_queue_name_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
            .max_results(i32::try_from(size).unwrap_or(i32::MAX))
            .set_next_token(token);
        self.with_keys(|| {
            let call = request.clone().send();
            let call = async move { call.await.map_err(|error| about.request(&error)) };
            self.watched(call, |page| {
                let told = exchange::About::of("ListQueues", prefix.into(), page);
                let missed =
                    sought.filter(|name| page.as_ref().is_ok_and(|page| lacks(page, name)));
                match missed {
                    Some(name) => exchange::About { error: Some(self.missing(name).what), ..told },
                    None => told,
                }
            })
        })
        .await
    }

    /// Asks what a queue is. All attributes are asked for: to name those of FIFO queues is an
    /// error where the queue is none.
    pub(crate) async fn attributes(
        &self,
        queue: &str,
        url: String,
    ) -> Result<QueueAttributes, Trouble> {
        let request = self
            .client
            .get_queue_attributes()
            .queue_url(url.as_str())
            .attribute_names(QueueAttributeName::All);
        let about = self.about(queue);
        let ask = || async { request.clone().send().await.map_err(|error| about.request(&error)) };
        let answer = self.with_keys(ask).await;
        let told = match answer {
            Ok(told) => told,
            Err(trouble) if may_not(&trouble) => {
                return Ok(QueueAttributes { url, ..QueueAttributes::default() });
            }
            Err(trouble) => return Err(trouble),
        };
        let value = |name| told.attributes()?.get(&name).map(String::as_str);
        // Only a FIFO queue has these.
        let is_so =
            |name| Some(value(name) == Some("true")).filter(|_| told.attributes().is_some());
        Ok(QueueAttributes {
            url,
            maximum_message_size: value(QueueAttributeName::MaximumMessageSize)
                .and_then(|size| size.parse().ok()),
            is_fifo: is_so(QueueAttributeName::FifoQueue),
            deduplicates_by_content: is_so(QueueAttributeName::ContentBasedDeduplication),
            deduplication_scope: match value(QueueAttributeName::DeduplicationScope) {
                Some("queue") => Some(DeduplicationScope::Queue),
                Some("messageGroup") => Some(DeduplicationScope::MessageGroup),
                _ => None,
            },
        })
    }

    /// The trouble of a question that was not answered in time.
    pub(crate) fn no_answer(&self, patience: Duration) -> Trouble {
        self.about_subject(Subject::List).no_answer(patience)
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
}

/// Whether this is the last page, and the queue is not there.
fn lacks(page: &ListQueuesOutput, name: &str) -> bool {
    page.next_token().is_none_or(str::is_empty)
        && !page.queue_urls().iter().any(|url| name_of(url) == name)
}

fn next(page: &mut ListQueuesOutput) -> Option<String> {
    page.next_token.take().filter(|token| !token.is_empty())
}

/// Whether the connection may not ask, or the server cannot answer: nobody's failure.
fn may_not(trouble: &Trouble) -> bool {
    const CODES: [&str; 4] =
        ["AccessDenied", "UnknownOperation", "UnsupportedOperation", "InvalidAction"];
    trouble.code.as_deref().is_some_and(|code| CODES.iter().any(|end| code.contains(end)))
}
