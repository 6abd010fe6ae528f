//! A question to SQS by a thread that must not block: a backend's own, whose user may cancel.
//!
//! It is asked on a thread of its own. The asker waits for the notifier beside its latch, takes
//! the answer, or drops the inquiry, which ends it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::connection::Connection;
use crate::error::{Class, Failure, FailureKind, Trouble};
use crate::identity::Caller;
use crate::journal::Journal;
use crate::lookup::{Listed, QueueAttributes};
use crate::outgoing::Outgoing;
use crate::pace::backoff;
use crate::queue::Located;
use crate::sqs::{Receipt, Sqs};
use crate::thread;

/// A question under way. Dropped, it is given up, which takes a second at most.
pub struct Inquiry<T> {
    slot: Arc<Slot<T>>,
    /// Dropped with the inquiry: that ends its thread.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Slot<T> {
    answer: Mutex<Option<Result<T, Failure>>>,
    bell: EventFd,
}

impl<T> Slot<T> {
    fn put(&self, answer: Result<T, Failure>) {
        let mut slot = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(answer);
            // Fails only at a count of 2^64 - 2, and it is never above 1.
            let _ = self.bell.write(1);
        }
    }
}

/// Sees to it that there is an answer, also when the thread panics.
struct Debt<T>(Arc<Slot<T>>);

impl<T> Drop for Debt<T> {
    fn drop(&mut self) {
        self.0.put(Err(Failure {
            kind: FailureKind::Service,
            code: None,
            message: "the thread that asked SQS ended unexpectedly".to_owned(),
            hint: Some("This is a defect of sqs_sync: please report it.".to_owned()),
        }));
    }
}

impl<T: Send + 'static> Inquiry<T> {
    fn start<F: Future<Output = Result<T, Failure>>>(
        connection: Connection,
        journal: Arc<Journal>,
        ask: impl FnOnce(Sqs) -> F + Send + 'static,
    ) -> io::Result<Self> {
        connection.check_endpoint()?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let slot = Arc::new(Slot { answer: Mutex::new(None), bell });
        let (end, ended) = oneshot::channel::<()>();
        let debt = Debt(Arc::clone(&slot));
        let thread = thread::spawn("sqs_sync ask", move || async move {
            tokio::select! {
                answer = ask(Sqs::beside(connection, journal)) => debt.0.put(answer),
                _ = ended => {}
            }
        })?;
        Ok(Self { slot, end: Some(end), thread: Some(thread) })
    }
}

impl<T> Inquiry<T> {
    /// An eventfd to poll: readable once the answer is there. It belongs to the inquiry: do not
    /// read or close it, and do not use it once the inquiry is gone.
    pub fn notifier(&self) -> RawFd {
        self.slot.bell.as_fd().as_raw_fd()
    }

    /// Takes the answer, if it is there, without blocking.
    pub fn answer(&self) -> Option<Result<T, Failure>> {
        let answer = self.slot.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if answer.is_some() {
            let _ = self.slot.bell.read();
        }
        answer
    }
}

impl<T> Drop for Inquiry<T> {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            thread::leave(thread);
        }
    }
}

/// Asks for the queues of the connection's account and region whose names begin with `prefix`, at
/// most `most` of them. Needs `sqs:ListQueues`. What fails for now is tried again for `patience`.
///
/// # Errors
///
/// As those of [`crate::Publisher::start`].
pub fn list_queues(
    connection: Connection,
    prefix: String,
    most: usize,
    patience: Duration,
) -> io::Result<Inquiry<Listed>> {
    Inquiry::start(connection, Arc::default(), move |sqs| async move {
        Deadline::new(&sqs, patience).keep(async || sqs.list(&prefix, most).await).await
    })
}

/// Asks what these queues are, each given by its name, URL or ARN; the answers come in their
/// order. Needs `sqs:GetQueueAttributes`: without that right, what it would give is unknown, and
/// no failure. What fails for now is tried again for `patience`, all queues together.
///
/// # Errors
///
/// As those of [`crate::Publisher::start`].
pub fn queue_attributes(
    connection: Connection,
    queues: Vec<Arc<str>>,
    patience: Duration,
) -> io::Result<Inquiry<Vec<Result<QueueAttributes, Failure>>>> {
    attributes_beside(connection, queues, patience, Arc::default())
}

/// The same; the journal keeps how the keys were had.
pub(crate) fn attributes_beside(
    connection: Connection,
    queues: Vec<Arc<str>>,
    patience: Duration,
    journal: Arc<Journal>,
) -> io::Result<Inquiry<Vec<Result<QueueAttributes, Failure>>>> {
    Inquiry::start(connection, journal, move |sqs| async move {
        let deadline = Deadline::new(&sqs, patience);
        let mut answers = Vec::with_capacity(queues.len());
        for queue in &queues {
            answers.push(deadline.keep(async || attributes(&sqs, queue).await).await);
        }
        Ok(answers)
    })
}

/// Asks STS who the connection's first keys belong to, before a role is assumed.
///
/// # Errors
///
/// As those of [`crate::Publisher::start`].
pub fn caller(connection: Connection, patience: Duration) -> io::Result<Inquiry<Caller>> {
    Inquiry::start(connection, Arc::default(), move |sqs| async move {
        Deadline::new(&sqs, patience).keep(async || sqs.keyring.caller().await).await
    })
}

/// Sends one message, by itself and once: nothing is tried again, so that the answer is SQS's own.
/// The answer is awaited for `patience`; where it leaves open whether SQS has the message, the
/// failure says so.
///
/// # Errors
///
/// As those of [`crate::Publisher::start`].
pub fn send_one(
    connection: Connection,
    message: Outgoing,
    patience: Duration,
) -> io::Result<Inquiry<Receipt>> {
    Inquiry::start(connection, Arc::default(), move |sqs| async move {
        let send = async {
            let url = url_of(&sqs, &message.queue).await?;
            sqs.send_one(&url, &message).await
        };
        match timeout(patience, send).await {
            Ok(Ok(receipt)) => Ok(receipt),
            Ok(Err(trouble)) => Err(of_one(&trouble)),
            Err(_) => Err(of_one(&sqs.no_answer(patience))),
        }
    })
}

fn of_one(trouble: &Trouble) -> Failure {
    let mut failure = trouble.failure();
    if !trouble.certain {
        failure.message += ": SQS may have the message, or not";
    }
    failure
}

async fn attributes(sqs: &Sqs, queue: &str) -> Result<QueueAttributes, Trouble> {
    let url = url_of(sqs, queue).await?;
    sqs.attributes(queue, url).await
}

async fn url_of(sqs: &Sqs, queue: &str) -> Result<String, Trouble> {
    match sqs.locate(queue)? {
        Located::Url(url) => Ok(url),
        Located::Name => sqs.find(queue).await,
    }
}

/// Until when something is tried.
struct Deadline<'a> {
    sqs: &'a Sqs,
    started: Instant,
    patience: Duration,
}

impl<'a> Deadline<'a> {
    fn new(sqs: &'a Sqs, patience: Duration) -> Self {
        Self { sqs, started: Instant::now(), patience }
    }

    async fn keep<T>(&self, ask: impl AsyncFn() -> Result<T, Trouble>) -> Result<T, Failure> {
        for attempts in 1.. {
            let left = self.patience.saturating_sub(self.started.elapsed());
            let trouble = match timeout(left, ask()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(trouble)) => trouble,
                Err(_) => break,
            };
            let passes =
                matches!(trouble.class, Class::Throttled | Class::Service | Class::Network);
            if !passes {
                return Err(trouble.failure());
            }
            let pause = backoff(attempts);
            if self.started.elapsed() + pause >= self.patience {
                return Err(trouble.failure_after(attempts, self.started.elapsed()));
            }
            sleep(pause).await;
        }
        Err(self.sqs.no_answer(self.patience).failure())
    }
}
