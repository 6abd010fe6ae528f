//! Text of a template's own values: borrowed from the row or the template, or shared.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

/// A text that costs nothing to copy.
#[derive(Clone, Debug)]
pub(in crate::template) enum Text<'a> {
    Slice(&'a str),
    Shared(Rc<String>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Slice(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text::Slice(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::Shared(Rc::new(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Text::Slice(text),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl<'a> Text<'a> {
    /// A part of the text that `cut` finds; not copied if the text is borrowed, or all of it.
    pub fn part(&self, cut: fn(&str) -> &str) -> Text<'a> {
        match self {
            Text::Slice(text) => Text::Slice(cut(text)),
            Text::Shared(text) => match cut(text) {
                part if part.len() == text.len() => self.clone(),
                part => part.to_owned().into(),
            },
        }
    }

    /// The text as a string, which is not copied if it is nobody else's.
    pub fn into_string(self) -> String {
        match self {
            Text::Slice(text) => text.to_owned(),
            Text::Shared(text) => Rc::unwrap_or_clone(text),
        }
    }
}
