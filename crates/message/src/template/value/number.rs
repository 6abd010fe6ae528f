//! A number of a template: the digits as they were written, or a count that the engine made. Its
//! digits can be many: whoever reads them pays for them.

use std::cmp::Ordering;

use super::Text;
use crate::error::Rejection;
use crate::number;
use crate::template::work::Work;

/// A number. What is written keeps every digit until a filter makes another of it.
#[derive(Clone, Debug)]
pub(in crate::template) enum Number<'a> {
    /// As Postgres, JSON or the template has it, `NaN` and the infinities included.
    Written(Text<'a>),
    Int(i64),
}

impl<'a> Number<'a> {
    /// The number that a text is, with white space around it; none of what compares with nothing.
    pub fn read(text: &Text<'a>, work: &mut Work) -> Result<Option<Number<'a>>, Rejection> {
        work.read(text.len())?;
        let digits = text.part(str::trim);
        Ok(number::is_number(&digits).then_some(Number::Written(digits)))
    }

    pub fn text(&self) -> Text<'a> {
        match self {
            Number::Written(text) => text.clone(),
            Number::Int(n) => n.to_string().into(),
        }
    }

    /// How much there is to read.
    pub fn bytes(&self) -> usize {
        match self {
            Number::Written(text) => text.len(),
            Number::Int(_) => 0,
        }
    }

    /// The number, if it is a whole one that fits; what is after the point is cut off.
    pub fn to_int(&self, work: &mut Work) -> Result<Option<i64>, Rejection> {
        match self {
            Number::Int(n) => Ok(Some(*n)),
            Number::Written(text) => {
                work.read(text.len())?;
                Ok(whole(text))
            }
        }
    }

    pub fn compare(
        &self,
        other: &Number<'_>,
        work: &mut Work,
    ) -> Result<Option<Ordering>, Rejection> {
        work.read(self.bytes().saturating_add(other.bytes()))?;
        Ok(self.order(other))
    }

    /// The same where it is paid for already.
    pub fn order(&self, other: &Number<'_>) -> Option<Ordering> {
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
