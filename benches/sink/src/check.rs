//! What SQS refuses in a request (botocore's service model, SendMessageBatch; Amazon SQS Developer
//! Guide, "Amazon SQS message quotas"). The extension has its own checks: these would find them
//! missing.

use crate::error::{EntryError, RequestError};
use crate::wire::Entry;

const MAX_ENTRIES: usize = 10;
/// Of one message, and of all in a batch.
const MAX_BYTES: usize = 1_048_576;
const MAX_ENTRY_ID: usize = 80;
const MAX_TOKEN: usize = 128;
const MAX_ATTRIBUTES: usize = 10;
const MAX_DELAY_SECONDS: i64 = 900;

/// What is wrong with a batch as a whole.
pub(crate) fn batch(entries: &[Entry<'_>]) -> Result<(), RequestError> {
    let refused = |code, message| Err(RequestError::new(code, message));
    if entries.is_empty() {
        return refused("EmptyBatchRequest", "There should be at least one entry in the request.");
    }
    if entries.len() > MAX_ENTRIES {
        return refused("TooManyEntriesInBatchRequest", "Maximum number of entries is 10.");
    }
    if !entries.iter().all(|entry| is_entry_id(&entry.id)) {
        return refused(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
             It can be at most 80 letters long.",
        );
    }
    let is_repeated = |(at, entry): (usize, &Entry<'_>)| {
        entries.iter().take(at).any(|earlier| earlier.id == entry.id)
    };
    if entries.iter().enumerate().any(is_repeated) {
        return refused("BatchEntryIdsNotDistinct", "Two entries have the same id.");
    }
    if entries.iter().map(Entry::size).sum::<usize>() > MAX_BYTES {
        return refused(
            "BatchRequestTooLong",
            "Batch requests cannot be longer than 1048576 bytes.",
        );
    }
    Ok(())
}

/// A FIFO queue's messages need a group.
pub(crate) fn groups(entries: &[Entry<'_>], fifo: bool) -> Result<(), RequestError> {
    if fifo && entries.iter().any(|entry| entry.message_group_id.is_none()) {
        let message = "The request must contain the parameter MessageGroupId.";
        return Err(RequestError::new("MissingParameter", message));
    }
    Ok(())
}

/// What is wrong with one message.
pub(crate) fn entry(entry: &Entry<'_>, fifo: bool) -> Result<(), EntryError> {
    let invalid = |message: &'static str| Err(EntryError::sender("InvalidParameterValue", message));
    if entry.message_body.is_empty() {
        let message = "The request must contain the parameter MessageBody.";
        return Err(EntryError::sender("MissingParameter", message));
    }
    if entry.size() > MAX_BYTES {
        return invalid(
            "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
        );
    }
    if let Some(character) = first_invalid(&entry.message_body) {
        let message = format!(
            "Invalid binary character '#x{:X}' was found in the message body.",
            u32::from(character)
        );
        return Err(EntryError::sender("InvalidMessageContents", message));
    }
    if entry.message_group_id.as_ref().is_some_and(|group| !is_token(group)) {
        return invalid(
            "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        );
    }
    match &entry.message_deduplication_id {
        Some(_) if !fifo => {
            return invalid("MessageDeduplicationId is not valid for this queue type.");
        }
        Some(id) if !is_token(id) => {
            return invalid(
                "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
            );
        }
        _ => {}
    }
    match entry.delay_seconds {
        Some(1..) if fifo => return invalid("DelaySeconds is not valid for this queue type."),
        Some(delay) if !(0..=MAX_DELAY_SECONDS).contains(&delay) => {
            return invalid("DelaySeconds must be >= 0 and <= 900.");
        }
        _ => {}
    }
    attributes(entry)
}

fn attributes(entry: &Entry<'_>) -> Result<(), EntryError> {
    let invalid = |message| Err(EntryError::sender("InvalidParameterValue", message));
    if entry.message_attributes.len() > MAX_ATTRIBUTES {
        return invalid(
            "Number of message attributes exceeds the allowed maximum of 10.".to_owned(),
        );
    }
    for (name, attribute) in &entry.message_attributes {
        let kind = attribute.data_type.split('.').next().unwrap_or_default();
        if !matches!(kind, "String" | "Number" | "Binary") {
            return invalid(format!("The type of message attribute '{}' is invalid.", &**name));
        }
        if attribute.value().is_empty() {
            return invalid(format!("Message attribute '{}' must have a value.", &**name));
        }
    }
    Ok(())
}

fn is_entry_id(id: &str) -> bool {
    (1..=MAX_ENTRY_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// A group or deduplication id: printable ASCII without the space.
fn is_token(token: &str) -> bool {
    (1..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic())
}

/// XML 1.0's characters are the allowed ones. Nearly every body is told fit by its bytes alone.
fn first_invalid(body: &str) -> Option<char> {
    // U+FFFE and U+FFFF are the bytes EF BF BE and EF BF BF.
    if body.bytes().all(|b| b >= b' ' && b != 0xEF) {
        return None;
    }
    body.chars().find(|c| {
        !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
    })
}
