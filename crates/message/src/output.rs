//! Text that is being written, with a lid on it: a row cannot make a message, however its template
//! multiplies it, take more memory than this.

use crate::error::Rejection;
use crate::limits::MAX_MESSAGE_BYTES;

/// What may be written, in bytes. Above SQS's limit, so that the exact size of a message that is
/// somewhat too long can still be told.
pub(crate) const MAX_OUTPUT_BYTES: usize = 2 * 1024 * 1024;

/// Text of at most [`MAX_OUTPUT_BYTES`].
#[derive(Debug, Default)]
pub(crate) struct Output(String);

impl Output {
    pub fn push(&mut self, text: &str) -> Result<(), Rejection> {
        if text.len() > MAX_OUTPUT_BYTES - self.0.len() {
            let reason =
                format!("the message is longer than SQS's limit of {MAX_MESSAGE_BYTES} bytes");
            return Err(Rejection::new("message_too_long", reason));
        }
        self.0.push_str(text);
        Ok(())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}
