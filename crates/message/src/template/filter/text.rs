//! Filters of text. Positions and lengths are counted in characters.

use super::{Input, Made, about_to_make, whole};
use crate::error::Rejection;
use crate::template::value::{Text, Val};
use crate::template::work::Work;

pub(super) fn append<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let (text, end) = (input.text(work)?, input.first_text(work)?);
    about_to_make(text.len() + end.len(), work)?;
    drop(input);
    let mut text = text.into_string();
    text.push_str(&end);
    Ok(Val::text(text))
}

pub(super) fn prepend<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let (text, start) = (input.text(work)?, input.first_text(work)?);
    about_to_make(text.len() + start.len(), work)?;
    Ok(Val::text([&*start, &*text].concat()))
}

pub(super) fn upcase<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    changed(&input, work, str::to_uppercase)
}

pub(super) fn downcase<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    changed(&input, work, str::to_lowercase)
}

/// The first character in upper case, the others in lower case.
pub(super) fn capitalize<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    changed(&input, work, |text| {
        let mut chars = text.chars();
        let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
        first + &chars.as_str().to_lowercase()
    })
}

fn changed<'a>(input: &Input<'a>, work: &mut Work, change: fn(&str) -> String) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len(), work)?;
    Ok(Val::text(change(&text)))
}

pub(super) fn strip<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    stripped(&input, work, str::trim)
}

pub(super) fn lstrip<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    stripped(&input, work, str::trim_start)
}

pub(super) fn rstrip<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    stripped(&input, work, str::trim_end)
}

fn stripped<'a>(input: &Input<'a>, work: &mut Work, strip: fn(&str) -> &str) -> Made<'a> {
    let text = input.text(work)?;
    work.read(text.len())?;
    Ok(Val::Text(text.part(strip)))
}

/// `replace`, and without a second argument `remove`.
pub(super) fn replace<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    let (from, to) = (input.first_text(work)?, input.second_text("", work)?);
    if input.second.is_none() && from.is_empty() {
        return Ok(Val::Text(text));
    }
    work.search(&text, &from)?;
    let found = text.matches(&*from).count();
    let kept = text.len() - found * from.len();
    about_to_make(kept.saturating_add(found.saturating_mul(to.len())), work)?;
    Ok(match found {
        0 => Val::Text(text),
        _ => Val::text(text.replace(&*from, &to)),
    })
}

pub(super) fn replace_first<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    replace_one(&input, work, |text, from| text.find(from))
}

pub(super) fn replace_last<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    replace_one(&input, work, |text, from| text.rfind(from))
}

fn replace_one<'a>(
    input: &Input<'a>,
    work: &mut Work,
    find: fn(&str, &str) -> Option<usize>,
) -> Made<'a> {
    let text = input.text(work)?;
    let (from, to) = (input.first_text(work)?, input.second_text("", work)?);
    work.search(&text, &from)?;
    let Some(at) = find(&text, &from) else { return Ok(Val::Text(text)) };
    about_to_make(text.len() - from.len() + to.len(), work)?;
    let (before, rest) = text.split_at(at);
    Ok(Val::text([before, &*to, rest.get(from.len()..).unwrap_or_default()].concat()))
}

/// Without parts that are empty at the end. A single space stands for any white space, an empty
/// text for what is between two characters.
pub(super) fn split<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let (text, by) = (input.text(work)?, input.first_text(work)?);
    work.search(&text, &by)?;
    let mut parts = match &text {
        Text::Slice(text) => split_by(text, &by, work)?.into_iter().map(Val::text).collect(),
        Text::Shared(text) => {
            let parts = split_by(text, &by, work)?;
            let owned = |part: &str| Val::text(part.to_owned());
            parts.into_iter().map(owned).collect::<Vec<_>>()
        }
    };
    while parts.last().is_some_and(|part| matches!(part, Val::Text(text) if text.is_empty())) {
        parts.pop();
    }
    Ok(Val::array(parts))
}

fn split_by<'t>(text: &'t str, by: &str, work: &mut Work) -> Result<Vec<&'t str>, Rejection> {
    if by == " " {
        work.steps(text.split_whitespace().count())?;
        return Ok(text.split_whitespace().collect());
    }
    work.steps(text.matches(by).count())?;
    if by.is_empty() {
        return Ok(text.split("").filter(|part| !part.is_empty()).collect());
    }
    Ok(text.split(by).collect())
}

/// To so many characters (50), the end (`...`) among them.
pub(super) fn truncate<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    let length = input.first.as_ref().map_or(Ok(50), |it| whole(it, "the length", work))?;
    let end = input.second_text("...", work)?;
    let length = usize::try_from(length).unwrap_or(0);
    work.bytes(text.len())?;
    if text.chars().nth(length).is_none() {
        return Ok(Val::Text(text));
    }
    let kept = take_chars(&text, length.saturating_sub(end.chars().count()));
    about_to_make(kept.len() + end.len(), work)?;
    Ok(Val::text([kept, &*end].concat()))
}

/// To so many words (15), with an end (`...`) if there were more.
pub(super) fn truncatewords<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    let count = input.first.as_ref().map_or(Ok(15), |it| whole(it, "the number of words", work))?;
    let end = input.second_text("...", work)?;
    let count = usize::try_from(count).unwrap_or(0).max(1);
    work.bytes(text.len())?;
    if text.split_whitespace().nth(count).is_none() {
        return Ok(Val::Text(text));
    }
    about_to_make(text.len() + end.len(), work)?;
    let words: Vec<&str> = text.split_whitespace().take(count).collect();
    Ok(Val::text(words.join(" ") + &end))
}

/// One character or element from a place on, which counts from the end if it is negative; or as
/// many as the second argument says.
pub(super) fn slice<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let start = input.first.as_ref().map_or(Ok(0), |it| whole(it, "the start", work))?;
    let length = match &input.second {
        None | Some(Val::Nil) => 1,
        Some(length) => whole(length, "the length", work)?,
    };
    let length = usize::try_from(length).unwrap_or(0);
    if let Some(elements) = input.value.elements(work)? {
        let part = place(start, elements.len())
            .and_then(|from| elements.get(from..elements.len().min(from.saturating_add(length))))
            .unwrap_or_default();
        work.steps(part.len())?;
        return Ok(Val::array(part.to_vec()));
    }
    let text = input.text(work)?;
    work.bytes(text.len())?;
    let Some(from) = place(start, text.chars().count()) else { return Ok(Val::text("")) };
    let part = text.char_indices().nth(from).and_then(|(at, _)| text.get(at..)).unwrap_or("");
    let part = take_chars(part, length);
    about_to_make(part.len(), work)?;
    Ok(Val::text(part.to_owned()))
}

/// A place from the start; none if it is outside.
fn place(start: i64, count: usize) -> Option<usize> {
    match usize::try_from(start) {
        Ok(start) => Some(start).filter(|start| *start <= count),
        Err(_) => count.checked_sub(usize::try_from(start.unsigned_abs()).ok()?),
    }
}

fn take_chars(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}
