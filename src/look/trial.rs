//! `sqs_sync_test`: one real message, and SQS's answer to it. The snapshot stays.

use std::time::Duration;

use message::Event;
use publisher::{Failure, FailureKind, Receipt};

use super::shown::Shown;
use super::sight::Sight;
use super::{asking, single};
use crate::connection;
use crate::pg::rights::as_superuser;
use crate::pg::{Error, Result, sql};
use crate::run::outgoing;
use crate::run::owned::Owned;
use crate::run::rendering::Refused;

/// How long SQS's answer is awaited, the look for the queue included.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of it.
pub struct Trial {
    pub key: String,
    pub event: Option<String>,
    pub queue: Option<String>,
    pub dedup_id: Option<String>,
    pub outcome: std::result::Result<Receipt, Refused>,
}

/// Sends the row of this key, or the first one of the model.
pub fn send(owned: Owned, key: Option<&str>, event: Option<Event>) -> Result<Trial> {
    let sight = Sight::of(owned)?;
    let Shown { key, event, message, .. } = single::show(&sight, key, event)?;
    let mut message = match message {
        Ok(message) => message,
        Err(refused) => {
            let outcome = Err(refused);
            return Ok(Trial { key, event, queue: None, dedup_id: None, outcome });
        }
    };
    // Of its own, whatever the definition says: else SQS would take a later message, or this one,
    // for the same.
    message.dedup_id = match message::is_fifo(&message.queue) {
        true => Some(format!("test:{}", sql::value::<String>(RANDOM, &[])?)),
        false => None,
    };
    let (queue, dedup_id) = (Some(message.queue.to_string()), message.dedup_id.clone());
    let (owned, name) = (&sight.owned, &sight.owned.sync.name);
    let connection = as_superuser(|| connection::of(&sight.definition.server, owned.owner, name))
        .map_err(|error: Error| error.in_sync(name))?;
    let sent = asking::answer(publisher::send_one(connection, outgoing::of(0, message), PATIENCE))?;
    Ok(Trial { key, event, queue, dedup_id, outcome: sent.map_err(|failure| refused(&failure)) })
}

const RANDOM: &str = "SELECT pg_catalog.gen_random_uuid()::pg_catalog.text";

fn refused(failure: &Failure) -> Refused {
    Refused {
        code: failure.code.clone().unwrap_or_else(|| kind(failure.kind).to_owned()),
        ..Refused::by_queue(failure)
    }
}

/// A code where SQS gives none.
fn kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Queue => "queue_unusable",
        FailureKind::Credentials => "credentials_refused",
        FailureKind::Service => "service_failed",
        FailureKind::Network => "not_reached",
        FailureKind::Cancelled => "cancelled",
    }
}
