//! Which values are equal, which is the greater one, and what contains what, as Liquid has it:
//! values of different kinds are never equal, but text that is a number is ordered as one beside a
//! number.

use std::cmp::Ordering;

use super::{Val, json};
use crate::error::Rejection;
use crate::number;
use crate::template::work::Work;

/// How deep arrays and objects are compared by their elements. What is deeper is equal if its text
/// is.
const MAX_COMPARED_DEPTH: usize = 32;

impl<'a> Val<'a> {
    pub fn equals(&self, other: &Val<'a>, work: &mut Work) -> Result<bool, Rejection> {
        equals(self, other, MAX_COMPARED_DEPTH, work)
    }

    /// The order of two numbers, of two texts, or of a number and a text that is one.
    pub fn compare(&self, other: &Val<'_>, work: &mut Work) -> Result<Option<Ordering>, Rejection> {
        work.read(self.bytes_compared().saturating_add(other.bytes_compared()))?;
        Ok(match (self, other) {
            (Val::Text(left), Val::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
            (Val::Number(left), Val::Number(right)) => left.order(right),
            (Val::Number(left), Val::Text(right)) => number::compare(&left.text(), right.trim()),
            (Val::Text(left), Val::Number(right)) => number::compare(left.trim(), &right.text()),
            _ => None,
        })
    }

    /// How much of it is read when it is put in order with another, at the most.
    pub fn bytes_compared(&self) -> usize {
        match self {
            Val::Text(text) => text.len(),
            Val::Number(number) => number.bytes(),
            _ => 0,
        }
    }

    /// An order of all values, so that they can be sorted: by their kind where nothing else is
    /// said, and `nil` last. To be paid for by who sorts, each value by its `bytes_compared`.
    pub fn order(&self, other: &Val<'_>) -> Ordering {
        match (self, other) {
            (Val::Text(left), Val::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
            (Val::Number(left), Val::Number(right)) => {
                left.order(right).unwrap_or_else(|| is_nan(left).cmp(&is_nan(right)))
            }
            (Val::Bool(left), Val::Bool(right)) => left.cmp(right),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Val::Bool(_) => 0,
            Val::Number(_) => 1,
            Val::Text(_) | Val::Bytes(_) | Val::Empty | Val::Blank => 2,
            Val::Range(..) | Val::Array(_) => 3,
            Val::Json(_) | Val::Kept(_) | Val::Object(_) => 4,
            Val::Nil => 5,
        }
    }

    /// Whether it equals `empty`.
    pub fn is_empty(&self, work: &mut Work) -> Result<bool, Rejection> {
        Ok(match self {
            Val::Text(text) => text.is_empty(),
            Val::Json(text) => has_nothing(text, work)?,
            Val::Kept(kept) => has_nothing(kept.text, work)?,
            Val::Array(elements) => elements.is_empty(),
            Val::Object(pairs) => pairs.is_empty(),
            Val::Range(first, last) => last < first,
            Val::Empty => true,
            Val::Nil | Val::Bool(_) | Val::Number(_) | Val::Bytes(_) | Val::Blank => false,
        })
    }

    /// Whether it equals `blank`.
    pub fn is_blank(&self, work: &mut Work) -> Result<bool, Rejection> {
        match self {
            Val::Text(text) => is_blank(text, work),
            Val::Blank => Ok(true),
            Val::Empty => Ok(false),
            _ => Ok(!self.is_true() || self.is_empty(work)?),
        }
    }

    /// Whether a text has another within it, an array an element, or an object a name. By Liquid's
    /// rule nothing contains `nil` or `false`.
    pub fn contains(&self, other: &Val<'a>, work: &mut Work) -> Result<bool, Rejection> {
        if !other.is_true() {
            return Ok(false);
        }
        match self {
            Val::Text(text) => {
                let wanted = other.to_text(work)?;
                work.search(text, &wanted)?;
                Ok(text.contains(&*wanted))
            }
            Val::Bytes(_) => {
                let (text, wanted) = (self.to_text(work)?, other.to_text(work)?);
                work.search(&text, &wanted)?;
                Ok(text.contains(&*wanted))
            }
            Val::Range(first, last) => match other {
                Val::Number(number) => {
                    let place = number.to_int(work)?.filter(|n| (*first..=*last).contains(n));
                    place.map_or(Ok(false), |n| Val::int(n).equals(other, work))
                }
                _ => Ok(false),
            },
            _ if self.is_object() => match other {
                Val::Text(name) => Ok(self.get(name, work)?.is_some()),
                _ => Ok(false),
            },
            _ => {
                let Some(elements) = self.elements(work)? else { return Ok(false) };
                for element in elements.iter() {
                    if element.equals(other, work)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

/// Whether a number compares with nothing: `NaN`, or an exponent beyond all bounds.
fn is_nan(number: &super::Number<'_>) -> bool {
    number.order(number).is_none()
}

/// Whether a text is white space and nothing else; paid for as far as it is.
fn is_blank(text: &str, work: &mut Work) -> Result<bool, Rejection> {
    let rest = text.trim_start();
    work.read(text.len() - rest.len())?;
    Ok(rest.is_empty())
}

/// Whether JSON is an array or object with nothing in it.
fn has_nothing(json: &str, work: &mut Work) -> Result<bool, Rejection> {
    json::inside(json).map_or(Ok(false), |inside| is_blank(inside, work))
}

/// Recurses as deep as `depth` says.
fn equals<'a>(
    left: &Val<'a>,
    right: &Val<'a>,
    depth: usize,
    work: &mut Work,
) -> Result<bool, Rejection> {
    work.step()?;
    Ok(match (left, right) {
        (Val::Empty, Val::Blank) | (Val::Blank, Val::Empty) => false,
        (Val::Empty, other) | (other, Val::Empty) => other.is_empty(work)?,
        (Val::Blank, other) | (other, Val::Blank) => other.is_blank(work)?,
        (Val::Nil, Val::Nil) => true,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Number(left), Val::Number(right)) => {
            left.compare(right, work)?.is_some_and(Ordering::is_eq)
        }
        (Val::Text(left), Val::Text(right)) => {
            work.read(left.len().min(right.len()))?;
            **left == **right
        }
        (Val::Bytes(left), Val::Bytes(right)) => {
            work.read(left.len().min(right.len()))?;
            left == right
        }
        (Val::Bytes(_), Val::Text(_)) | (Val::Text(_), Val::Bytes(_)) => {
            *left.to_text(work)? == *right.to_text(work)?
        }
        (Val::Range(a, b), Val::Range(c, d)) => (a, b) == (c, d) || (a > b && c > d),
        (Val::Json(left), Val::Json(right)) if same(left, right, work)? => true,
        (Val::Kept(left), Val::Kept(right)) if same(left.text, right.text, work)? => true,
        _ if depth == 0 => false,
        _ if left.is_array() && right.is_array() => arrays_equal(left, right, depth - 1, work)?,
        _ if left.is_object() && right.is_object() => objects_equal(left, right, depth - 1, work)?,
        _ => false,
    })
}

fn same(left: &str, right: &str, work: &mut Work) -> Result<bool, Rejection> {
    work.read(left.len().min(right.len()))?;
    Ok(left == right)
}

fn arrays_equal<'a>(
    left: &Val<'a>,
    right: &Val<'a>,
    depth: usize,
    work: &mut Work,
) -> Result<bool, Rejection> {
    let (left, right) = (left.elements(work)?, right.elements(work)?);
    let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        if !equals(left, right, depth, work)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whatever the order of their names.
fn objects_equal<'a>(
    left: &Val<'a>,
    right: &Val<'a>,
    depth: usize,
    work: &mut Work,
) -> Result<bool, Rejection> {
    if left.len(work)? != right.len(work)? {
        return Ok(false);
    }
    for (name, value) in left.pairs(work)?.unwrap_or_default().iter() {
        match right.get(name, work)? {
            Some(other) if equals(value, &other, depth, work)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
