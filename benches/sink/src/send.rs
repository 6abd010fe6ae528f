//! SendMessageBatch and SendMessage: the way of a request through its faults to its answer.
//!
//! Answers are written by hand: they are most of what there is to do.

use std::time::Duration;

use serde_json::json;

use crate::answer::{Answer, Ending};
use crate::chance::{Dice, Fault};
use crate::check;
use crate::digest;
use crate::error::{EntryError, RequestError};
use crate::queue::{MessageId, Queue};
use crate::wire::Entry;

/// About what one accepted entry takes in the answer.
const ENTRY_BYTES: usize = 160;
/// Longer than any client waits.
const NEVER: Duration = Duration::from_secs(86_400);

/// What a request's fate is about.
struct Request<'a> {
    entries: &'a [Entry<'a>],
    dice: Dice,
    /// Since the sink started.
    now: Duration,
}

pub(crate) fn batch(queue: &mut Queue, entries: &[Entry<'_>], now: Duration) -> Answer {
    answer(queue, entries, now, |queue, request| {
        check::batch(request.entries).inspect_err(|_| queue.incidents.invalid_requests += 1)?;
        queue.admit(request.entries, request.dice, now)?;
        Ok(take_all(queue, request))
    })
}

pub(crate) fn single(queue: &mut Queue, entry: Entry<'_>, now: Duration) -> Answer {
    answer(queue, &[entry], now, |queue, request| {
        queue.admit(request.entries, request.dice, now)?;
        take_one(queue, request).map_err(RequestError::of_entry)
    })
}

/// What all requests meet: resets, latency, cuts.
fn answer(
    queue: &mut Queue,
    entries: &[Entry<'_>],
    now: Duration,
    accept: impl FnOnce(&mut Queue, &Request<'_>) -> Result<Vec<u8>, RequestError>,
) -> Answer {
    let request = Request { entries, dice: queue.begin(), now };
    let dice = request.dice;
    if dice.falls(Fault::ResetBefore, queue.settings().reset_before_share) {
        queue.incidents.resets_before += 1;
        return Answer::reset();
    }
    if dice.falls(Fault::Unavailable, queue.settings().unavailable_share) {
        queue.incidents.unavailable += 1;
        return Answer::error(&RequestError::unavailable());
    }
    let answer = match accept(queue, &request) {
        Err(error) => Answer::error(&error),
        Ok(body) => Answer::ok(body).ending(ending(queue, dice)),
    };
    let hangs = dice.falls(Fault::Hang, queue.settings().hang_share);
    queue.incidents.hangs += u64::from(hangs);
    answer.after(if hangs { NEVER } else { Duration::from_millis(queue.settings().latency_ms) })
}

/// How the connection fares after messages were accepted.
fn ending(queue: &mut Queue, dice: Dice) -> Ending {
    if dice.falls(Fault::ResetAfter, queue.settings().reset_after_share) {
        queue.incidents.resets_after += 1;
        Ending::Reset
    } else if dice.falls(Fault::Cut, queue.settings().cut_share) {
        queue.incidents.cut_answers += 1;
        Ending::Cut
    } else {
        Ending::Whole
    }
}

fn take_all(queue: &mut Queue, request: &Request<'_>) -> Vec<u8> {
    let Request { entries, dice, now } = *request;
    let missing = dice
        .falls(Fault::Missing, queue.settings().missing_share)
        .then(|| dice.pick(Fault::MissingEntry, entries.len()));
    let mut lists = Lists::new(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        if missing == Some(index) {
            queue.incidents.missing_entries += 1;
            if dice.falls(Fault::MissingAccepted, 0.5) {
                let _unanswered = queue.take(entry, index, dice, now);
            }
            continue;
        }
        match queue.take(entry, index, dice, now) {
            Ok(id) => lists.succeed(entry, id, queue.is_fifo()),
            Err(error) => lists.fail(entry, &error),
        }
    }
    lists.into_body()
}

fn take_one(queue: &mut Queue, request: &Request<'_>) -> Result<Vec<u8>, EntryError> {
    let mut body = Vec::with_capacity(ENTRY_BYTES);
    for entry in request.entries {
        let id = queue.take(entry, 0, request.dice, request.now)?;
        body.push(b'{');
        push_accepted(&mut body, entry, id, queue.is_fifo());
        body.push(b'}');
    }
    Ok(body)
}

/// A batch's two lists.
struct Lists {
    successful: Vec<u8>,
    failed: Vec<u8>,
}

impl Lists {
    fn new(entries: usize) -> Self {
        let mut successful = Vec::with_capacity(ENTRY_BYTES * (entries + 1));
        successful.extend_from_slice(b"{\"Successful\":[");
        Self { successful, failed: Vec::new() }
    }

    fn succeed(&mut self, entry: &Entry<'_>, id: MessageId, fifo: bool) {
        let list = &mut self.successful;
        if list.ends_with(b"}") {
            list.push(b',');
        }
        list.extend_from_slice(b"{\"Id\":\"");
        // Checked: nothing in it needs an escape.
        list.extend_from_slice(entry.id.as_bytes());
        list.extend_from_slice(b"\",");
        push_accepted(list, entry, id, fifo);
        list.push(b'}');
    }

    fn fail(&mut self, entry: &Entry<'_>, error: &EntryError) {
        if !self.failed.is_empty() {
            self.failed.push(b',');
        }
        let failed = json!({
            "Id": *entry.id,
            "Code": error.code,
            "SenderFault": error.sender_fault,
            "Message": error.message,
        });
        self.failed.extend_from_slice(failed.to_string().as_bytes());
    }

    fn into_body(self) -> Vec<u8> {
        let mut body = self.successful;
        body.extend_from_slice(b"],\"Failed\":[");
        body.extend_from_slice(&self.failed);
        body.extend_from_slice(b"]}");
        body
    }
}

fn push_accepted(to: &mut Vec<u8>, entry: &Entry<'_>, id: MessageId, fifo: bool) {
    to.extend_from_slice(b"\"MessageId\":\"");
    to.extend_from_slice(id.text().as_bytes());
    to.extend_from_slice(b"\",\"MD5OfMessageBody\":\"");
    to.extend_from_slice(&digest::of_body(&entry.message_body));
    if let Some(digest) = digest::of_attributes(&entry.message_attributes) {
        to.extend_from_slice(b"\",\"MD5OfMessageAttributes\":\"");
        to.extend_from_slice(&digest);
    }
    if fifo {
        to.extend_from_slice(b"\",\"SequenceNumber\":\"");
        to.extend_from_slice(id.sequence().as_bytes());
    }
    to.push(b'"');
}
