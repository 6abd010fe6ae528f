//! The caller's end: a thread of its own, and the means to talk to it without blocking.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedSender, error::SendError, unbounded_channel};

use crate::connection::{Connection, Settings};
use crate::counters::{Board, Counters};
use crate::dispatch::{Command, Dispatcher};
use crate::error::Failure;
use crate::exchange::Exchange;
use crate::inquiry::{Inquiry, attributes_beside};
use crate::journal::{Journal, Recording};
use crate::lookup::QueueAttributes;
use crate::mailbox::{Mailbox, Message, Report, fail_all};
use crate::outgoing::Outgoing;
use crate::pace::after;
use crate::sqs::Sqs;
use crate::thread;

/// How long a dropped publisher waits for answers.
const DROP_PATIENCE: Duration = Duration::from_millis(500);

/// Publishes messages from a thread of its own. See the crate's documentation for what it keeps.
///
/// Dropped, it cancels, waits for answers for at most a second, and leaves what is unreported
/// unreported: [`Publisher::stop`] is the way to end with reports.
pub struct Publisher {
    commands: UnboundedSender<Command>,
    mailbox: Arc<Mailbox>,
    board: Board,
    journal: Arc<Journal>,
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
        let (commands, inbox) = unbounded_channel();
        let journal = Arc::<Journal>::default();
        let (outbox, sqs) = (Arc::clone(&mailbox), Sqs::new(connection, Arc::clone(&journal)));
        let board = Board::default();
        let shown = board.clone();
        let thread = thread::spawn("sqs_sync pub", move || {
            Dispatcher::new(sqs, settings, outbox, shown).run(inbox)
        })?;
        Ok(Self { commands, mailbox, board, journal, thread: Some(thread) })
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
        let command = Command::Send(messages, self.mailbox.epoch());
        if let Err(SendError(Command::Send(messages, _))) = self.commands.send(command) {
            fail_all(messages, &self.mailbox.lost());
            self.mailbox.ring();
        }
    }

    /// Takes the reports that wait, without blocking, and quiets the notifier.
    pub fn reports(&self) -> Vec<Report> {
        self.mailbox.drain()
    }

    /// What has been done so far, and what is being done, as of the thread's last turn.
    pub fn counters(&self) -> Counters {
        self.board.read()
    }

    /// Says which calls are kept from now on: none, unless it is said.
    pub fn record(&self, recording: Recording) {
        self.journal.record(recording);
    }

    /// Asks what queues are, as [`queue_attributes`](crate::queue_attributes) does, beside what is
    /// sent.
    ///
    /// # Errors
    ///
    /// As those of [`Publisher::start`].
    pub fn ask(
        &self,
        connection: Connection,
        queues: Vec<Arc<str>>,
        patience: Duration,
    ) -> std::io::Result<Inquiry<Vec<Result<QueueAttributes, Failure>>>> {
        attributes_beside(connection, queues, patience, Arc::clone(&self.journal))
    }

    /// Takes the calls that were kept. That of a message is there before its report is.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.journal.drain()
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
        if let Some(thread) = self.thread.take() {
            self.mailbox.set_stopping();
            self.command(Command::Stop(Instant::now() + DROP_PATIENCE));
            thread::leave(thread);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FailureKind;
    use crate::identity::{Credentials, Secret};
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
            sts_endpoint_url: None,
            identity: Credentials {
                access_key_id: "AKIA".to_owned(),
                secret_access_key: Secret::new("secret".to_owned()),
                session_token: None,
            }
            .into(),
        };
        let settings = Settings {
            retry_for: Duration::from_secs(60),
            max_requests_in_flight: 1,
            one_per_group: false,
            one_queue: false,
            max_messages_per_second: None,
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
