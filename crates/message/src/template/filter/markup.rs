//! Filters of HTML and of line breaks.

use super::{Input, Made, about_to_make};
use crate::error::Rejection;
use crate::output::Output;
use crate::template::value::Val;
use crate::template::work::Work;

pub(super) fn escape<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    escaped(&input, work, |_| false)
}

/// What is escaped already stays as it is.
pub(super) fn escape_once<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    escaped(&input, work, is_entity)
}

fn escaped<'a>(input: &Input<'a>, work: &mut Work, is_done: fn(&str) -> bool) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len(), work)?;
    let mut out = Output::with_room(text.len());
    let mut written = 0;
    for (at, c) in text.char_indices() {
        let entity = match c {
            '&' if is_done(text.get(at..).unwrap_or_default()) => continue,
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            _ => continue,
        };
        out.push(text.get(written..at).unwrap_or_default())?;
        out.push(entity)?;
        written = at + 1;
    }
    out.push(text.get(written..).unwrap_or_default())?;
    made(out, work)
}

fn made<'a>(out: Output, work: &mut Work) -> Made<'a> {
    work.bytes(out.as_str().len())?;
    Ok(Val::text(out.into_string()))
}

/// Whether a text begins with an entity: `&name;` or `&#123;`.
fn is_entity(text: &str) -> bool {
    // The longest name of HTML has 32 characters.
    let near = text.bytes().take(34).position(|byte| byte == b';');
    let Some(name) = near.and_then(|end| text.get(1..end)) else { return false };
    let all = |text: &str, is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
    match name.strip_prefix('#') {
        Some(digits) => all(digits, |c| c.is_ascii_digit()),
        None => all(name, |c| c.is_ascii_alphabetic()),
    }
}

pub(super) fn strip_newlines<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    lines(&input, "", work)
}

pub(super) fn newline_to_br<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    lines(&input, "<br />\n", work)
}

/// With something else in place of each line break.
fn lines<'a>(input: &Input<'a>, between: &str, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len(), work)?;
    let mut out = Output::with_room(text.len());
    let mut parts = text.split('\n').peekable();
    while let Some(part) = parts.next() {
        match parts.peek() {
            Some(_) => {
                out.push(part.strip_suffix('\r').unwrap_or(part))?;
                out.push(between)?;
            }
            None => out.push(part)?,
        }
    }
    made(out, work)
}

/// What begins with the first and ends with the second is taken out whole.
const ELEMENTS: [(&str, &str); 3] =
    [("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->")];

/// Without tags, comments, scripts and styles.
pub(super) fn strip_html<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len(), work)?;
    let mut out = Output::with_room(text.len());
    strip(&text, &mut out)?;
    made(out, work)
}

fn strip(text: &str, out: &mut Output) -> Result<(), Rejection> {
    let lower = text.to_ascii_lowercase();
    // An end that is not there is looked for once.
    let mut has_end = [true; ELEMENTS.len()];
    let mut at = 0;
    while let Some(open) = lower.get(at..).and_then(|rest| rest.find('<')) {
        out.push(text.get(at..at + open).unwrap_or_default())?;
        at += open;
        let rest = lower.get(at..).unwrap_or_default();
        let element = ELEMENTS
            .iter()
            .zip(&mut has_end)
            .find(|((begin, _), has_end)| **has_end && rest.starts_with(begin));
        let length = element.and_then(|((_, end), has_end)| {
            let found = rest.find(end).map(|found| found + end.len());
            *has_end = found.is_some();
            found
        });
        match length.or_else(|| rest.find('>').map(|end| end + 1)) {
            Some(length) => at += length,
            None => break,
        }
    }
    out.push(text.get(at..).unwrap_or_default())
}
