//! The loop itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::vec;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tokio::task::{JoinError, JoinSet};

/// What all requests share.
pub(crate) struct Work {
    client: Client,
    queue_url: String,
    left: Mutex<vec::IntoIter<Vec<String>>>,
}

/// What became of the messages.
#[derive(Default)]
pub(crate) struct Done {
    /// Accepted.
    pub(crate) messages: usize,
    /// Not accepted, or not known to be.
    pub(crate) failures: usize,
    pub(crate) first_failure: Option<String>,
}

impl Work {
    pub(crate) fn new(client: Client, queue_url: String, batches: Vec<Vec<String>>) -> Self {
        Self { client, queue_url, left: Mutex::new(batches.into_iter()) }
    }

    fn next(&self) -> Option<Vec<String>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Sends all, with so many requests in flight.
///
/// # Errors
///
/// A task panicked.
pub(crate) async fn send_all(work: Arc<Work>, in_flight: usize) -> Result<Done, JoinError> {
    let mut senders: JoinSet<Done> =
        (0..in_flight).map(|_| send_one_by_one(Arc::clone(&work))).collect();
    let mut all = Done::default();
    while let Some(done) = senders.join_next().await {
        all.add(done?);
    }
    Ok(all)
}

async fn send_one_by_one(work: Arc<Work>) -> Done {
    let mut done = Done::default();
    while let Some(bodies) = work.next() {
        let messages = bodies.len();
        done.add(match send(&work, bodies).await {
            Ok(accepted) => accepted,
            Err(failure) => Done { messages: 0, failures: messages, first_failure: Some(failure) },
        });
    }
    done
}

async fn send(work: &Work, bodies: Vec<String>) -> Result<Done, String> {
    let messages = bodies.len();
    let entries = entries(bodies).map_err(|error| error.to_string())?;
    let answer = work
        .client
        .send_message_batch()
        .queue_url(&work.queue_url)
        .set_entries(Some(entries))
        .send()
        .await
        .map_err(|error| DisplayErrorContext(error).to_string())?;
    Ok(Done {
        messages: answer.successful.len(),
        failures: messages.saturating_sub(answer.successful.len()),
        first_failure: answer.failed.first().map(|entry| format!("{entry:?}")),
    })
}

fn entries(bodies: Vec<String>) -> Result<Vec<SendMessageBatchRequestEntry>, BuildError> {
    let entry = |(index, body): (usize, String)| {
        SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build()
    };
    bodies.into_iter().enumerate().map(entry).collect()
}

impl Done {
    fn add(&mut self, more: Done) {
        self.messages += more.messages;
        self.failures += more.failures;
        self.first_failure = self.first_failure.take().or(more.first_failure);
    }
}
