//! The rules for message attributes.

use super::number::check_number;
use super::{TextRule, check_characters, is_allowed};
use crate::error::Rejection;

/// The most attributes of a message.
/// Source: SQS Developer Guide, "Message metadata": each message can have up to 10 attributes.
pub const MAX_ATTRIBUTES: usize = 10;

/// An attribute's name, apart from where its full stops may be.
/// Source: SQS Developer Guide, "Message attribute components".
pub const ATTRIBUTE_NAME: TextRule = TextRule {
    what: "the name",
    code: "invalid_attribute_name",
    max_chars: 256,
    allowed: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'),
    takes: "only A-Z, a-z, 0-9, _, - and .",
    hint: "Choose another name.",
    hint_of_characters: None,
};

/// Prefixes that no attribute's name may have, in any case.
/// Source: SQS Developer Guide, "Message attribute components".
pub const RESERVED_ATTRIBUTE_PREFIXES: [&str; 2] = ["aws.", "amazon."];

/// An attribute's type, apart from what it begins with.
/// Source: SQS Developer Guide, "Message attribute components": up to 256 characters, "the same
/// restrictions as the message body".
pub const ATTRIBUTE_TYPE: TextRule = TextRule {
    what: "the type",
    code: "invalid_attribute_type",
    max_chars: 256,
    allowed: is_allowed,
    takes: "only characters that XML has",
    hint: "A type is String, Number or Binary, or one of these with a label, such as Number.cents.",
    hint_of_characters: None,
};

/// What SQS makes of an attribute's value.
/// Source: SQS Developer Guide, "Message attribute data types".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataType {
    String,
    Number,
    Binary,
}

impl DataType {
    /// Reads a type, with a label or without.
    pub fn parse(text: &str) -> Result<DataType, Rejection> {
        let fault = |reason: &str| {
            Rejection::new(ATTRIBUTE_TYPE.code, reason).with_hint(ATTRIBUTE_TYPE.hint)
        };
        ATTRIBUTE_TYPE.check(text)?;
        let (name, label) = match text.split_once('.') {
            Some((name, label)) => (name, Some(label)),
            None => (text, None),
        };
        if label == Some("") {
            return Err(fault("the type ends in a full stop, with no label after it"));
        }
        match name {
            "String" => Ok(DataType::String),
            "Number" => Ok(DataType::Number),
            "Binary" => Ok(DataType::Binary),
            _ => Err(fault("the type is not String, Number or Binary")),
        }
    }
}

/// Checks how many attributes a message has.
pub(crate) fn check_attribute_count(count: usize) -> Result<(), Rejection> {
    if count <= MAX_ATTRIBUTES {
        return Ok(());
    }
    let reason = format!("{count} attributes are more than SQS's limit of {MAX_ATTRIBUTES}");
    Err(Rejection::new("too_many_attributes", reason))
}

/// Checks an attribute's name.
pub(crate) fn check_attribute_name(name: &str) -> Result<(), Rejection> {
    ATTRIBUTE_NAME.check(name)?;
    let fault =
        |reason: &str| Rejection::new(ATTRIBUTE_NAME.code, reason).with_hint(ATTRIBUTE_NAME.hint);
    let begins_with = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if RESERVED_ATTRIBUTE_PREFIXES.iter().any(begins_with) {
        return Err(fault("the name begins with a prefix that AWS reserves"));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(fault("the name begins or ends with a full stop, or has two in a row"));
    }
    Ok(())
}

/// Checks the value of an attribute that is a text.
pub(crate) fn check_attribute_text(
    name: &str,
    data_type: DataType,
    text: &str,
) -> Result<(), Rejection> {
    if text.is_empty() {
        return Err(empty_attribute(name));
    }
    match data_type {
        DataType::Number => check_number(text).map_err(|fault| {
            let reason = format!("attribute {name:?}, a Number, {}", fault.reason);
            Rejection { reason, ..fault }
        }),
        DataType::String => check_characters(text, || format!("attribute {name:?}")),
        DataType::Binary => Ok(()),
    }
}

/// The rejection of an attribute without a value, of any type.
pub(crate) fn empty_attribute(name: &str) -> Rejection {
    let reason = format!("attribute {name:?} is empty, which SQS does not take");
    Rejection::new("empty_attribute", reason)
        .with_hint("Give it another value by {% if … %}{% else %}, or by coalesce in the model.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn attribute_names_follow_sqs_rules() {
        for good in ["a", "A-b_c.9", "aws", "Amazonian", &"x".repeat(256)] {
            check_attribute_name(good).unwrap();
        }
        let long = "x".repeat(257);
        for bad in
            ["", "a b", "é", ".a", "a.", "a..b", "AWS.x", "amazon.x", "aMaZoN.", "a\0", &long]
        {
            assert_eq!(check_attribute_name(bad).unwrap_err().code, "invalid_attribute_name");
        }
    }

    #[test]
    fn types_are_sqs_own_with_or_without_a_label() {
        for (text, expected) in [
            ("String", DataType::String),
            ("Number", DataType::Number),
            ("Binary", DataType::Binary),
            ("String.a label", DataType::String),
            ("Number.int.9", DataType::Number),
            ("Binary.é", DataType::Binary),
        ] {
            assert_eq!(DataType::parse(text).unwrap(), expected, "{text}");
        }
        DataType::parse(&format!("String.{}", "é".repeat(249))).unwrap();
        let long = format!("String.{}", "é".repeat(250));
        for bad in
            ["", "string", "Strin", "Stringy", "String.", "Text", "a.String", "String.\0", &long]
        {
            assert_eq!(DataType::parse(bad).unwrap_err().code, "invalid_attribute_type", "{bad}");
        }
        assert!(DataType::parse(&long).unwrap_err().reason.contains("257 characters"));
    }

    #[test]
    fn a_value_is_checked_by_its_type() {
        let rejection = check_attribute_text("origin", DataType::String, "").unwrap_err();
        assert_eq!(rejection.code, "empty_attribute");
        assert!(rejection.reason.contains("\"origin\""));
        let rejection = check_attribute_text("origin", DataType::String, "\u{ffff}").unwrap_err();
        assert_eq!(rejection.reason, "attribute \"origin\" holds U+FFFF, which SQS does not take");
        let rejection = check_attribute_text("total", DataType::Number, "ten").unwrap_err();
        assert_eq!(rejection.code, "invalid_number");
        assert!(rejection.reason.starts_with("attribute \"total\", a Number, "));
        check_attribute_text("total", DataType::Number, "-1.50").unwrap();
        check_attribute_text("photo", DataType::Binary, "\0").unwrap();
    }
}
