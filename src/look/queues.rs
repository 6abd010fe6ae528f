//! `sqs_sync_queues`: the queues that a server's account and region have.

use std::sync::Arc;
use std::time::Duration;

use pgrx::pg_sys::Oid;
use publisher::{Connection, Queue, QueueAttributes, list_queues, queue_attributes};

use super::asking;
use crate::connection;
use crate::pg::rights::as_superuser;
use crate::pg::{Result, process};
use crate::run::error_of;

/// Queues that are listed at most.
const MOST: usize = 10_000;
/// Queues that SQS is asked about at most, each by a request of its own.
const MOST_ASKED: usize = 100;
/// How long the list is awaited, and then all attributes together.
const PATIENCE: Duration = Duration::from_secs(20);

/// The queues whose names begin with `prefix`, as far as `role` may list them, each with what its
/// attributes say if they may be asked for.
pub fn list(server: &str, prefix: &str, role: Oid) -> Result<Vec<(Queue, QueueAttributes)>> {
    let connection = as_superuser(|| connection::of(server, role, "sqs_sync_queues"))?;
    let listed =
        asking::answer(list_queues(connection.clone(), prefix.to_owned(), MOST, PATIENCE))?
            .map_err(|failure| error_of(&failure))?;
    if !listed.is_complete {
        process::notice(format!("only the first {MOST} queues are listed: give a longer prefix"));
    }
    let urls: Vec<Arc<str>> =
        listed.queues.iter().take(MOST_ASKED).map(|queue| queue.url.as_str().into()).collect();
    let mut known = attributes(&connection, urls)?.into_iter();
    Ok(listed.queues.into_iter().map(|queue| (queue, known.next().unwrap_or_default())).collect())
}

/// What is known of these queues; a right that is missing shows at the first one, and the others
/// are not asked for.
fn attributes(connection: &Connection, mut urls: Vec<Arc<str>>) -> Result<Vec<QueueAttributes>> {
    let rest = urls.split_off(urls.len().min(1));
    let mut known = ask(connection, urls)?;
    if known.first().is_some_and(|first| first.maximum_message_size.is_some()) {
        known.extend(ask(connection, rest)?);
    }
    Ok(known)
}

fn ask(connection: &Connection, urls: Vec<Arc<str>>) -> Result<Vec<QueueAttributes>> {
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let answers = asking::answer(queue_attributes(connection.clone(), urls, PATIENCE))?;
    Ok(answers.unwrap_or_default().into_iter().map(|answer| answer.unwrap_or_default()).collect())
}
