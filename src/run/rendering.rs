//! Changes to their messages, or why they make none.

use std::collections::VecDeque;
use std::sync::Arc;

use backlog::{Entry, Sent};
use message::{Change, Definitions, Event, Message, PerEvent, Run, Value, limits, row_as_json};
use publisher::{Connection, Failure};

use super::claims;
use super::facts::Facts;
use super::outgoing;
use super::sender::Sender;
use super::settle::Settlement;
use crate::catalog::{Definition, Sync, position::Origin};
use crate::changes::change_set::Wanted;
use crate::changes::columns;
use crate::errors;
use crate::pg::Result;
use crate::pg::failpoint;
use crate::pg::rows::{ChangeRow, MAX_ROW_BYTES, Unread};

/// Why a row makes no message, or SQS takes none of it.
#[derive(Clone)]
pub struct Refused {
    pub code: String,
    pub reason: String,
    pub hint: Option<String>,
    /// The name that the user's `message_id` gives the message.
    pub message_id: Option<String>,
    /// Bytes of the message, if there is one.
    pub size: Option<i64>,
    /// It is the row's own fault: nothing but other contents or another definition helps.
    pub is_lasting: bool,
    /// An earlier attempt may have been accepted.
    pub was_in_doubt: bool,
}

impl Refused {
    pub fn new(code: &str, reason: impl Into<String>, hint: Option<String>) -> Refused {
        Refused {
            code: code.to_owned(),
            reason: reason.into(),
            hint,
            message_id: None,
            size: None,
            is_lasting: errors::is_lasting(code),
            was_in_doubt: false,
        }
    }

    pub fn with_message_id(self, message_id: Option<String>) -> Refused {
        Refused { message_id, ..self }
    }

    pub fn with_size(self, bytes: usize) -> Refused {
        Refused { size: i64::try_from(bytes).ok(), ..self }
    }

    /// Whether nothing is wrong with the row: its rendering was interrupted.
    fn is_interruption(&self) -> bool {
        self.code == message::INTERRUPTED
    }

    fn unread(unread: &Unread, columns: &[String]) -> Refused {
        let column = columns.get(unread.place).map_or("", String::as_str);
        let reason = format!(
            "column \"{column}\" has {} bytes; of a row, the columns that messages use have at most {MAX_ROW_BYTES} together",
            unread.bytes
        );
        let hint = "Leave it out of what the messages use, or shorten it in the model, as by left.";
        Refused::new("row_too_long", reason, Some(hint.to_owned()))
    }

    pub fn unknown_event(event: &str) -> Refused {
        let reason = format!("the event {event} is not published");
        Refused::new("unpublished_event", reason, None)
    }

    /// A queue that the row has chosen takes no messages.
    pub fn by_queue(failure: &Failure) -> Refused {
        let code = failure.code.as_deref().unwrap_or("queue_unusable");
        Refused::new(code, failure.message.clone(), failure.hint.clone())
    }
}

impl From<message::Rejection> for Refused {
    fn from(rejection: message::Rejection) -> Refused {
        let size = rejection.size.and_then(|size| i64::try_from(size).ok());
        Refused { size, ..Refused::new(rejection.code, rejection.reason, rejection.hint) }
    }
}

/// Renders a change by the run that found it. `columns` are the names of those that were read, and
/// `longest` is the most bytes that a queue takes.
pub fn render(
    definitions: &Definitions,
    columns: &[String],
    change: &ChangeRow,
    origin: &Origin,
    longest: impl Fn(&str) -> usize,
) -> std::result::Result<(Event, Message), Refused> {
    if let Some(unread) = &change.unread {
        return Err(Refused::unread(unread, columns));
    }
    let event: Event = change.event.parse().map_err(|_| Refused::unknown_event(&change.event))?;
    let definition = definitions.of(event).ok_or_else(|| Refused::unknown_event(&change.event))?;
    let run = Run { id: origin.run_id, started_at: &origin.started_at };
    let old = change.old.as_deref();
    let told = Change { id: change.id, event, row: &change.values, old, run };
    let rendered = match definition.render(&told) {
        Ok(message) => fits(message, longest),
        Err(rejection) => Err(rejection.into()),
    };
    match rendered {
        Ok(message) => Ok((event, message)),
        Err(refused) => Err(refused.with_message_id(definition.message_id(&told))),
    }
}

/// What is too long for its queue alone is not for ever: the queue's limit may be raised.
fn fits(
    message: Message,
    longest: impl Fn(&str) -> usize,
) -> std::result::Result<Message, Refused> {
    match limits::check_size(&message, longest(&message.queue)) {
        Ok(()) => Ok(message),
        Err(rejection) => Err(Refused { is_lasting: false, ..rejection.into() }),
    }
}

/// Where a row's key is among the columns that are read.
struct Key {
    names: Vec<String>,
    places: Vec<usize>,
}

impl Key {
    fn of(key: &[String], wanted: &Wanted) -> Key {
        let place = |name: &String| wanted.columns.iter().position(|c| c.name == *name);
        Key { names: key.to_vec(), places: key.iter().filter_map(place).collect() }
    }

    /// As a JSON object.
    fn of_row(&self, row: &[Value<'_>]) -> Option<String> {
        if let ([name], [place]) = (self.names.as_slice(), self.places.as_slice()) {
            return row_as_json(std::slice::from_ref(name), row.get(*place..=*place)?);
        }
        let values: Option<Vec<Value<'_>>> =
            self.places.iter().map(|place| row.get(*place).cloned()).collect();
        row_as_json(&self.names, &values?)
    }
}

/// A change that was read, of which the message is to be made.
pub struct Read {
    pub change: ChangeRow,
    pub in_doubt: bool,
}

/// Makes the messages of a run's changes.
pub struct Renderer {
    sync_id: i32,
    definitions: Definitions,
    /// The names of the columns that are read.
    columns: Vec<String>,
    origin: Origin,
    key: Key,
    /// Each message is to have its row's key beside it.
    with_keys: bool,
    facts: Facts,
    /// The events whose deduplication id is of the user's own.
    has_own_dedup_id: PerEvent<bool>,
    is_interrupted: bool,
}

impl Renderer {
    /// Asks at once what may be known of the queues that the definition names.
    pub fn new(
        sync: &Sync,
        definition: &Definition,
        definitions: Definitions,
        wanted: &Wanted,
        origin: Origin,
        sender: &Sender,
        connection: Connection,
    ) -> Renderer {
        let queues = definition.named_queues().into_iter().map(Arc::from).collect();
        let facts = Facts::ask(sender, connection, queues);
        let has_own_dedup_id = definition.has_own_dedup_id();
        Renderer {
            sync_id: sync.id,
            definitions,
            columns: columns::names(&wanted.columns),
            origin,
            key: Key::of(&sync.key, wanted),
            with_keys: false,
            facts,
            has_own_dedup_id,
            is_interrupted: false,
        }
    }

    pub fn set_with_keys(&mut self, with_keys: bool) {
        self.with_keys = with_keys;
    }

    /// Whether some messages have deduplication ids that must be claimed.
    pub fn claims_ids(&self) -> bool {
        self.has_own_dedup_id != PerEvent::default()
    }

    /// Whether a cancel, which cannot wait for a costly template, has kept some from being made.
    pub fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// The messages that are to be sent of the first of these changes, which are taken out: of as
    /// many as `room` bytes of messages are made of, and one more that passes them. An error means
    /// that none is to be sent.
    pub fn render(
        &mut self,
        changes: &mut VecDeque<Read>,
        room: usize,
        sender: &Sender,
        unsettled: &mut Settlement,
    ) -> Result<Vec<Entry>> {
        self.facts.look(sender);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while bytes < room
            && let Some(read) = changes.pop_front()
        {
            if let Some(entry) = self.entry(&read, unsettled) {
                bytes += entry.message.size();
                entries.push(entry);
            }
        }
        if !self.claims_ids() {
            return Ok(entries);
        }
        let (claiming, mut sendable): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|entry| self.has_own_id(entry));
        if !claiming.is_empty() {
            match self.claim(&claiming, sender) {
                Ok(claimed) => sendable.extend(claimed.apply(claiming, unsettled)),
                Err(error) => {
                    let unsent = claiming.iter().chain(&sendable).filter(|e| !e.about.was_in_doubt);
                    unsettled.add_unsent(unsent.map(|e| e.message.id).collect());
                    return Err(error);
                }
            }
            sendable.sort_by_key(|entry| entry.message.id);
        }
        Ok(sendable)
    }

    fn entry(&mut self, read: &Read, unsettled: &mut Settlement) -> Option<Entry> {
        let Read { change, in_doubt: was_in_doubt } = read;
        let was_in_doubt = *was_in_doubt;
        let longest = |queue: &str| self.facts.longest_message(queue);
        if self.is_interrupted {
            leave(change.id, was_in_doubt, unsettled);
            return None;
        }
        match render(&self.definitions, &self.columns, change, &self.origin, longest) {
            Ok((event, mut message)) => Some(Entry {
                message_id: message.message_id.take(),
                key: if self.with_keys { self.key.of_row(&change.values) } else { None },
                message: outgoing::of(change.id, message),
                about: Sent { event, was_in_doubt },
                not_before: None,
            }),
            Err(refused) if refused.is_interruption() => {
                self.is_interrupted = true;
                leave(change.id, was_in_doubt, unsettled);
                None
            }
            Err(refused) => {
                unsettled.add_refused(change.id, Refused { was_in_doubt, ..refused });
                None
            }
        }
    }

    fn has_own_id(&self, entry: &Entry) -> bool {
        entry.message.dedup_id.is_some() && *self.has_own_dedup_id.get(entry.about.event)
    }

    /// Claims the ids that the user gives to messages.
    fn claim(&mut self, entries: &[Entry], sender: &Sender) -> Result<claims::Claimed> {
        self.facts.await_answer(sender);
        let claimed = super::catalog_transaction(|| {
            claims::claim(self.sync_id, self.origin.run_id, entries, |queue| {
                self.facts.scope(queue)
            })
        })?;
        failpoint::reach("claimed");
        Ok(claimed)
    }
}

/// A change that this run does not send after all.
fn leave(change_id: i64, was_in_doubt: bool, unsettled: &mut Settlement) {
    if !was_in_doubt {
        unsettled.add_unsent(vec![change_id]);
    }
}
