//! The caller's end: a thread of its own, and the means to talk to it without blocking.
//!
//! The thread and its children are born with every signal blocked: Postgres's signals, SIGURG
//! with its latch wake-ups included, must reach the backend's own thread.

use std::os::fd::RawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, error::SendError, unbounded_channel};

use crate::connection::{Connection, Settings};
use crate::dispatch::{Command, Dispatcher};
use crate::lane::fail_all;
use crate::mailbox::{Mailbox, Message, Report};
use crate::outgoing::Outgoing;
use crate::pace::after;
use crate::sqs::Sqs;

/// How long a dropped publisher waits for answers, and at most for its thread.
const DROP_PATIENCE: Duration = Duration::from_millis(500);
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// Publishes messages from a thread of its own. See the crate's documentation for what it keeps.
///
/// Dropped, it cancels, waits for answers for at most a second, and leaves what is unreported
/// unreported: [`Publisher::stop`] is the way to end with reports.
pub struct Publisher {
    commands: UnboundedSender<Command>,
    mailbox: Arc<Mailbox>,
    /// Taken when it is joined.
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Starts the thread. No request is made before a message is sent.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the connection's endpoint, or the one made of its region, is not an
    /// http or https URL; else what the system says when it gives no eventfd, epoll or thread.
    pub fn start(connection: Connection, settings: Settings) -> std::io::Result<Self> {
        connection.check_endpoint()?;
        let mailbox = Mailbox::open()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (commands, inbox) = unbounded_channel();
        let thread = with_signals_blocked(|| {
            std::thread::Builder::new()
                .name("sqs_sync pub".to_owned())
                .spawn(move || run(runtime, connection, &settings, inbox))
        })?;
        Ok(Self { commands, mailbox, thread: Some(thread) })
    }

    /// An eventfd to poll: readable while reports wait. It belongs to the publisher: do not read
    /// or close it, and do not use it once the publisher is gone.
    pub fn notifier(&self) -> RawFd {
        self.mailbox.notifier()
    }

    /// Hands messages over, and never blocks. How many are outstanding is the caller's to bound.
    pub fn send(&self, messages: Vec<Outgoing>) {
        let messages = messages
            .into_iter()
            .map(|outgoing| Message::new(outgoing, Arc::clone(&self.mailbox)))
            .collect();
        // The thread is gone, so these were certainly not sent.
        if let Err(SendError(Command::Send(messages))) = self.commands.send(Command::Send(messages))
        {
            fail_all(messages, &self.mailbox.lost());
        }
    }

    /// Takes the reports that wait, without blocking, and quiets the notifier.
    pub fn reports(&self) -> Vec<Report> {
        self.mailbox.drain()
    }

    /// Starts no new request and no retry, from now on and for good. What is not in flight is
    /// reported at once, as not sent or in doubt; answers in flight are awaited and reported.
    pub fn cancel(&self) {
        self.command(Command::Cancel);
    }

    /// Cancels, waits at most `patience` for the answers in flight, and ends the thread. Gives
    /// every report that was still to come; what got no answer is in doubt.
    pub fn stop(mut self, patience: Duration) -> Vec<Report> {
        self.mailbox.set_stopping();
        self.command(Command::Stop(after(Instant::now(), patience)));
        if let Some(thread) = self.thread.take() {
            // An error is a panic that was already caught: nothing to add.
            let _ = thread.join();
        }
        self.mailbox.drain()
    }

    fn command(&self, command: Command) {
        // A thread that is gone has nothing to cancel.
        let _ = self.commands.send(command);
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        let now = Instant::now();
        self.mailbox.set_stopping();
        self.command(Command::Stop(now + DROP_PATIENCE));
        while !thread.is_finished() {
            if now.elapsed() >= DROP_LIMIT {
                // Left to end by itself: a destructor must not hang.
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = thread.join();
    }
}

/// The thread's whole life. A panic ends it early, and what it held reports itself.
fn run(
    runtime: Runtime,
    connection: Connection,
    settings: &Settings,
    inbox: UnboundedReceiver<Command>,
) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let dispatcher = Dispatcher::new(Sqs::new(connection), settings);
        runtime.block_on(dispatcher.run(inbox));
    }));
    // Not a plain drop: that would wait for a name lookup that hangs.
    runtime.shutdown_background();
}

/// A thread inherits the mask of the one that spawns it.
fn with_signals_blocked<T>(spawn: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let spawned = spawn();
    before.thread_set_mask()?;
    spawned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Credentials, Secret};
    use crate::error::FailureKind;
    use crate::mailbox::Outcome;

    fn outgoing(id: i64) -> Outgoing {
        Outgoing {
            id,
            queue: "orders".into(),
            body: "{}".to_owned(),
            attributes: Vec::new(),
            group_id: None,
            dedup_id: None,
            delay_seconds: None,
        }
    }

    #[test]
    fn a_dead_thread_shows_as_reports_and_not_as_a_panic_or_a_hang() {
        // A server that takes connections and never answers.
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = Connection {
            region: "eu-west-1".to_owned(),
            endpoint_url: Some(format!("http://{}", server.local_addr().unwrap())),
            credentials: Credentials {
                access_key_id: "AKIA".to_owned(),
                secret_access_key: Secret::new("secret".to_owned()),
                session_token: None,
            },
        };
        let settings = Settings {
            retry_for: Duration::from_secs(60),
            max_requests_in_flight: 1,
            one_per_group: false,
        };
        let publisher = Publisher::start(connection, settings).unwrap();
        publisher.send((0..25).map(outgoing).collect());
        publisher.command(Command::Panic);
        let thread = publisher.thread.as_ref().unwrap();
        while !thread.is_finished() {
            std::thread::yield_now();
        }
        let mut reports = publisher.reports();
        for report in &reports {
            match &report.outcome {
                Outcome::InDoubt { failure } => assert_eq!(failure.kind, FailureKind::Service),
                other => panic!("{other:?}"),
            }
        }
        reports.sort_by_key(|report| report.id);
        let ids: Vec<i64> = reports.iter().map(|report| report.id).collect();
        assert_eq!(ids, (0..25).collect::<Vec<i64>>());

        publisher.send(vec![outgoing(99)]);
        publisher.cancel();
        let late = publisher.stop(Duration::ZERO);
        assert!(matches!(late[..], [Report { id: 99, outcome: Outcome::NotSent { .. } }]));
    }
}
