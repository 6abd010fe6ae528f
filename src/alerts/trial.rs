//! A test of a channel: one message for real, from a session, which waits for the answer and can
//! be cancelled.

use std::time::{Duration, SystemTime};

use notifier::{Alert as Message, Delivery, Settings};

use super::channel;
use super::judging::{database_name, kept, watched};
use super::outbox::{notified, outcome};
use super::thread::Thread;
use crate::catalog::alert::Alert;
use crate::catalog::delivery::{self, Outcome};
use crate::pg::rights::as_superuser;
use crate::pg::{Error, Result, process, sql};

/// One attempt, while somebody waits.
const SETTINGS: Settings = Settings {
    attempts: 1,
    timeout: Duration::from_secs(15),
    backoff: Duration::ZERO,
    longest_backoff: Duration::ZERO,
};
/// How long the session sleeps before it looks again, whatever wakes it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Sends a test of an alert, and writes it down with the answer.
pub fn send(alert: &Alert, sync: Option<String>) -> Result<Outcome> {
    let (channel, id, watched) = as_superuser(|| {
        Ok((
            channel::of(&alert.channel, alert.owner)?,
            sql::value::<String>("SELECT gen_random_uuid()::text", &[])?,
            watched(alert, sync.as_deref(), &database_name()?)?,
        ))
    })?;
    let message = Message::trying(id.clone(), &watched, SystemTime::now());
    let outcome = match channel.notification(&message) {
        Some((name, payload)) => {
            as_superuser(|| delivery::notify(name, &payload))?;
            notified(name)
        }
        None => deliver(Delivery { id: 0, alert: message.clone(), channel })?,
    };
    let new = kept(alert.id, sync, &message)?;
    as_superuser(|| delivery::record_test(&new, &id, &outcome))?;
    Ok(outcome)
}

/// Waits for the answer, which comes within the attempt's own patience.
fn deliver(delivery: Delivery) -> Result<Outcome> {
    let thread = Thread::start(SETTINGS)?;
    if !thread.deliver(delivery) {
        return Err(Error::internal("the notifier takes no message"));
    }
    loop {
        if let Some(answer) = thread.answers().pop() {
            return Ok(outcome(answer));
        }
        match thread.notifier() {
            Some(notifier) => process::wait_interruptibly(notifier, LOOK_AGAIN),
            None => return Err(Error::internal("the notifier is gone")),
        }
    }
}
