//! SQS's actions, by the header X-Amz-Target.

use serde::Deserialize;
use serde_json::json;

use crate::answer::Answer;
use crate::error::RequestError;
use crate::queues::{self, Queues};
use crate::send;
use crate::wire::{Addressed, Batch, Entry, Listing, Named};

/// A page of ListQueues, when the request does not say (botocore, ListQueues).
const PAGE: usize = 1000;

pub(crate) fn answer(queues: &mut Queues, target: &str, body: &[u8]) -> Answer {
    let answer = match target {
        "AmazonSQS.SendMessageBatch" => send_batch(queues, body),
        "AmazonSQS.SendMessage" => send_one(queues, body),
        "AmazonSQS.ListQueues" => read(body).map(|listing| list(queues, &listing)),
        "AmazonSQS.CreateQueue" => create(queues, body),
        "AmazonSQS.GetQueueUrl" => url(queues, body),
        "AmazonSQS.GetQueueAttributes" => attributes(queues, body),
        _ => Err(RequestError::new("UnknownOperationException", "The sink has no such action.")),
    };
    answer.unwrap_or_else(|error| Answer::error(&error))
}

fn send_batch(queues: &mut Queues, body: &[u8]) -> Result<Answer, RequestError> {
    let batch: Batch<'_> = read(body)?;
    let now = queues.started.elapsed();
    let queue = queues.used(name_of(&batch.queue_url))?;
    Ok(send::batch(queue, &batch.entries, now))
}

fn send_one(queues: &mut Queues, body: &[u8]) -> Result<Answer, RequestError> {
    let (to, entry): (Addressed<'_>, Entry<'_>) = (read(body)?, read(body)?);
    let now = queues.started.elapsed();
    let queue = queues.used(name_of(&to.queue_url))?;
    Ok(send::single(queue, entry, now))
}

fn list(queues: &Queues, listing: &Listing<'_>) -> Answer {
    let page = listing.max_results.unwrap_or(PAGE);
    let mut names = queues.names(&listing.queue_name_prefix, listing.next_token.as_deref());
    let names_of_page: Vec<&str> = names.by_ref().take(page).collect();
    let urls: Vec<String> = names_of_page.iter().map(|name| queues.url(name)).collect();
    let mut answer = json!({ "QueueUrls": urls });
    if let (Some(last), Some(_)) = (names_of_page.last(), names.next()) {
        answer["NextToken"] = json!(last);
    }
    Answer::ok(answer.to_string())
}

fn create(queues: &mut Queues, body: &[u8]) -> Result<Answer, RequestError> {
    let named: Named<'_> = read(body)?;
    queues.create(&named.queue_name)?;
    Ok(tell_url(queues, &named.queue_name))
}

fn url(queues: &mut Queues, body: &[u8]) -> Result<Answer, RequestError> {
    let named: Named<'_> = read(body)?;
    queues.used(&named.queue_name)?;
    Ok(tell_url(queues, &named.queue_name))
}

fn tell_url(queues: &Queues, name: &str) -> Answer {
    Answer::ok(json!({ "QueueUrl": queues.url(name) }).to_string())
}

/// All of them, whichever were asked for.
fn attributes(queues: &mut Queues, body: &[u8]) -> Result<Answer, RequestError> {
    let to: Addressed<'_> = read(body)?;
    let queue = queues.used(name_of(&to.queue_url))?;
    let mut attributes =
        json!({"QueueArn": queues::arn(&queue.name), "MaximumMessageSize": "1048576"});
    if queue.is_fifo() {
        attributes["FifoQueue"] = json!("true");
        attributes["ContentBasedDeduplication"] = json!("true");
    }
    Ok(Answer::ok(json!({ "Attributes": attributes }).to_string()))
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, RequestError> {
    serde_json::from_slice(body)
        .map_err(|error| RequestError::new("SerializationException", error.to_string()))
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}
