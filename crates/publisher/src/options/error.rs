//! What can be wrong with options.

use std::error::Error;
use std::fmt;

/// What is wrong with options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionFault {
    /// There is no option of that name, or not on this object.
    Unknown,
    /// One that is required is not given.
    Missing,
    /// Its value cannot be, or not beside another.
    Invalid,
}

/// Options that make no connection, no channel, or no condition. The message names the option and
/// never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    pub fault: OptionFault,
    /// In lower case, without a full stop.
    pub message: String,
    /// What to do, in sentences.
    pub hint: Option<String>,
}

impl OptionError {
    fn new(fault: OptionFault, message: String) -> Self {
        Self { fault, message, hint: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(OptionFault::Invalid, message.into())
    }

    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(OptionFault::Missing, message.into())
    }

    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(OptionFault::Unknown, message.into())
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for OptionError {}
