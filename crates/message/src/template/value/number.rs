//! A number of a template: the digits as they were written, or a count that the engine made.

use std::cmp::Ordering;

use super::Text;
use crate::number;

/// A number. What is written keeps every digit until a filter makes another of it.
#[derive(Clone, Debug)]
pub(in crate::template) enum Number<'a> {
    /// As Postgres, JSON or the template has it, `NaN` and the infinities included.
    Written(Text<'a>),
    Int(i64),
}

impl<'a> Number<'a> {
    pub fn text(&self) -> Text<'a> {
        match self {
            Number::Written(text) => text.clone(),
            Number::Int(n) => n.to_string().into(),
        }
    }

    /// The number, if it is a whole one that fits; what is after the point is cut off.
    pub fn to_int(&self) -> Option<i64> {
        match self {
            Number::Int(n) => Some(*n),
            Number::Written(text) => whole(text),
        }
    }

    pub fn compare(&self, other: &Number<'_>) -> Option<Ordering> {
        match (self.small(), other.small()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => number::compare(&self.text(), &other.text()),
        }
    }

    fn small(&self) -> Option<i64> {
        match self {
            Number::Int(n) => Some(*n),
            Number::Written(text) => text.parse().ok(),
        }
    }
}

/// The part of a number before its point.
fn whole(text: &str) -> Option<i64> {
    if let Ok(n) = text.parse() {
        return Some(n);
    }
    number::Decimal::parse(text)?;
    match text.split_once('.') {
        Some((whole, rest)) if !rest.contains(['e', 'E']) => whole.parse().ok(),
        _ => None,
    }
}
