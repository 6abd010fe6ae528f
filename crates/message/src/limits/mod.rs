//! SQS's rules for a message, checked a row at a time before the call, so that a bad row is named
//! with the limit that it breaks and never costs the good rows of its batch anything.
//!
//! | what | rule | where | source |
//! | --- | --- | --- | --- |
//! | message | 1 to 1,048,576 bytes: body, and names, types and values of attributes | [`MAX_MESSAGE_BYTES`] | SendMessage, MessageBody; "Message metadata" |
//! | the queue's own maximum | 1,024 to 1,048,576 bytes | [`check_size`] | CreateQueue, MaximumMessageSize |
//! | body | not empty | [`check_body`] | SendMessage, MessageBody |
//! | characters of body and String values | tab, LF, CR, U+0020 to U+D7FF, U+E000 to U+FFFD, from U+10000 | [`is_allowed`] | SendMessage, MessageBody |
//! | attributes | at most 10; name, type and value not empty | [`MAX_ATTRIBUTES`] | "Message metadata" |
//! | attribute name | 1 to 256 of `A-Za-z0-9_-.`, unique, no `.` at either end, no `..`, not `AWS.` or `Amazon.` at its beginning in any case | [`ATTRIBUTE_NAME`] | "Message metadata" |
//! | attribute type | `String`, `Number` or `Binary`, with `.label` or without; at most 256 characters | [`ATTRIBUTE_TYPE`] | "Message metadata" |
//! | Number | 38 digits, from 10^-128 to 10^126 | [`number`] | "Message metadata" |
//! | group id | 1 to 128 of ASCII letters, digits and punctuation; a FIFO queue needs one, a standard queue may have one (fair queues) | [`GROUP_ID`] | SendMessage, MessageGroupId |
//! | deduplication id | the same, for FIFO queues only | [`DEDUP_ID`] | SendMessage, MessageDeduplicationId |
//! | delay | 0 to 900 whole seconds, for standard queues only | [`MAX_DELAY_SECONDS`] | SendMessage, DelaySeconds |
//! | queue name | 1 to 80 of `A-Za-z0-9_-`, with `.fifo` at the end for a FIFO queue | [`check_queue_name`] | CreateQueue, QueueName |
//!
//! Sources: the operations of the SQS API reference, which botocore's service model carries word
//! for word; "Message metadata" is the page of that name of the SQS Developer Guide. What is ruled
//! about batches (10 entries, 1,048,576 bytes together, the entries' ids) is the publisher's.
//!
//! A rejection gives the limit, and the value's size or a code point of it, never the value.

mod attribute;
pub mod number;
mod text;

pub use attribute::{ATTRIBUTE_NAME, ATTRIBUTE_TYPE, MAX_ATTRIBUTES, RESERVED_ATTRIBUTE_PREFIXES};
pub(crate) use attribute::{
    DataType, check_attribute_count, check_attribute_name, check_attribute_text, empty_attribute,
};
pub use text::{DEDUP_ID, GROUP_ID, MAX_MESSAGE_ID_CHARS, MAX_QUEUE_NAME_CHARS, TextRule};
pub(crate) use text::{check_message_id, check_queue_characters, check_queue_name};

use crate::error::Rejection;
use crate::message::Message;
use crate::number::Decimal;

/// The largest message in bytes: body plus the name, type and value of each attribute.
/// Source: SQS API reference, SendMessage: "The minimum size is one byte and the maximum is
/// 1,048,576 bytes (1 MiB)". A queue's own `MaximumMessageSize` may be lower.
pub const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// The longest delay of a message, in seconds.
/// Source: SQS API reference, SendMessage, DelaySeconds: "Valid values: 0 to 900".
pub const MAX_DELAY_SECONDS: u16 = 900;

/// Checks a message's size against its queue's own `MaximumMessageSize`, which a definition does
/// not know.
///
/// # Errors
///
/// A rejection `message_too_long`.
pub fn check_size(message: &Message, max_bytes: usize) -> Result<(), Rejection> {
    let size = message.size();
    if size <= max_bytes {
        return Ok(());
    }
    let rejection = too_long(size, max_bytes);
    Err(match max_bytes < MAX_MESSAGE_BYTES {
        true => rejection.with_hint(
            "Shorten it in the model, or raise the queue's own MaximumMessageSize, which this is.",
        ),
        false => rejection.with_hint(SHORTEN),
    })
}

const SHORTEN: &str = "Shorten it in the model, or send a reference to where the data is.";

fn too_long(size: usize, max_bytes: usize) -> Rejection {
    let whose = if max_bytes < MAX_MESSAGE_BYTES { "its queue's" } else { "SQS's" };
    let reason = format!(
        "the message has {size} bytes, more than {whose} limit of {max_bytes} \
         for body and attributes together"
    );
    Rejection { size: Some(size), ..Rejection::new("message_too_long", reason) }
}

/// Checks the length in bytes of what alone would make a message too long: before it is copied, as
/// a column can hold a gigabyte.
pub(crate) fn check_part(what: impl FnOnce() -> String, bytes: usize) -> Result<(), Rejection> {
    if bytes <= MAX_MESSAGE_BYTES {
        return Ok(());
    }
    let reason =
        format!("{} has {bytes} bytes, more than SQS's limit of {MAX_MESSAGE_BYTES}", what());
    Err(Rejection::new("message_too_long", reason).with_hint(SHORTEN))
}

/// Checks a body by itself; its size counts together with the attributes'.
pub(crate) fn check_body(body: &str) -> Result<(), Rejection> {
    if body.is_empty() {
        return Err(Rejection::new("empty_body", "the body is empty, which SQS does not take")
            .with_hint("Leave such rows out of the model, or give the body another value."));
    }
    check_characters(body, || "the body".to_owned())
}

/// Whether SQS takes the character in a body or in a String value.
/// Source: SQS API reference, SendMessage, MessageBody: `#x9 | #xA | #xD | #x20 to #xD7FF |
/// #xE000 to #xFFFD | #x10000 to #x10FFFF`. (A Rust `char` is never a surrogate.)
pub const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

pub(crate) fn check_characters(text: &str, what: impl Fn() -> String) -> Result<(), Rejection> {
    // Bytes are looked at first, as nearly every text has none that could belong to a bad one; many
    // at once, without a branch for each.
    let suspect = |b: u8| (b == 0xEF) | ((b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r'));
    let any = |bytes: &[u8]| bytes.iter().fold(false, |found, byte| found | suspect(*byte));
    if !text.as_bytes().chunks(64).any(any) {
        return Ok(());
    }
    match text.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => {
            let reason =
                format!("{} holds U+{:04X}, which SQS does not take", what(), u32::from(c));
            Err(Rejection::new("invalid_character", reason)
                .with_hint("Remove it in the model, by translate or regexp_replace."))
        }
    }
}

/// Reads a delay: a whole number, which may be written with zeros after the point (as `numeric`
/// has them).
pub(crate) fn delay_seconds(text: &str) -> Result<u16, Rejection> {
    let whole = Decimal::parse(text).and_then(|number| number.to_u16());
    whole.filter(|seconds| *seconds <= MAX_DELAY_SECONDS).ok_or_else(|| {
        let reason = format!(
            "the delay is not a whole number of seconds from 0 to SQS's limit of {MAX_DELAY_SECONDS}"
        );
        Rejection::new("invalid_delay", reason)
            .with_hint("Bring it into these bounds in the model, such as by least(delay, 900)::int.")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::message::{Attribute, AttributeValue};

    fn message(body: String, attributes: &[(&str, &str)]) -> Message {
        let attribute = |(name, value): &(&str, &str)| Attribute {
            name: (*name).into(),
            data_type: "String".into(),
            value: AttributeValue::Text((*value).into()),
        };
        let attributes = attributes.iter().map(attribute).collect();
        Message {
            queue: "q".into(),
            body,
            attributes,
            group_id: Some("g".into()),
            dedup_id: None,
            delay_seconds: None,
            message_id: Some("m".to_owned()),
        }
    }

    #[test]
    fn a_message_may_have_exactly_the_limit_of_bytes_and_not_one_more() {
        let attributes = [("name", "value")];
        let rest = "name".len() + "String".len() + "value".len();
        let body = "é".repeat((MAX_MESSAGE_BYTES - rest) / 2);
        let odd = MAX_MESSAGE_BYTES - rest - body.len();
        let full = message(body + &"x".repeat(odd), &attributes);
        assert_eq!(full.size(), MAX_MESSAGE_BYTES);
        check_size(&full, MAX_MESSAGE_BYTES).unwrap();

        let over = message(full.body + "x", &attributes);
        let rejection = check_size(&over, MAX_MESSAGE_BYTES).unwrap_err();
        assert_eq!(rejection.code, "message_too_long");
        assert!(rejection.reason.contains("1048577"), "{}", rejection.reason);
        assert!(rejection.reason.contains("SQS's limit of 1048576"), "{}", rejection.reason);
    }

    #[test]
    fn a_queues_own_maximum_is_named_as_its_own() {
        let small = message("x".repeat(1020), &[]);
        check_size(&small, 1024).unwrap();
        let rejection = check_size(&message("x".repeat(1025), &[]), 1024).unwrap_err();
        assert!(rejection.reason.contains("1025 bytes, more than its queue's limit of 1024"));
        assert!(rejection.hint.unwrap().contains("MaximumMessageSize"));
    }

    #[test]
    fn an_empty_body_is_rejected() {
        assert_eq!(check_body("").unwrap_err().code, "empty_body");
    }

    #[test]
    fn a_character_that_sqs_refuses_is_named_with_its_place() {
        let rejection = check_body("a\u{b}").unwrap_err();
        assert_eq!(rejection.code, "invalid_character");
        assert_eq!(rejection.reason, "the body holds U+000B, which SQS does not take");
        check_body("\t\n\r\u{7f}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}").unwrap();
    }

    #[test]
    fn a_bad_character_is_found_wherever_it_is() {
        for at in 0..200 {
            for bad in ["\u{1}", "\u{ffff}"] {
                let body =
                    "é".repeat(at / 2) + &"x".repeat(at % 2) + bad + &"\u{f8ff}".repeat(at % 7);
                assert_eq!(check_body(&body).unwrap_err().code, "invalid_character", "{at}");
            }
        }
    }

    #[test]
    fn a_delay_is_a_whole_number_up_to_900() {
        for (text, seconds) in
            [("0", 0), ("900", 900), ("30.000000", 30), ("007", 7), ("1e2", 100), ("-0", 0)]
        {
            assert_eq!(delay_seconds(text).unwrap(), seconds, "{text}");
        }
        for bad in ["", " 1", "901", "-1", "0.5", "1e-1", "1e9", "65537", "NaN", "Infinity", "1m"] {
            let rejection = delay_seconds(bad).unwrap_err();
            assert_eq!(rejection.code, "invalid_delay", "{bad}");
            assert!(rejection.reason.contains("900"), "{bad}");
        }
    }
}
