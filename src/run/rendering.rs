//! A change to its message, or why it makes none.

use message::{Change, Definitions, Event, Message, Run, limits};
use publisher::Failure;

use crate::catalog::position::Origin;
use crate::pg::rows::ChangeRow;

/// Why a row makes no message, or SQS takes none of it.
#[derive(Clone)]
pub struct Refused {
    pub code: String,
    pub reason: String,
    pub hint: Option<String>,
    /// The name that the user's `message_id` gives the message.
    pub message_id: Option<String>,
}

impl Refused {
    pub fn new(code: &str, reason: impl Into<String>, hint: &str) -> Refused {
        Refused {
            code: code.to_owned(),
            reason: reason.into(),
            hint: Some(hint.to_owned()),
            message_id: None,
        }
    }

    pub fn with_message_id(self, message_id: Option<String>) -> Refused {
        Refused { message_id, ..self }
    }

    pub fn unknown_event(event: &str) -> Refused {
        Refused {
            code: "unpublished_event".to_owned(),
            reason: format!("the event {event} is not published"),
            hint: None,
            message_id: None,
        }
    }

    /// A queue that the row has chosen takes no messages.
    pub fn by_queue(failure: &Failure) -> Refused {
        Refused {
            code: failure.code.clone().unwrap_or_else(|| "queue_unusable".to_owned()),
            reason: failure.message.clone(),
            hint: failure.hint.clone(),
            message_id: None,
        }
    }
}

impl From<message::Rejection> for Refused {
    fn from(rejection: message::Rejection) -> Refused {
        Refused {
            code: rejection.code.to_owned(),
            reason: rejection.reason,
            hint: rejection.hint,
            message_id: None,
        }
    }
}

/// Renders a change by the run that found it. `longest` knows the longest message that a queue
/// takes.
pub fn render(
    definitions: &Definitions,
    change: &ChangeRow,
    origin: &Origin,
    longest: impl Fn(&str) -> usize,
) -> Result<(Event, Message), Refused> {
    let event: Event = change.event.parse().map_err(|_| Refused::unknown_event(&change.event))?;
    let run = Run { id: origin.run_id, started_at: &origin.started_at };
    let old = change.old.as_deref();
    let told = Change { id: change.id, event, row: &change.values, old, run };
    let Some(rendered) = definitions.render(&told) else {
        return Err(Refused::unknown_event(&change.event));
    };
    let checked = rendered.and_then(|message| {
        limits::check_size(&message, longest(&message.queue))?;
        Ok(message)
    });
    match checked {
        Ok(message) => Ok((event, message)),
        Err(rejection) => {
            let message_id = definitions.of(event).and_then(|of| of.message_id(&told));
            Err(Refused::from(rejection).with_message_id(message_id))
        }
    }
}
