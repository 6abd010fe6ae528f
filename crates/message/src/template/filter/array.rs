//! Filters of arrays. Arrays within arrays are taken apart; an object, a text or a number is an
//! array of itself, and `nil` stays `nil`.

use std::collections::HashSet;

use super::{Input, Made, about_to_make, number_of};
use crate::error::Rejection;
use crate::template::value::{Number, Operation, Text, Val, check_text};
use crate::template::work::Work;

/// The elements of a value, without any that is an array itself. Without recursion: JSON can be as
/// deep as it likes.
pub(super) fn list<'a>(value: &Val<'a>, work: &mut Work) -> Result<Vec<Val<'a>>, Rejection> {
    work.step()?;
    let Some(elements) = value.elements(work)? else { return Ok(vec![value.clone()]) };
    let mut list = Vec::with_capacity(elements.len());
    let mut rest = Vec::new();
    for element in elements.iter() {
        let mut next = Some(element.clone());
        while let Some(value) = next {
            work.step()?;
            match value.elements(work)? {
                Some(within) => rest.extend(within.iter().rev().cloned()),
                None => list.push(value),
            }
            next = rest.pop();
        }
    }
    Ok(list)
}

/// What an element has under the name that an argument is.
pub(super) fn property<'a>(
    element: &Val<'a>,
    name: &Val<'a>,
    work: &mut Work,
) -> Result<Val<'a>, Rejection> {
    let name = name.to_text(work)?;
    Ok(element.get(&name, work)?.unwrap_or(Val::Nil))
}

/// The argument that names a property, if it is given.
fn key<'i, 'a>(input: &'i Input<'a>) -> Option<&'i Val<'a>> {
    input.first.as_ref().filter(|name| !matches!(name, Val::Nil))
}

/// Each element with what it is judged by: itself, or its property.
fn keyed<'a>(input: &Input<'a>, work: &mut Work) -> Result<Vec<(Val<'a>, Val<'a>)>, Rejection> {
    let list = list(&input.value, work)?;
    let mut keyed = Vec::with_capacity(list.len());
    for element in list {
        let by = match key(input) {
            Some(name) => property(&element, name, work)?,
            None => element.clone(),
        };
        keyed.push((by, element));
    }
    Ok(keyed)
}

fn elements_of<'a>(keyed: Vec<(Val<'a>, Val<'a>)>) -> Val<'a> {
    Val::array(keyed.into_iter().map(|(_, element)| element).collect())
}

pub(super) fn join<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let by = match &input.first {
        Some(by) => by.to_text(work)?,
        None => Text::Slice(" "),
    };
    let mut texts = Vec::new();
    let mut bytes = 0usize;
    for element in list(&input.value, work)? {
        let text = element.to_text(work)?;
        bytes = bytes.saturating_add(text.len()).saturating_add(by.len());
        check_text(bytes)?;
        texts.push(text);
    }
    about_to_make(bytes, work)?;
    let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
    Ok(Val::text(texts.join(&by)))
}

pub(super) fn size<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::int(input.value.len(work)?))
}

pub(super) fn first_of<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    first(&input.value, work)
}

pub(super) fn last_of<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    last(&input.value, work)
}

/// The first element of an array, or name and value of an object.
pub(in crate::template) fn first<'a>(value: &Val<'a>, work: &mut Work) -> Made<'a> {
    if let Some(pairs) = value.pairs(work)? {
        return Ok(pairs.first().cloned().map_or(Val::Nil, Val::pair));
    }
    Ok(value.index(0, work)?.unwrap_or(Val::Nil))
}

/// The last element of an array.
pub(in crate::template) fn last<'a>(value: &Val<'a>, work: &mut Work) -> Made<'a> {
    Ok(value.index(-1, work)?.unwrap_or(Val::Nil))
}

pub(super) fn reverse<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let mut list = list(&input.value, work)?;
    list.reverse();
    Ok(Val::array(list))
}

pub(super) fn sort<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    sorted(&input, work, |by, _| Ok(by))
}

/// Without regard to upper and lower case; numbers are texts.
pub(super) fn sort_natural<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    sorted(&input, work, |by, work| match by {
        Val::Nil => Ok(Val::Nil),
        by => {
            let text = by.to_text(work)?;
            about_to_make(text.len(), work)?;
            Ok(Val::text(text.to_lowercase()))
        }
    })
}

/// Equal ones stay in the order in which they were.
fn sorted<'a>(
    input: &Input<'a>,
    work: &mut Work,
    by: fn(Val<'a>, &mut Work) -> Made<'a>,
) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let mut sorted = keyed(input, work)?;
    for (key, _) in &mut sorted {
        *key = by(std::mem::replace(key, Val::Nil), work)?;
    }
    let comparisons = sorted.len().max(2).ilog2() as usize;
    work.steps(sorted.len().saturating_mul(comparisons))?;
    let bytes: usize = sorted.iter().map(|(key, _)| key.bytes_compared()).sum();
    work.read(bytes.saturating_mul(comparisons))?;
    sorted.sort_by(|(left, _), (right, _)| left.order(right));
    Ok(elements_of(sorted))
}

/// The first of those that are equal.
pub(super) fn uniq<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for (by, element) in keyed(&input, work)? {
        let identity = by.to_json(work)?;
        if seen.insert(identity) {
            kept.push(element);
        }
    }
    Ok(Val::array(kept))
}

/// Without `nil`, or without those whose property is.
pub(super) fn compact<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let mut keyed = keyed(&input, work)?;
    keyed.retain(|(by, _)| !matches!(by, Val::Nil));
    Ok(elements_of(keyed))
}

pub(super) fn map<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let mut mapped = Vec::new();
    for element in list(&input.value, work)? {
        mapped.push(match &input.first {
            Some(name) => property(&element, name, work)?,
            None => Val::Nil,
        });
    }
    Ok(Val::array(mapped))
}

/// Both together; `nil` is without elements.
pub(super) fn concat<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let mut both = Vec::new();
    for value in [Some(&input.value), input.first.as_ref()].into_iter().flatten() {
        if !matches!(value, Val::Nil) {
            both.extend(list(value, work)?);
        }
    }
    Ok(Val::array(both))
}

pub(super) fn sum<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let mut sum = Number::Int(0);
    for (by, _) in keyed(&input, work)? {
        for number in list(&by, work)? {
            sum = sum.compute(Operation::Plus, &number_of(&number, work)?, work)?;
        }
    }
    Ok(Val::Number(sum))
}
