//! What the answers to a batch mean for each of its messages.

use std::sync::Arc;

use crate::error::{Class, Trouble};
use crate::mailbox::{Message, Outcome};
use crate::sqs::Answer;

/// What is left of a batch whose answered messages are reported.
#[derive(Default)]
pub(crate) struct Fates {
    /// SQS works: it took a message, or refused one for what it holds.
    pub(crate) works: bool,
    /// Those that are to be tried again, in their order.
    pub(crate) left: Vec<Message>,
    /// Why.
    pub(crate) retry: Option<Trouble>,
    /// The queue failed, in one of the messages.
    pub(crate) queue: Option<Trouble>,
    /// The credentials did.
    pub(crate) credentials: Option<Trouble>,
}

impl Fates {
    /// Reports each message that has its fate.
    pub(crate) fn of(messages: Vec<Message>, answers: Vec<Answer>) -> Self {
        let mut fates = Self::default();
        for (message, answer) in messages.into_iter().zip(answers) {
            match answer {
                Ok(message_id) => {
                    fates.works = true;
                    message.settle(Outcome::Acknowledged { message_id });
                }
                Err(trouble) if trouble.class == Class::Row => {
                    fates.works = true;
                    message.settle(Outcome::Rejected {
                        code: trouble.code.unwrap_or_else(|| "BadRequest".to_owned()),
                        reason: trouble.what,
                    });
                }
                Err(trouble) => fates.fail(message, trouble),
            }
        }
        fates
    }

    fn fail(&mut self, mut message: Message, trouble: Trouble) {
        if !trouble.certain {
            message.mark_in_doubt();
        }
        match trouble.class {
            Class::Queue => {
                message.fail(&Arc::new(trouble.failure()));
                self.queue = Some(trouble);
            }
            Class::Credentials => {
                message.fail(&Arc::new(trouble.failure()));
                self.credentials = Some(trouble);
            }
            _ => {
                self.left.push(message);
                self.retry = Some(trouble);
            }
        }
    }
}
