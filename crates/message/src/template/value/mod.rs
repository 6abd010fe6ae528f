//! The values of a template while it is rendered: borrowed from the row as far as can be, cheap to
//! copy, numbers with all their digits, objects in their own order.

mod arithmetic;
mod compare;
pub(super) mod json;
mod number;
mod text;
mod write;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

pub(super) use arithmetic::{Operation, Rounding};
pub(super) use number::Number;
pub(super) use text::Text;

use super::work::Work;
use crate::error::Rejection;
use crate::value::Value;

/// The longest text that a template makes of a row, in bytes: as long as what it may write.
pub(super) const MAX_TEXT_BYTES: usize = crate::output::MAX_OUTPUT_BYTES;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Val<'a> {
    Nil,
    Bool(bool),
    Number(Number<'a>),
    Text(Text<'a>),
    Bytes(&'a [u8]),
    /// An array or object of the row, as its text.
    Json(&'a str),
    /// An object of the row that a variable holds: it is likely to be looked into again.
    Kept(Rc<Kept<'a>>),
    Array(Rc<Vec<Val<'a>>>),
    Object(Rc<Vec<(Text<'a>, Val<'a>)>>),
    /// Both ends included; without elements if the first is the greater one.
    Range(i64, i64),
    /// `empty`, which texts, arrays and objects with nothing in them are equal to.
    Empty,
    /// `blank`, which `nil`, `false`, blank texts and what is `empty` are equal to.
    Blank,
}

/// An object's text, taken apart when something is first looked up in it.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    text: &'a str,
    pairs: OnceCell<Rc<Vec<(Text<'a>, Val<'a>)>>>,
}

impl<'a> Kept<'a> {
    fn pairs(&self, work: &mut Work) -> Result<&Rc<Vec<(Text<'a>, Val<'a>)>>, Rejection> {
        if self.pairs.get().is_none() {
            work.bytes(self.text.len())?;
        }
        Ok(self.pairs.get_or_init(|| Rc::new(json::pairs(self.text))))
    }
}

impl<'a> Val<'a> {
    /// The value as a variable holds it.
    pub fn kept(self) -> Val<'a> {
        match self {
            Val::Json(text) if json::is_object(text) => {
                Val::Kept(Rc::new(Kept { text, pairs: OnceCell::new() }))
            }
            other => other,
        }
    }

    /// A column's value.
    pub fn of(value: &'a Value<'a>, work: &mut Work) -> Result<Val<'a>, Rejection> {
        Ok(match value {
            Value::Null => Val::Nil,
            Value::Bool(b) => Val::Bool(*b),
            Value::Number(digits) => Val::Number(Number::Written(Text::Slice(digits))),
            Value::Text(text) => Val::Text(Text::Slice(text)),
            Value::Json(text) => {
                work.read(json::bytes_read(text))?;
                json::value(text)
            }
            Value::Bytes(bytes) => Val::Bytes(bytes),
        })
    }

    pub fn int(n: impl TryInto<i64>) -> Val<'a> {
        Val::Number(Number::Int(n.try_into().unwrap_or(i64::MAX)))
    }

    pub fn text(text: impl Into<Text<'a>>) -> Val<'a> {
        Val::Text(text.into())
    }

    pub fn array(elements: Vec<Val<'a>>) -> Val<'a> {
        Val::Array(Rc::new(elements))
    }

    /// An element of an object as loops and `first` give it: an array of its name and value.
    pub fn pair((name, value): (Text<'a>, Val<'a>)) -> Val<'a> {
        Val::array(vec![Val::Text(name), value])
    }

    /// Only `nil` and `false` are false.
    pub fn is_true(&self) -> bool {
        !matches!(self, Val::Nil | Val::Bool(false))
    }

    pub fn is_array(&self) -> bool {
        match self {
            Val::Array(_) | Val::Range(..) => true,
            Val::Json(text) => json::is_array(text),
            _ => false,
        }
    }

    pub fn is_object(&self) -> bool {
        match self {
            Val::Object(_) | Val::Kept(_) => true,
            Val::Json(text) => json::is_object(text),
            _ => false,
        }
    }

    /// The number that a value is, which a text can be too.
    pub fn to_number(&self, work: &mut Work) -> Result<Option<Number<'a>>, Rejection> {
        match self {
            Val::Number(number) => Ok(Some(number.clone())),
            Val::Text(text) => Number::read(text, work),
            _ => Ok(None),
        }
    }

    /// The whole number that a value is, if it is one that fits; what is after the point is cut off.
    pub fn to_int(&self, work: &mut Work) -> Result<Option<i64>, Rejection> {
        match self.to_number(work)? {
            Some(number) => number.to_int(work),
            None => Ok(None),
        }
    }

    /// What an object has under a name, `nil` of everything else.
    pub fn get(&self, name: &str, work: &mut Work) -> Result<Option<Val<'a>>, Rejection> {
        work.step()?;
        match self {
            Val::Json(text) if json::is_object(text) => {
                work.bytes(text.len())?;
                Ok(json::get(text, name))
            }
            Val::Kept(kept) => {
                // Of a name that comes twice the last.
                let pairs = kept.pairs(work)?;
                pay_for_names(pairs.len(), name, work)?;
                let found = pairs.iter().rev().find(|(it, _)| **it == *name);
                Ok(found.map(|(_, value)| value.clone()))
            }
            Val::Object(pairs) => {
                pay_for_names(pairs.len(), name, work)?;
                Ok(pairs.iter().find(|(it, _)| **it == *name).map(|(_, value)| value.clone()))
            }
            _ => Ok(None),
        }
    }

    /// The element of an array at a place, from the end if that is negative.
    pub fn index(&self, place: i64, work: &mut Work) -> Result<Option<Val<'a>>, Rejection> {
        work.step()?;
        let at = |len: usize| match usize::try_from(place) {
            Ok(place) => Some(place),
            Err(_) => len.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
        };
        match self {
            Val::Json(text) if json::is_array(text) => {
                // From the end it is read twice.
                work.bytes(text.len() << u32::from(place < 0))?;
                Ok(json::index(text, place))
            }
            Val::Array(elements) => Ok(at(elements.len()).and_then(|at| elements.get(at)).cloned()),
            Val::Range(first, _) => {
                let len = self.len(work)?;
                let element = at(len).filter(|at| *at < len);
                Ok(element.and_then(|at| first.checked_add_unsigned(at as u64)).map(Val::int))
            }
            _ => Ok(None),
        }
    }

    /// How many characters, elements or names there are; none in everything else.
    pub fn len(&self, work: &mut Work) -> Result<usize, Rejection> {
        Ok(match self {
            Val::Text(text) => {
                work.bytes(text.len())?;
                text.chars().count()
            }
            Val::Bytes(_) => self.to_text(work)?.len(),
            Val::Json(text) => {
                work.bytes(text.len())?;
                json::len(text)
            }
            Val::Array(elements) => elements.len(),
            Val::Object(pairs) => pairs.len(),
            Val::Kept(kept) => kept.pairs(work)?.len(),
            Val::Range(first, last) => match last.checked_sub(*first) {
                Some(steps) => usize::try_from(steps.saturating_add(1)).unwrap_or(0),
                None if last < first => 0,
                None => usize::MAX,
            },
            Val::Nil | Val::Bool(_) | Val::Number(_) | Val::Empty | Val::Blank => 0,
        })
    }

    /// The elements of an array or a range, which are paid for. None of what is neither.
    pub fn elements(&self, work: &mut Work) -> Result<Option<Rc<Vec<Val<'a>>>>, Rejection> {
        Ok(match self {
            Val::Array(elements) => Some(elements.clone()),
            Val::Json(text) if json::is_array(text) => {
                work.bytes(text.len())?;
                let elements = json::elements(text);
                work.steps(elements.len())?;
                Some(Rc::new(elements))
            }
            Val::Range(first, last) => {
                let len = self.len(work)?;
                work.steps(len)?;
                Some(Rc::new((*first..=*last).map(Val::int).collect()))
            }
            _ => None,
        })
    }

    /// The names and values of an object. None of what is no object.
    #[expect(clippy::type_complexity, reason = "what an object is made of")]
    pub fn pairs(
        &self,
        work: &mut Work,
    ) -> Result<Option<Rc<Vec<(Text<'a>, Val<'a>)>>>, Rejection> {
        Ok(match self {
            Val::Object(pairs) => Some(pairs.clone()),
            Val::Kept(kept) => Some(kept.pairs(work)?.clone()),
            Val::Json(text) if json::is_object(text) => {
                work.bytes(text.len())?;
                let pairs = json::pairs(text);
                work.steps(pairs.len())?;
                Some(Rc::new(pairs))
            }
            _ => None,
        })
    }

    /// The value as plain text: `nil` is empty, arrays and objects are JSON, everything else is as
    /// it was written.
    pub fn to_text(&self, work: &mut Work) -> Result<Text<'a>, Rejection> {
        Ok(match self {
            Val::Nil | Val::Empty | Val::Blank => Text::Slice(""),
            Val::Bool(true) => Text::Slice("true"),
            Val::Bool(false) => Text::Slice("false"),
            Val::Number(number) => number.text(),
            Val::Text(text) => text.clone(),
            Val::Json(text) => Text::Slice(text),
            Val::Kept(kept) => Text::Slice(kept.text),
            Val::Range(first, last) => format!("{first}..{last}").into(),
            Val::Bytes(bytes) => {
                work.bytes(2 * bytes.len())?;
                check_text(2 * bytes.len())?;
                Value::Bytes(Cow::Borrowed(*bytes)).into_text().into()
            }
            Val::Array(_) | Val::Object(_) => self.to_json(work)?.into(),
        })
    }
}

/// Pays for looking for a name among so many.
fn pay_for_names(names: usize, name: &str, work: &mut Work) -> Result<(), Rejection> {
    work.steps(names / 8)?;
    work.read(name.len().saturating_mul(names.div_ceil(8)))
}

/// Checks the length of a text that is about to be made.
pub(super) fn check_text(bytes: usize) -> Result<(), Rejection> {
    if bytes <= MAX_TEXT_BYTES {
        return Ok(());
    }
    let reason = format!("a text of {bytes} bytes is longer than the limit of {MAX_TEXT_BYTES}");
    Err(Rejection::new("message_too_long", reason))
}
