//! `sqs_sync_queues`: the queues of a connection.

use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use publisher::DeduplicationScope;

use super::syncs::{Answer, required};
use crate::look::{check_not_inside, queues};
use crate::pg::{Error, rights};

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "they are the SQL function's columns")]
fn sqs_sync_queues(
    server: Option<&str>,
    prefix: Option<&str>,
) -> Answer<
    TableIterator<
        'static,
        (
            name!(name, String),
            name!(url, String),
            name!(arn, Option<String>),
            name!(r#type, String),
            name!(maximum_message_size, Option<i32>),
            name!(content_based_deduplication, Option<bool>),
            name!(deduplication_scope, Option<String>),
        ),
    >,
> {
    let list = || {
        check_not_inside("sqs_sync_queues")?;
        let (server, prefix) = (required("server", server)?, prefix.unwrap_or_default());
        let found = queues::list(server, prefix, rights::current_user())?;
        Ok(TableIterator::new(found.into_iter().map(|(queue, known)| {
            let kind = if message::is_fifo(&queue.name) { "fifo" } else { "standard" };
            let scope = known.deduplication_scope.map(|scope| match scope {
                DeduplicationScope::Queue => "queue",
                DeduplicationScope::MessageGroup => "messageGroup",
            });
            (
                queue.name,
                queue.url,
                queue.arn,
                kind.to_owned(),
                known.maximum_message_size.and_then(|size| i32::try_from(size).ok()),
                known.deduplicates_by_content,
                scope.map(str::to_owned),
            )
        })))
    };
    list().map_err(|error: Error| error.into())
}
