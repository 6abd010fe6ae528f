//! JSON as it is written into a message: text inside a string literal, and values.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::error::Rejection;
use crate::output::Output;
use crate::value::Value;

/// Writes text as the inside of a JSON string literal.
///
/// U+FFFE and U+FFFF are escaped too, although JSON does not ask for it: SQS refuses them as they
/// are, and the consumer reads the same text from the escape.
pub(crate) fn push_escaped(out: &mut Output, text: &str) -> Result<(), Rejection> {
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let (escape, length) = match byte {
            b'"' => ("\\\"", 1),
            b'\\' => ("\\\\", 1),
            b'\n' => ("\\n", 1),
            b'\r' => ("\\r", 1),
            b'\t' => ("\\t", 1),
            0x00..=0x1f => (control_escape(byte), 1),
            0xEF => match text.get(at..at + 3) {
                Some("\u{FFFE}") => ("\\ufffe", 3),
                Some("\u{FFFF}") => ("\\uffff", 3),
                _ => continue,
            },
            _ => continue,
        };
        out.push(text.get(written..at).unwrap_or_default())?;
        out.push(escape)?;
        written = at + length;
    }
    out.push(text.get(written..).unwrap_or_default())
}

/// The escapes of the control characters that have no short one of their own in [`push_escaped`].
const fn control_escape(byte: u8) -> &'static str {
    const ESCAPES: [&str; 32] = [
        "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007",
        "\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011",
        "\\u0012", "\\u0013", "\\u0014", "\\u0015", "\\u0016", "\\u0017", "\\u0018", "\\u0019",
        "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
    ];
    ESCAPES[(byte & 0x1f) as usize]
}

/// Writes text as a JSON string.
pub(crate) fn push_string(out: &mut Output, text: &str) -> Result<(), Rejection> {
    out.push("\"")?;
    push_escaped(out, text)?;
    out.push("\"")
}

/// Writes a value as JSON has it, text as a string: a field of a mapping.
pub(crate) fn push_value(out: &mut Output, value: &Value<'_>) -> Result<(), Rejection> {
    match value {
        Value::Null => out.push("null"),
        Value::Number(digits) if !is_finite(digits) => out.push("null"),
        Value::Bool(_) | Value::Number(_) | Value::Json(_) => out.push_plain(value),
        Value::Text(text) => push_string(out, text),
        Value::Bytes(_) => {
            let text = out.text_of(value)?;
            push_string(out, &text)
        }
    }
}

/// A row as a JSON object of its columns, in their order: what a field mapping of all of them
/// makes. None if that is longer than a message can be.
pub fn row_as_json(columns: &[String], row: &[Value<'_>]) -> Option<String> {
    let mut out = Output::default();
    let mut lead = "{";
    for (name, value) in columns.iter().zip(row) {
        let written = out
            .push(lead)
            .and_then(|()| push_string(&mut out, name))
            .and_then(|()| out.push(":"))
            .and_then(|()| push_value(&mut out, value));
        written.ok()?;
        lead = ",";
    }
    out.push(if lead == "{" { "{}" } else { "}" }).ok()?;
    Some(out.into_string())
}

/// Whether a number's digits are a number, not `NaN`, `Infinity` or `-Infinity`, which JSON lacks.
pub(crate) fn is_finite(digits: &str) -> bool {
    digits.strip_prefix('-').unwrap_or(digits).starts_with(|c: char| c.is_ascii_digit())
}

/// Whether text is exactly one JSON value, which blanks may surround.
///
/// `IgnoredAny` is read by serde_json without recursion, so the depth of the text does not matter.
pub(crate) fn is_one_value(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// A body without commas before `]` and `}`, which loops leave there.
pub(crate) fn tolerated(body: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut copied = 0;
    // Where a comma is after which there was nothing but white space.
    let mut comma = None;
    let (mut is_in_string, mut is_escaped) = (false, false);
    for (at, byte) in body.bytes().enumerate() {
        if is_in_string {
            is_in_string = byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b',' => comma = Some(at),
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b']' | b'}' => {
                if let Some(comma) = comma.take() {
                    kept.push_str(body.get(copied..comma).unwrap_or_default());
                    copied = comma + 1;
                }
            }
            _ => {
                comma = None;
                is_in_string = byte == b'"';
            }
        }
    }
    match copied {
        0 => Cow::Borrowed(body),
        _ => Cow::Owned(kept + body.get(copied..).unwrap_or_default()),
    }
}

/// Checks a finished body.
///
/// # Errors
///
/// A rejection `invalid_json` that tells where in the body it stops being JSON.
pub(crate) fn check_body(body: &str) -> Result<(), Rejection> {
    let Err(error) = serde_json::from_str::<IgnoredAny>(body) else {
        return Ok(());
    };
    // serde_json's words for a syntax error name what was expected and a place, never the input.
    Err(Rejection::new("invalid_json", format!("the body is not valid JSON: {error}"))
        .with_hint("Check the commas and the quotes around each output of the template."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Output::default();
        push_string(&mut out, text).unwrap();
        out.into_string()
    }

    proptest! {
        #[test]
        fn escaped_text_reads_back_as_it_was(text in any::<String>()) {
            let json = escaped(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn every_character_up_to_ffff_reads_back_and_is_one_that_sqs_takes() {
        for c in '\0'..='\u{FFFF}' {
            let json = escaped(&c.to_string());
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), c.to_string());
            assert!(json.chars().all(crate::limits::is_allowed), "{json:?}");
        }
    }

    #[test]
    fn numbers_that_json_lacks_are_null() {
        for (digits, json) in
            [("NaN", "null"), ("Infinity", "null"), ("-Infinity", "null"), ("-1.50", "-1.50")]
        {
            let mut out = Output::default();
            push_value(&mut out, &Value::Number(Cow::Borrowed(digits))).unwrap();
            assert_eq!(out.as_str(), json);
        }
    }

    #[test]
    fn a_row_is_an_object_of_its_columns() {
        let columns = ["id", "a \"b\"", "none"].map(str::to_owned);
        let row =
            [Value::Number(Cow::Borrowed("1.50")), Value::Text(Cow::Borrowed("x\ny")), Value::Null];
        assert_eq!(
            row_as_json(&columns, &row).unwrap(),
            r#"{"id":1.50,"a \"b\"":"x\ny","none":null}"#
        );
        assert_eq!(row_as_json(&[], &[]).unwrap(), "{}");
        let long = Value::Text(Cow::Owned("x".repeat(3_000_000)));
        assert_eq!(row_as_json(&columns, &[long]), None);
    }

    #[test]
    fn commas_before_closing_brackets_are_taken_out() {
        for (body, expected) in [
            ("[1,]", "[1]"),
            ("{\"a\":[1, \n],\n}", "{\"a\":[1 \n]\n}"),
            ("[\",]\",\"\\\",}\",]", "[\",]\",\"\\\",}\"]"),
            ("[1,2]", "[1,2]"),
            ("[,,]", "[,]"),
            ("[\"\\\\\",]", "[\"\\\\\"]"),
        ] {
            assert_eq!(tolerated(body), expected, "{body}");
        }
    }

    #[test]
    fn a_million_open_brackets_are_no_value_and_do_no_harm() {
        assert!(!is_one_value(&"[".repeat(1_000_000)));
        assert!(is_one_value(&("[".repeat(500_000) + &"]".repeat(500_000))));
    }
}
