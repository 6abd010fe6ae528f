//! A column's value, as Postgres printed it.

use std::borrow::Cow;

/// A column's value, borrowed from the row where it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// SQL's NULL.
    Null,
    /// A `boolean`.
    Bool(bool),
    /// Postgres's own digits of any numeric type, which may be `NaN`, `Infinity` or `-Infinity`.
    Number(Cow<'a, str>),
    /// Any value that is neither of the other kinds, as its type's output function prints it.
    Text(Cow<'a, str>),
    /// The text of a `json`, `jsonb` or array value. The caller promises that it is valid JSON.
    Json(Cow<'a, str>),
    /// The bytes of a `bytea`. Wherever text is due they are Postgres's hexadecimal form of them,
    /// `\x01ff`.
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// The same value, borrowed from this one.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(b) => Value::Bool(*b),
            Value::Number(digits) => Value::Number(Cow::Borrowed(digits)),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::Json(json) => Value::Json(Cow::Borrowed(json)),
            Value::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
        }
    }

    /// The value as plain text: NULL is empty, everything else is as Postgres has it.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self.as_text() {
            Some(text) => Cow::Borrowed(text),
            None => self.borrowed().into_text(),
        }
    }

    /// The same, without a copy of what is owned.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Value::Number(text) | Value::Text(text) | Value::Json(text) => text,
            Value::Bytes(bytes) => Cow::Owned(hexadecimal(&bytes)),
            Value::Null => Cow::Borrowed(""),
            Value::Bool(b) => Cow::Borrowed(bool_text(b)),
        }
    }

    /// The same, where it need not be made: for all but bytes.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Number(text) | Value::Text(text) | Value::Json(text) => Some(text),
            Value::Null => Some(""),
            Value::Bool(b) => Some(bool_text(*b)),
            Value::Bytes(_) => None,
        }
    }

    /// The length in bytes of the text.
    pub(crate) fn text_len(&self) -> usize {
        match self {
            Value::Bytes(bytes) => HEXADECIMAL_PREFIX.len() + 2 * bytes.len(),
            other => other.as_text().map_or(0, str::len),
        }
    }
}

const fn bool_text(b: bool) -> &'static str {
    if b { "true" } else { "false" }
}

const HEXADECIMAL_PREFIX: &str = "\\x";

/// Bytes as Postgres prints them under `bytea_output = hex`.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 0xf)]);
    let digits = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
    let mut text = String::with_capacity(HEXADECIMAL_PREFIX.len() + 2 * bytes.len());
    text.push_str(HEXADECIMAL_PREFIX);
    text.extend(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_printed_as_postgres_does() {
        let value = Value::Bytes(Cow::Borrowed(&[0, 1, 0xab, 0xff]));
        assert_eq!(value.text(), "\\x0001abff");
        assert_eq!(value.text_len(), value.text().len());
        assert_eq!(Value::Bytes(Cow::Borrowed(&[])).text(), "\\x");
    }
}
