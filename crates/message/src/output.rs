//! Text that is being written, with a lid on it: a row cannot make a message, however its template
//! multiplies it, take more memory than this.

use std::borrow::Cow;

use crate::error::Rejection;
use crate::limits::MAX_MESSAGE_BYTES;
use crate::value::Value;

/// What may be written, in bytes. Above SQS's limit, so that the exact size of a message that is
/// somewhat too long can still be told.
pub(crate) const MAX_OUTPUT_BYTES: usize = 2 * 1024 * 1024;

/// What is taken in advance at most, in bytes.
const MAX_ROOM_BYTES: usize = 16 * 1024;

/// Text of at most [`MAX_OUTPUT_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Output(String);

impl Output {
    /// With room for so many bytes, if they are few, so that the text need not move as it grows.
    pub fn with_room(bytes: usize) -> Output {
        Output(String::with_capacity(bytes.min(MAX_ROOM_BYTES)))
    }

    pub fn push(&mut self, text: &str) -> Result<(), Rejection> {
        self.check_room(text.len())?;
        self.0.push_str(text);
        Ok(())
    }

    /// Writes a value as plain text.
    pub fn push_plain(&mut self, value: &Value<'_>) -> Result<(), Rejection> {
        match value.as_text() {
            Some(text) => self.push(text),
            None => {
                let text = self.text_of(value)?;
                self.push(&text)
            }
        }
    }

    /// A value's text, which is not made if it could not be written.
    pub fn text_of<'v>(&self, value: &'v Value<'_>) -> Result<Cow<'v, str>, Rejection> {
        self.check_room(value.text_len())?;
        Ok(value.text())
    }

    fn check_room(&self, bytes: usize) -> Result<(), Rejection> {
        if bytes <= MAX_OUTPUT_BYTES - self.0.len() {
            return Ok(());
        }
        let reason = format!("the message is longer than SQS's limit of {MAX_MESSAGE_BYTES} bytes");
        Err(Rejection::new("message_too_long", reason))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}
