//! SQS's limits on a message's body and attributes, each with the source that states it. They are
//! checked before the call, so that a bad row is named with the limit that it breaks and never
//! costs the good rows of its batch anything.

use crate::error::Rejection;
use crate::message::{Attribute, Message};

/// The largest message in bytes: body plus the name, type and value of each attribute.
/// Source: SQS API reference, SendMessage: "The minimum size is one byte and the maximum is
/// 1,048,576 bytes (1 MiB)". A queue's own `MaximumMessageSize` may be lower.
pub const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// The most attributes of a message.
/// Source: SQS Developer Guide, "Message metadata": each message can have up to 10 attributes.
pub const MAX_ATTRIBUTES: usize = 10;

/// The longest name of an attribute, in characters (which are ASCII, so bytes).
/// Source: SQS Developer Guide, "Message attribute components": up to 256 characters long.
pub const MAX_ATTRIBUTE_NAME_CHARS: usize = 256;

/// Prefixes that no attribute's name may have, in any case.
/// Source: SQS Developer Guide, "Message attribute components".
pub const RESERVED_ATTRIBUTE_PREFIXES: [&str; 2] = ["aws.", "amazon."];

/// Checks everything that SQS asks of a body and its attributes.
///
/// # Errors
///
/// A rejection with one of the codes `empty_body`, `invalid_character`, `message_too_long`,
/// `too_many_attributes`, `invalid_attribute_name`, `empty_attribute`.
pub fn check(message: &Message) -> Result<(), Rejection> {
    if message.body.is_empty() {
        return Err(Rejection::new("empty_body", "the body is empty, which SQS does not take"));
    }
    check_size(message)?;
    check_characters(&message.body, || "the body".to_owned())?;
    check_attributes(&message.attributes)
}

fn check_size(message: &Message) -> Result<(), Rejection> {
    let size = message.size();
    if size > MAX_MESSAGE_BYTES {
        let reason = format!(
            "the message has {size} bytes, more than SQS's limit of {MAX_MESSAGE_BYTES} \
             for body and attributes together"
        );
        return Err(Rejection::new("message_too_long", reason));
    }
    Ok(())
}

fn check_attributes(attributes: &[Attribute]) -> Result<(), Rejection> {
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(Rejection::new("too_many_attributes", too_many_attributes(attributes.len())));
    }
    for (index, Attribute { name, value }) in attributes.iter().enumerate() {
        check_attribute_name(name).map_err(|e| Rejection::new("invalid_attribute_name", e))?;
        if attributes.iter().take(index).any(|earlier| earlier.name == *name) {
            let reason = format!("attribute name {name:?} is given twice");
            return Err(Rejection::new("invalid_attribute_name", reason));
        }
        if value.is_empty() {
            let reason = format!("attribute {name:?} is empty, which SQS does not take");
            return Err(Rejection::new("empty_attribute", reason));
        }
        check_characters(value, || format!("attribute {name:?}"))?;
    }
    Ok(())
}

/// The words for more attributes than [`MAX_ATTRIBUTES`].
pub(crate) fn too_many_attributes(count: usize) -> String {
    format!("{count} attributes are more than SQS's limit of {MAX_ATTRIBUTES}")
}

/// Checks an attribute's name; what is wrong with it is the error.
/// Source: SQS Developer Guide, "Message attribute components".
pub(crate) fn check_attribute_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("an attribute's name cannot be empty".to_owned());
    }
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || "_-.".contains(*c))) {
        return Err(format!(
            "attribute name {name:?} holds U+{:04X}: SQS takes only A-Z, a-z, 0-9, _, - and .",
            u32::from(c)
        ));
    }
    if name.len() > MAX_ATTRIBUTE_NAME_CHARS {
        return Err(format!(
            "attribute name {name:?} has {} characters, more than SQS's limit of {}",
            name.len(),
            MAX_ATTRIBUTE_NAME_CHARS
        ));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED_ATTRIBUTE_PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        return Err(format!("attribute name {name:?} begins with a prefix that AWS reserves"));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(format!(
            "attribute name {name:?} cannot begin or end with a full stop, nor have two in a row"
        ));
    }
    Ok(())
}

/// Whether SQS takes the character in a body or in a String value.
/// Source: SQS API reference, SendMessage, MessageBody: `#x9 | #xA | #xD | #x20 to #xD7FF |
/// #xE000 to #xFFFD | #x10000 to #x10FFFF`. (A Rust `char` is never a surrogate.)
pub const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

fn check_characters(text: &str, place: impl Fn() -> String) -> Result<(), Rejection> {
    // Bytes are looked at first, as nearly every text has none that could belong to a bad one.
    let suspect = |b: u8| b == 0xEF || (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'));
    if !text.bytes().any(suspect) {
        return Ok(());
    }
    match text.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => {
            let reason =
                format!("{} holds U+{:04X}, which SQS does not take", place(), u32::from(c));
            Err(Rejection::new("invalid_character", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(body: &str, attributes: &[(&str, &str)]) -> Message {
        let attributes = attributes
            .iter()
            .map(|(n, v)| Attribute { name: (*n).to_owned(), value: (*v).to_owned() })
            .collect();
        Message { body: body.to_owned(), attributes }
    }

    #[test]
    fn a_message_may_have_exactly_the_limit_of_bytes_and_not_one_more() {
        let attributes = [("name", "value")];
        let rest = "name".len() + "String".len() + "value".len();
        let body = "é".repeat((MAX_MESSAGE_BYTES - rest) / 2);
        let odd = MAX_MESSAGE_BYTES - rest - body.len();
        let full = message(&(body + &"x".repeat(odd)), &attributes);
        assert_eq!(full.size(), MAX_MESSAGE_BYTES);
        check(&full).unwrap();

        let over = message(&(full.body + "x"), &attributes);
        let rejection = check(&over).unwrap_err();
        assert_eq!(rejection.code, "message_too_long");
        assert!(rejection.reason.contains("1048577"), "{}", rejection.reason);
        assert!(rejection.reason.contains("1048576"), "{}", rejection.reason);
    }

    #[test]
    fn an_empty_body_is_rejected() {
        assert_eq!(check(&message("", &[])).unwrap_err().code, "empty_body");
    }

    #[test]
    fn a_character_that_sqs_refuses_is_named_with_its_place() {
        let rejection = check(&message("a\u{b}", &[])).unwrap_err();
        assert_eq!(rejection.code, "invalid_character");
        assert_eq!(rejection.reason, "the body holds U+000B, which SQS does not take");
        let rejection = check(&message("a", &[("origin", "\u{ffff}")])).unwrap_err();
        assert_eq!(rejection.reason, "attribute \"origin\" holds U+FFFF, which SQS does not take");
        check(&message("\t\n\r\u{7f}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}", &[])).unwrap();
    }

    #[test]
    fn eleven_attributes_are_rejected() {
        let names: Vec<String> = (0..11).map(|i| format!("n{i}")).collect();
        let pairs: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "v")).collect();
        check(&message("b", &pairs[..10])).unwrap();
        assert_eq!(check(&message("b", &pairs)).unwrap_err().code, "too_many_attributes");
    }

    #[test]
    fn attribute_names_follow_sqs_rules() {
        for good in ["a", "A-b_c.9", "aws", "Amazonian", &"x".repeat(256)] {
            check_attribute_name(good).unwrap();
        }
        let long = "x".repeat(257);
        for bad in ["", "a b", "é", ".a", "a.", "a..b", "AWS.x", "amazon.x", "a\0", &long] {
            check_attribute_name(bad).unwrap_err();
        }
        let twice = check(&message("b", &[("a", "1"), ("a", "2")])).unwrap_err();
        assert_eq!(twice.code, "invalid_attribute_name");
    }

    #[test]
    fn an_empty_attribute_is_rejected_by_name() {
        let rejection = check(&message("b", &[("origin", "")])).unwrap_err();
        assert_eq!(rejection.code, "empty_attribute");
        assert!(rejection.reason.contains("\"origin\""));
    }
}
