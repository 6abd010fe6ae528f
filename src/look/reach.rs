//! Whether SQS can be reached, takes the credentials, and has the queues that messages go to.

use std::sync::Arc;
use std::time::Duration;

use message::Message;
use publisher::{
    Connection, Failure, FailureKind, Listed, QueueAttributes, list_queues, queue_attributes,
};

use super::asking;
use super::check::Item;
use crate::pg::Result;

/// How long SQS is given to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is given to tell of all queues together.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(10);
/// Queues that are asked about at most.
const MOST: usize = 20;

/// A queue that messages go to.
pub struct Used {
    queue: Arc<str>,
    /// Bytes of the longest message that is known.
    longest: usize,
    /// Some message leaves it to the queue to make a deduplication id.
    by_content: bool,
}

/// Notes where a message goes.
pub fn note(used: &mut Vec<Used>, message: &Message) {
    let by_content = message.dedup_id.is_none() && message::is_fifo(&message.queue);
    let of_queue = entry(used, &message.queue);
    of_queue.longest = of_queue.longest.max(message.size());
    of_queue.by_content |= by_content;
}

/// Notes a queue, whatever goes to it.
pub fn note_queue(used: &mut Vec<Used>, queue: &str) {
    entry(used, queue);
}

fn entry<'a>(used: &'a mut Vec<Used>, queue: &str) -> &'a mut Used {
    let place = used.iter().position(|used| &*used.queue == queue).unwrap_or_else(|| {
        used.push(Used { queue: queue.into(), longest: 0, by_content: false });
        used.len() - 1
    });
    &mut used[place]
}

/// Asks SQS.
pub fn look(connection: &Connection, used: Vec<Used>) -> Result<Vec<Item>> {
    let listed = asking::answer(list_queues(connection.clone(), String::new(), 1, PATIENCE))?;
    let needs_list = used.iter().any(|used| is_name(&used.queue));
    let region = endpoint(connection, &listed);
    if region.ok == Some(false) {
        return Ok(vec![region]);
    }
    let credentials = credentials(&listed);
    if credentials.ok == Some(false) {
        return Ok(vec![region, credentials]);
    }
    let mut items = vec![region, credentials];
    items.extend(listing(&listed, needs_list));
    items.extend(queues(connection, &used)?);
    Ok(items)
}

/// A name must be looked up; a URL or an ARN says where the queue is.
fn is_name(queue: &str) -> bool {
    message::queue_name(queue) == queue
}

fn endpoint(connection: &Connection, listed: &std::result::Result<Listed, Failure>) -> Item {
    let place = match &connection.endpoint_url {
        Some(url) => format!("region {} at {url}", connection.region),
        None => format!("region {}", connection.region),
    };
    match listed {
        Err(Failure {
            kind: FailureKind::Network | FailureKind::Service, message, hint, ..
        }) => Item::bad("region", format!("{place}: {message}"), hint.clone()),
        _ => Item::good("region", format!("{place} answers")),
    }
}

fn credentials(listed: &std::result::Result<Listed, Failure>) -> Item {
    match listed {
        Err(Failure { kind: FailureKind::Credentials, message, hint, .. }) => {
            Item::bad("credentials", message.clone(), hint.clone())
        }
        _ => Item::good("credentials", "SQS takes them"),
    }
}

/// The right to list queues, which only those given by name need.
fn listing(listed: &std::result::Result<Listed, Failure>, is_needed: bool) -> Option<Item> {
    match listed {
        Err(Failure { kind: FailureKind::Queue, message, hint, .. }) if is_needed => {
            Some(Item::bad("sqs:ListQueues", message.clone(), hint.clone()))
        }
        Ok(_) if is_needed => Some(Item::good("sqs:ListQueues", "queues can be found by name")),
        _ => None,
    }
}

fn queues(connection: &Connection, used: &[Used]) -> Result<Vec<Item>> {
    let asked: Vec<Arc<str>> = used.iter().take(MOST).map(|used| used.queue.clone()).collect();
    if asked.is_empty() {
        let hint = "Rows name the queue, and the model has none that makes a message.";
        return Ok(vec![Item::worth_knowing("queue", "no queue is known to look for", hint)]);
    }
    let answers = asking::answer(queue_attributes(connection.clone(), asked, PATIENCE_FOR_ALL))?;
    let answers = match answers {
        Ok(answers) => answers,
        Err(failure) => return Ok(vec![Item::bad("queue", failure.message, failure.hint)]),
    };
    let mut items: Vec<Item> =
        used.iter().zip(answers).map(|(used, answer)| queue(used, answer)).collect();
    if used.len() > MOST {
        let detail =
            format!("{} more queues of the sample were not asked about", used.len() - MOST);
        items.push(Item::worth_knowing("queue", detail, "sqs_sync_queues lists those that exist."));
    }
    Ok(items)
}

fn queue(used: &Used, answer: std::result::Result<QueueAttributes, Failure>) -> Item {
    let name = &used.queue;
    let item = format!("queue {name}");
    let known = match answer {
        Ok(known) => known,
        Err(failure) => return Item::bad(&item, failure.message, failure.hint),
    };
    match known.maximum_message_size {
        None if is_name(name) => Item::good(
            &item,
            format!("is at {}; more is not told without sqs:GetQueueAttributes", known.url),
        ),
        None => Item::worth_knowing(
            &item,
            "cannot be asked about without sqs:GetQueueAttributes",
            "sqs_sync_test sends one message to it.",
        ),
        Some(maximum) if used.longest > maximum => Item::bad(
            &item,
            format!(
                "takes messages of {maximum} bytes, and one of the sample has {}",
                used.longest
            ),
            Some(
                "Shorten it in the model, or raise the queue's own MaximumMessageSize.".to_owned(),
            ),
        ),
        Some(_) if used.by_content && known.deduplicates_by_content == Some(false) => Item::bad(
            &item,
            "makes no deduplication ids, and the messages have none",
            Some("Set the queue's ContentBasedDeduplication, or leave dedup out.".to_owned()),
        ),
        Some(maximum) => {
            Item::good(&item, format!("is at {}, and takes messages of {maximum} bytes", known.url))
        }
    }
}
