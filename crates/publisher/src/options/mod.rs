//! The options of a connection, as a foreign server and a user mapping have them: which there are,
//! and what they may hold. An error names the option and never its value.

mod error;
mod mapping;
mod server;

pub use self::error::{OptionError, OptionFault};
pub use self::mapping::Mapping;
pub use self::server::{check_server, superuser_option};

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
        return Err(OptionError::unknown(message).hint(hint));
    }
    let lacking =
        known.iter().find(|k| k.required && !options.iter().any(|(name, _)| name == k.name));
    lacking.map_or(Ok(()), |known| Err(missing(object, known.name).hint(hint)))
}

fn missing(object: &str, name: &str) -> OptionError {
    OptionError::missing(format!("option \"{name}\" of the {object} is missing"))
}

fn check_filled(options: &[(String, String)]) -> Result<(), OptionError> {
    match options.iter().find(|(_, value)| value.trim().is_empty()) {
        Some((name, _)) => Err(OptionError::invalid(format!("option \"{name}\" is empty"))),
        None => Ok(()),
    }
}
