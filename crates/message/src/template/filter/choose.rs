//! Filters that choose: among elements, or between a value and another.

use super::array::{list, property};
use super::{Input, Made};
use crate::error::Rejection;
use crate::template::value::Val;
use crate::template::work::Work;

/// Another value in place of `nil`, `false` and what is empty; `allow_false: true` lets `false` be.
pub(super) fn default<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let lets_false_be = input.named.as_ref().is_some_and(Val::is_true);
    let is_missing = match &input.value {
        Val::Bool(false) => !lets_false_be,
        Val::Nil => true,
        value => value.is_empty(work)?,
    };
    Ok(if is_missing { input.first.unwrap_or(Val::text("")) } else { input.value })
}

/// What the elements of a value are to have.
struct Wanted<'a> {
    property: Val<'a>,
    /// The property's value; without one it must be true.
    value: Option<Val<'a>>,
}

impl<'a> Wanted<'a> {
    fn of(input: &Input<'a>) -> Wanted<'a> {
        let value = input.second.clone().filter(|value| !matches!(value, Val::Nil));
        Wanted { property: input.first.clone().unwrap_or(Val::Nil), value }
    }

    /// Whether an element has it; none if that cannot be asked of it.
    fn is_met(&self, element: &Val<'a>, work: &mut Work) -> Result<Option<bool>, Rejection> {
        let Wanted { property: name, value } = self;
        Ok(match element {
            Val::Nil | Val::Bool(_) => None,
            Val::Text(text) => {
                let name = name.to_text(work)?;
                work.search(text, &name)?;
                let is_value = match value {
                    Some(value) => value.equals(&Val::Text(name.clone()), work)?,
                    None => true,
                };
                Some(is_value && text.contains(&*name))
            }
            _ if element.is_object() => {
                let found = property(element, name, work)?;
                Some(match value {
                    Some(value) => found.equals(value, work)?,
                    None => found.is_true(),
                })
            }
            _ => Some(element.equals(name, work)?),
        })
    }
}

/// The elements that have a property, or have it with a value.
pub(super) fn where_<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    match matches!(input.first, Some(Val::Nil)) {
        true => Ok(Val::Nil),
        false => chosen(&input, true, work),
    }
}

/// The elements that `where` leaves out.
pub(super) fn reject<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    chosen(&input, false, work)
}

fn chosen<'a>(input: &Input<'a>, are_met: bool, work: &mut Work) -> Made<'a> {
    if matches!(input.value, Val::Nil) {
        return Ok(Val::Nil);
    }
    let wanted = Wanted::of(input);
    let mut chosen = Vec::new();
    for element in list(&input.value, work)? {
        match wanted.is_met(&element, work)? {
            Some(is_met) if is_met == are_met => chosen.push(element),
            Some(_) => {}
            None => return Ok(Val::Nil),
        }
    }
    Ok(Val::array(chosen))
}

/// The first element that has a property, or has it with a value.
pub(super) fn find<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(match found(&input, work)? {
        Found::At(_, element) => element,
        Found::Nothing | Found::NotToBeAsked => Val::Nil,
    })
}

/// The place of that element, from 0.
pub(super) fn find_index<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(match found(&input, work)? {
        Found::At(place, _) => Val::int(place),
        Found::Nothing | Found::NotToBeAsked => Val::Nil,
    })
}

/// Whether there is such an element.
pub(super) fn has<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(match found(&input, work)? {
        Found::At(..) => Val::Bool(true),
        Found::Nothing => Val::Bool(false),
        Found::NotToBeAsked => Val::Nil,
    })
}

enum Found<'a> {
    At(usize, Val<'a>),
    Nothing,
    /// An element before it is `nil` or a boolean, by Liquid's rule.
    NotToBeAsked,
}

fn found<'a>(input: &Input<'a>, work: &mut Work) -> Result<Found<'a>, Rejection> {
    if matches!(input.value, Val::Nil) {
        return Ok(Found::Nothing);
    }
    let wanted = Wanted::of(input);
    for (place, element) in list(&input.value, work)?.into_iter().enumerate() {
        match wanted.is_met(&element, work)? {
            Some(true) => return Ok(Found::At(place, element)),
            Some(false) => {}
            None => return Ok(Found::NotToBeAsked),
        }
    }
    Ok(Found::Nothing)
}
