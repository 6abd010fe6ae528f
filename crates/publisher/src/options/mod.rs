//! The options of a connection, as a foreign server and a user mapping have them: which there are,
//! and what they may hold. An error names the option and never its value.

mod mapping;
mod server;

use std::error::Error;
use std::fmt;

pub use self::mapping::Mapping;
pub use self::server::{check_server, superuser_option};

/// What is wrong with options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionFault {
    /// There is no option of that name on this object.
    Unknown,
    /// One that is required is not given.
    Missing,
    /// Its value cannot be, or not beside another.
    Invalid,
}

/// Options that make no connection.
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

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(OptionFault::Invalid, message.into())
    }

    fn missing(object: &str, name: &str) -> Self {
        let message = format!("option \"{name}\" of the {object} is missing");
        Self::new(OptionFault::Missing, message)
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for OptionError {}

/// An option that there is.
pub struct Known {
    pub name: &'static str,
    pub required: bool,
    /// For users, in Markdown.
    pub means: &'static str,
}

impl Known {
    const fn optional(name: &'static str, means: &'static str) -> Self {
        Self { name, required: false, means }
    }
}

const SERVER: &str = "server";
const USER_MAPPING: &str = "user mapping";

/// All options, each with what it is an option of.
pub fn options() -> impl Iterator<Item = (&'static str, &'static Known)> {
    let objects = [(SERVER, server::KNOWN), (USER_MAPPING, mapping::KNOWN)];
    objects.into_iter().flat_map(|(object, list)| list.iter().map(move |known| (object, known)))
}

fn check_names(
    object: &str,
    known: &[Known],
    options: &[(String, String)],
) -> Result<(), OptionError> {
    let names: Vec<&str> = known.iter().map(|k| k.name).collect();
    let hint = format!("Options of a {object} are: {}.", names.join(", "));
    if let Some((name, _)) = options.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        let message = format!("invalid option \"{name}\" of a {object}");
        return Err(OptionError::new(OptionFault::Unknown, message).hint(hint));
    }
    let missing =
        known.iter().find(|k| k.required && !options.iter().any(|(name, _)| name == k.name));
    missing.map_or(Ok(()), |known| Err(OptionError::missing(object, known.name).hint(hint)))
}

fn check_filled(options: &[(String, String)]) -> Result<(), OptionError> {
    match options.iter().find(|(_, value)| value.trim().is_empty()) {
        Some((name, _)) => Err(OptionError::invalid(format!("option \"{name}\" is empty"))),
        None => Ok(()),
    }
}
