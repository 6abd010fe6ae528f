//! What SQS says of the queues that a sync names itself: an extra, asked for while the run goes
//! on. Who may not ask (`sqs:GetQueueAttributes`) knows less, and loses nothing: SQS refuses what
//! is too long, and deduplication ids are taken to be the whole queue's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use message::limits::MAX_MESSAGE_BYTES;
use publisher::{Connection, DeduplicationScope, QueueAttributes};

use super::sender::Sender;
use crate::pg::process;

/// How long an answer is awaited where it makes a difference to what is sent.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Facts {
    asked: Vec<Arc<str>>,
    known: HashMap<Arc<str>, QueueAttributes>,
}

impl Facts {
    /// Asks for these queues, and does not wait.
    pub fn ask(sender: &Sender, connection: Connection, queues: Vec<Arc<str>>) -> Facts {
        let is_asked = !queues.is_empty() && sender.ask(connection, queues.clone(), PATIENCE);
        let asked = if is_asked { queues } else { Vec::new() };
        Facts { asked, known: HashMap::new() }
    }

    /// Takes the answer, if it is there.
    pub fn look(&mut self, sender: &Sender) {
        if self.asked.is_empty() {
            return;
        }
        if let Some(answers) = sender.answers() {
            let answered = self.asked.drain(..).zip(answers);
            self.known = answered.filter_map(|(queue, told)| Some((queue, told.ok()?))).collect();
        }
    }

    /// Waits for the answer, for as long as it is asked for at the most.
    pub fn await_answer(&mut self, sender: &Sender) {
        let began = Instant::now();
        loop {
            self.look(sender);
            let left = PATIENCE.saturating_sub(began.elapsed());
            if self.asked.is_empty() || left.is_zero() {
                return;
            }
            process::wait(sender.answer_notifier(), left);
        }
    }

    /// The longest message that a queue takes, in bytes, as far as it is known.
    pub fn longest_message(&self, queue: &str) -> usize {
        let of_queue = self.known.get(queue).and_then(|told| told.maximum_message_size);
        of_queue.unwrap_or(MAX_MESSAGE_BYTES)
    }

    /// Within what a queue takes two messages with the same deduplication id for one.
    pub fn scope(&self, queue: &str) -> DeduplicationScope {
        let of_queue = self.known.get(queue).and_then(|told| told.deduplication_scope);
        of_queue.unwrap_or(DeduplicationScope::Queue)
    }
}
