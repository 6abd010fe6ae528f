//! Filters: what a template can make of a value. Each pays for what it does before it does it, and
//! none knows anything but its input.

mod array;
mod choose;
mod date;
mod encode;
mod markup;
mod number;
mod text;

pub(super) use array::{first, last};

use super::value::{Number, Text, Val, check_text};
use super::work::Work;
use crate::error::{Fault, Rejection};
use crate::names::suggestion;

/// A filter as a template can name it.
#[derive(Debug)]
pub(super) struct Filter {
    pub name: &'static str,
    /// The least and the most arguments.
    arguments: (usize, usize),
    /// The argument that has a name.
    named: Option<&'static str>,
    pub apply: Apply,
}

type Apply = for<'a> fn(Input<'a>, &mut Work) -> Made<'a>;

/// What a filter makes, or why it cannot.
pub(super) type Made<'a> = Result<Val<'a>, Rejection>;

/// What a filter is given.
pub(super) struct Input<'a> {
    pub value: Val<'a>,
    first: Option<Val<'a>>,
    second: Option<Val<'a>>,
    pub named: Option<Val<'a>>,
    /// When the run began.
    now: &'a str,
}

const fn filter(name: &'static str, arguments: (usize, usize), apply: Apply) -> Filter {
    Filter { name, arguments, named: None, apply }
}

/// Every filter.
pub(super) static FILTERS: [Filter; 60] = [
    filter("abs", (0, 0), number::abs),
    filter("append", (1, 1), text::append),
    filter("at_least", (1, 1), number::at_least),
    filter("at_most", (1, 1), number::at_most),
    filter("base64_decode", (0, 0), encode::base64_decode),
    filter("base64_encode", (0, 0), encode::base64_encode),
    filter("base64_url_safe_decode", (0, 0), encode::base64_url_safe_decode),
    filter("base64_url_safe_encode", (0, 0), encode::base64_url_safe_encode),
    filter("capitalize", (0, 0), text::capitalize),
    filter("ceil", (0, 0), number::ceil),
    filter("compact", (0, 1), array::compact),
    filter("concat", (1, 1), array::concat),
    filter("date", (1, 2), date::date),
    Filter {
        name: "default",
        arguments: (0, 1),
        named: Some("allow_false"),
        apply: choose::default,
    },
    filter("divided_by", (1, 1), number::divided_by),
    filter("downcase", (0, 0), text::downcase),
    filter("escape", (0, 0), markup::escape),
    filter("escape_once", (0, 0), markup::escape_once),
    filter("find", (1, 2), choose::find),
    filter("find_index", (1, 2), choose::find_index),
    filter("first", (0, 0), array::first_of),
    filter("floor", (0, 0), number::floor),
    filter("has", (1, 2), choose::has),
    filter("join", (0, 1), array::join),
    filter("json", (0, 0), encode::json),
    filter("last", (0, 0), array::last_of),
    filter("lstrip", (0, 0), text::lstrip),
    filter("map", (1, 1), array::map),
    filter("minus", (1, 1), number::minus),
    filter("modulo", (1, 1), number::modulo),
    filter("newline_to_br", (0, 0), markup::newline_to_br),
    filter("plus", (1, 1), number::plus),
    filter("prepend", (1, 1), text::prepend),
    filter("reject", (1, 2), choose::reject),
    filter("remove", (1, 1), text::replace),
    filter("remove_first", (1, 1), text::replace_first),
    filter("remove_last", (1, 1), text::replace_last),
    filter("replace", (1, 2), text::replace),
    filter("replace_first", (1, 2), text::replace_first),
    filter("replace_last", (2, 2), text::replace_last),
    filter("reverse", (0, 0), array::reverse),
    filter("round", (0, 1), number::round),
    filter("rstrip", (0, 0), text::rstrip),
    filter("size", (0, 0), array::size),
    filter("slice", (1, 2), text::slice),
    filter("sort", (0, 1), array::sort),
    filter("sort_natural", (0, 1), array::sort_natural),
    filter("split", (1, 1), text::split),
    filter("strip", (0, 0), text::strip),
    filter("strip_html", (0, 0), markup::strip_html),
    filter("strip_newlines", (0, 0), markup::strip_newlines),
    filter("sum", (0, 1), array::sum),
    filter("times", (1, 1), number::times),
    filter("truncate", (0, 2), text::truncate),
    filter("truncatewords", (0, 2), text::truncatewords),
    filter("uniq", (0, 1), array::uniq),
    filter("upcase", (0, 0), text::upcase),
    filter("url_decode", (0, 0), encode::url_decode),
    filter("url_encode", (0, 0), encode::url_encode),
    filter("where", (1, 2), choose::where_),
];

/// The filter of a name.
///
/// # Errors
///
/// There is none; the nearest is suggested.
pub(super) fn named(name: &str) -> Result<&'static Filter, Fault> {
    FILTERS.iter().find(|filter| filter.name == name).ok_or_else(|| {
        let names: Vec<&str> = FILTERS.iter().map(|filter| filter.name).collect();
        Fault::invalid(format!("unknown filter {name:?}")).with_hint(suggestion(name, &names))
    })
}

impl Filter {
    /// Whether it has an argument of this name.
    pub fn takes(&self, name: &str) -> bool {
        self.named == Some(name)
    }

    /// Checks how many arguments it is given.
    pub fn check_count(&self, given: usize) -> Result<(), Fault> {
        let (least, most) = self.arguments;
        let takes = match (least, most) {
            _ if (least..=most).contains(&given) => return Ok(()),
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            _ if least == most => format!("{most} arguments"),
            _ => format!("{least} to {most} arguments"),
        };
        Err(Fault::invalid(format!("filter {:?} takes {takes}, not {given}", self.name)))
    }
}

impl<'a> Input<'a> {
    pub fn of(value: Val<'a>, now: &'a str) -> Input<'a> {
        Input { value, first: None, second: None, named: None, now }
    }

    pub fn push(&mut self, argument: Val<'a>) {
        match self.first {
            None => self.first = Some(argument),
            Some(_) => self.second = Some(argument),
        }
    }

    /// The value as text.
    fn text(&self, work: &mut Work) -> Result<Text<'a>, Rejection> {
        self.value.to_text(work)
    }

    /// The first argument as text; without one it is empty.
    fn first_text(&self, work: &mut Work) -> Result<Text<'a>, Rejection> {
        text_of(self.first.as_ref(), "", work)
    }

    /// The second argument as text, or what is meant without one.
    fn second_text(&self, without: &'static str, work: &mut Work) -> Result<Text<'a>, Rejection> {
        text_of(self.second.as_ref(), without, work)
    }
}

fn text_of<'a>(
    argument: Option<&Val<'a>>,
    without: &'static str,
    work: &mut Work,
) -> Result<Text<'a>, Rejection> {
    argument.map_or(Ok(Text::Slice(without)), |argument| argument.to_text(work))
}

/// The number that a value is; 0 if it is none.
fn number_of<'a>(value: &Val<'a>, work: &mut Work) -> Result<Number<'a>, Rejection> {
    Ok(value.to_number(work)?.unwrap_or(Number::Int(0)))
}

/// A whole number that an argument must be.
fn whole(argument: &Val<'_>, what: &str, work: &mut Work) -> Result<i64, Rejection> {
    let whole = match argument.to_number(work)? {
        Some(number) if !number.text().contains('.') => number.to_int(work)?,
        _ => None,
    };
    whole.ok_or_else(|| Rejection::new("template_error", format!("{what} is not a whole number")))
}

/// Pays for a text that is about to be made, and checks its length.
fn about_to_make(bytes: usize, work: &mut Work) -> Result<(), Rejection> {
    check_text(bytes)?;
    work.bytes(bytes)
}
