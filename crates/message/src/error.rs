//! The two ways in which a message does not come about: the definition cannot be compiled (the
//! owner's to mend, told once, when it is written), or a row is rejected (told per row, at render).

use crate::change::Event;

/// What is wrong with a definition, so that the caller can choose an SQLSTATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A value that cannot be meant: 22023, `invalid_parameter_value`.
    Invalid,
    /// A column that the model does not have: 42703, `undefined_column`.
    UndefinedColumn,
    /// A queue that the connection does not allow: 42501, `insufficient_privilege`.
    NotAllowed,
}

/// A definition that cannot be compiled. Its `Display` is the message, in Postgres's style: it
/// begins in lower case and has no full stop.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", .fault.message)]
pub struct DefinitionError {
    property: &'static str,
    event: Option<Event>,
    fault: Fault,
}

impl DefinitionError {
    /// The option at fault, by its name in SQL: one of [`Property`](crate::Property), or `key`, or
    /// `body` where not one option but the choice among them is wrong.
    pub fn property(&self) -> &'static str {
        self.property
    }

    /// The event in whose definition the mistake is; none where it is in the sync's own.
    pub fn event(&self) -> Option<Event> {
        self.event
    }

    pub(crate) fn of_event(self, event: Event) -> DefinitionError {
        DefinitionError { event: Some(event), ..self }
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> ErrorKind {
        self.fault.kind
    }

    /// What to do about it, in whole sentences.
    pub fn hint(&self) -> Option<&str> {
        self.fault.hint.as_deref()
    }
}

/// What is wrong, before it is known which option it was found in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub kind: ErrorKind,
    pub message: String,
    pub hint: Option<String>,
}

impl Fault {
    pub fn invalid(message: impl Into<String>) -> Fault {
        Fault { kind: ErrorKind::Invalid, message: message.into(), hint: None }
    }

    pub fn not_allowed(message: impl Into<String>) -> Fault {
        Fault { kind: ErrorKind::NotAllowed, message: message.into(), hint: None }
    }

    pub fn undefined_column(message: impl Into<String>) -> Fault {
        Fault { kind: ErrorKind::UndefinedColumn, message: message.into(), hint: None }
    }

    pub fn with_hint(self, hint: impl Into<Option<String>>) -> Fault {
        Fault { hint: hint.into(), ..self }
    }

    /// The same fault, told as one of a part: `part: message`.
    pub fn within(self, part: &str) -> Fault {
        Fault { message: format!("{part}: {}", self.message), ..self }
    }

    pub fn on(self, property: &'static str) -> DefinitionError {
        DefinitionError { property, event: None, fault: self }
    }
}

/// What no row could make good is the definition's fault.
impl From<Rejection> for Fault {
    fn from(rejection: Rejection) -> Fault {
        Fault::invalid(rejection.reason).with_hint(rejection.hint)
    }
}

/// Why a row makes no message. It names a limit, a size, a code point, a column or an attribute,
/// and never shows the row's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// A stable word, in snake case, to select and count by.
    pub code: &'static str,
    /// What is wrong, in Postgres's style for messages.
    pub reason: String,
    /// What to do about it, in whole sentences.
    pub hint: Option<String>,
    /// Bytes of the message, if there is one: its size is what is wrong.
    pub size: Option<usize>,
}

impl Rejection {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Rejection {
        Rejection { code, reason: reason.into(), hint: None, size: None }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Rejection {
        Rejection { hint: Some(hint.into()), ..self }
    }

    /// The same, told as one of a part: `part: reason`.
    pub(crate) fn within(self, part: &str) -> Rejection {
        Rejection { reason: format!("{part}: {}", self.reason), ..self }
    }
}
