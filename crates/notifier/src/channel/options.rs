//! Which options there are, and the reading of their values. An error names an option and never
//! its value, which may be a secret under another's name.

use publisher::OptionError;

use super::Kind;
use crate::error;
use crate::nearest::nearest;

/// What has an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// The foreign server: everybody can read it.
    Server,
    /// The user mapping: where secrets are.
    Mapping,
}

impl Object {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Mapping => "user mapping",
        }
    }
}

/// An option of one kind of channel.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// For users; in Markdown.
    pub(super) means: &'static str,
    pub(super) object: Object,
    pub(super) required: bool,
    /// A superuser's to set.
    pub(super) superuser: bool,
}

impl Known {
    pub(super) const fn of_server(name: &'static str, means: &'static str) -> Self {
        Self { name, means, object: Object::Server, required: false, superuser: false }
    }

    pub(super) const fn of_mapping(name: &'static str, means: &'static str) -> Self {
        Self { name, means, object: Object::Mapping, required: false, superuser: false }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn superuser(self) -> Self {
        Self { superuser: true, ..self }
    }
}

/// The options of one object.
#[derive(Clone, Copy)]
pub(super) struct Options<'a>(pub(super) &'a [(String, String)]);

impl<'a> Options<'a> {
    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// One that [`check_names`] has seen to be there.
    pub(super) fn need(self, name: &str) -> Result<&'a str, OptionError> {
        self.get(name).ok_or_else(|| {
            error::missing(
                format!("option \"{name}\" is missing"),
                "Add it by ALTER … OPTIONS (ADD …).".to_owned(),
            )
        })
    }

    pub(super) fn is_true(self, name: &str) -> Result<bool, OptionError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(error::invalid(
                format!("option \"{name}\" is not true or false"),
                "Write 'true' or 'false'.",
            )),
        }
    }

    /// One of some words, the first of them if it is not given.
    pub(super) fn one_of<T: Copy>(
        self,
        name: &str,
        words: &[(&'static str, T)],
        otherwise: T,
    ) -> Result<T, OptionError> {
        let Some(given) = self.get(name) else {
            return Ok(otherwise);
        };
        words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            error::invalid(
                format!("unrecognized value of option \"{name}\""),
                format!("It is one of: {}.", all.join(", ")),
            )
        })
    }
}

/// Whether all options are known of this object and kind, and the required ones are there.
pub(super) fn check_names(
    kind: Kind,
    object: Object,
    options: &[(String, String)],
) -> Result<(), OptionError> {
    let of_object =
        || kind.options().iter().filter(|known| known.object == object).map(|known| known.name);
    let names: Vec<&str> = match object {
        Object::Server => std::iter::once("channel").chain(of_object()).collect(),
        Object::Mapping => of_object().collect(),
    };
    if let Some((name, _)) = options.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        return Err(unknown(kind, object, name, &names));
    }
    let is_given = |known: &&Known| options.iter().any(|(name, _)| name == known.name);
    let missing = kind
        .options()
        .iter()
        .find(|known| known.object == object && known.required && !is_given(known));
    missing.map_or(Ok(()), |known| {
        Err(error::missing(
            format!("option \"{}\" of the {} is missing", known.name, object.name()),
            all_of(kind, object, &names),
        ))
    })
}

fn unknown(kind: Kind, object: Object, name: &str, names: &[&str]) -> OptionError {
    let message =
        format!("invalid option \"{name}\" of a {} of the channel {}", object.name(), kind.name());
    let elsewhere = kind.options().iter().find(|known| known.name == name);
    let first = match (elsewhere, nearest(name, names.iter().copied())) {
        (Some(known), _) => format!("It belongs to the {}. ", known.object.name()),
        (None, Some(nearest)) => format!("Perhaps {nearest}? "),
        (None, None) => String::new(),
    };
    error::unknown(message, first + &all_of(kind, object, names))
}

fn all_of(kind: Kind, object: Object, names: &[&str]) -> String {
    let (object, kind) = (object.name(), kind.name());
    format!("Options of a {object} of the channel {kind} are: {}.", names.join(", "))
}

/// Of a mapping of which no option is known to any kind.
pub(super) fn unknown_everywhere(options: &[(String, String)]) -> Result<(), OptionError> {
    let of = |object: Object| {
        let all = Kind::ALL.into_iter().flat_map(Kind::options);
        all.filter(move |known| known.object == object).map(|known| known.name)
    };
    let Some((name, _)) = options.first() else {
        return Ok(());
    };
    let hint = if of(Object::Server).any(|known| known == name) || name == "channel" {
        "It belongs to the server.".to_owned()
    } else {
        let perhaps = nearest(name, of(Object::Mapping));
        let perhaps = perhaps.map(|n| format!("Perhaps {n}? ")).unwrap_or_default();
        let each = Kind::ALL.into_iter().filter_map(|kind| {
            let names = kind.options().iter().filter(|k| k.object == Object::Mapping);
            let names: Vec<&str> = names.map(|known| known.name).collect();
            (!names.is_empty()).then(|| format!("{}: {}", kind.name(), names.join(", ")))
        });
        let each: Vec<String> = each.collect();
        format!("{perhaps}Options of a user mapping are, of {}.", each.join("; of "))
    };
    Err(error::unknown(format!("invalid option \"{name}\" of a user mapping"), hint))
}

/// What holds of every value: it is not empty, and on one line. So none can begin a header.
pub(super) fn check_values(options: &[(String, String)]) -> Result<(), OptionError> {
    for (name, value) in options {
        if value.trim().is_empty() {
            return Err(error::invalid(
                format!("option \"{name}\" is empty"),
                "Give it a value, or leave it out.",
            ));
        }
        if value.chars().any(char::is_control) {
            return Err(error::invalid(
                format!("option \"{name}\" has a control character in it"),
                "Look for a line break or a tab that was pasted along.",
            ));
        }
    }
    Ok(())
}
