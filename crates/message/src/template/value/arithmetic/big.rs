//! Numbers of any length, by `bigdecimal`: what a 128-bit integer is too small for.

use std::str::FromStr;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};

use super::{MAX_DIGITS, Operation, Rounding, divided_by_zero, too_long};
use crate::error::Rejection;
use crate::number::Decimal;
use crate::template::value::{Number, Text};
use crate::template::work::Work;

/// The significant digits of a quotient that has no end.
const QUOTIENT_DIGITS: i64 = 16;

/// How far it is looked for an end.
const MAX_QUOTIENT_DIGITS: i64 = 40;

/// A number of any length, or none that is finite.
pub(super) enum Big {
    Finite(BigDecimal),
    Double(f64),
}

impl Big {
    pub fn of(number: &Number<'_>, work: &mut Work) -> Result<Big, Rejection> {
        work.read(number.bytes())?;
        let text = number.text();
        let Some(decimal) = Decimal::parse(&text) else {
            return Ok(Big::Double(text.parse().unwrap_or(f64::NAN)));
        };
        let digits = i64::try_from(text.len()).unwrap_or(i64::MAX);
        if digits > MAX_DIGITS || decimal.magnitude().abs() > MAX_DIGITS {
            return Err(too_long());
        }
        pay(digits, digits, work)?;
        Ok(BigDecimal::from_str(&text).map_or(Big::Double(f64::NAN), Big::Finite))
    }

    pub fn double(&self) -> f64 {
        match self {
            // Beside what is not finite, all that matters of a finite number is its sign.
            Big::Finite(number) if number.is_zero() => 0.0,
            Big::Finite(number) if number.is_negative() => -1.0,
            Big::Finite(_) => 1.0,
            Big::Double(double) => *double,
        }
    }
}

/// The time of arithmetic grows with the digits of both.
fn pay(left: i64, right: i64, work: &mut Work) -> Result<(), Rejection> {
    let steps = left.saturating_mul(right) / 40_000 + (left + right) / 16;
    work.steps(usize::try_from(steps).unwrap_or(usize::MAX))
}

pub(super) fn compute_big<'a>(
    left: &BigDecimal,
    operation: Operation,
    right: &BigDecimal,
    work: &mut Work,
) -> Result<Number<'a>, Rejection> {
    let digits = |number: &BigDecimal| i64::try_from(number.digits()).unwrap_or(i64::MAX);
    let scale = |number: &BigDecimal| number.fractional_digit_count();
    let widest = digits(left) + digits(right) + scale(left).abs() + scale(right).abs();
    if widest > 4 * MAX_DIGITS {
        return Err(too_long());
    }
    pay(widest, widest, work)?;
    let least = scale(left).max(scale(right)).max(0);
    Ok(written(&match operation {
        Operation::Plus => left + right,
        Operation::Minus => left - right,
        Operation::Times => shortened(left * right, least),
        Operation::DividedBy | Operation::Modulo if right.is_zero() => {
            return Err(divided_by_zero());
        }
        Operation::Modulo => {
            let rest = (left % right).with_scale(least);
            let is_off = !rest.is_zero() && rest.is_negative() != right.is_negative();
            if is_off { rest + right } else { rest }
        }
        Operation::DividedBy => divide(left, right, least),
    }))
}

/// The quotient, to its end if that is near.
fn divide(left: &BigDecimal, right: &BigDecimal, least: i64) -> BigDecimal {
    if least == 0 {
        return quotient(left, right, 0, RoundingMode::Floor).0;
    }
    let order = |number: &BigDecimal| {
        i64::try_from(number.digits()).unwrap_or(i64::MAX) - number.fractional_digit_count()
    };
    let magnitude = order(left) - order(right);
    let (exact, has_rest) =
        quotient(left, right, (MAX_QUOTIENT_DIGITS - magnitude).max(least + 1), RoundingMode::Down);
    if !has_rest {
        return shortened(exact, least);
    }
    // One digit of the estimate can be a leading zero.
    let first = exact.digits() as i64 - exact.fractional_digit_count();
    let scale = (QUOTIENT_DIGITS - first).max(least);
    exact.with_scale_round(scale, RoundingMode::HalfUp)
}

/// The quotient to so many digits after the point, and whether there is more.
fn quotient(
    left: &BigDecimal,
    right: &BigDecimal,
    scale: i64,
    mode: RoundingMode,
) -> (BigDecimal, bool) {
    let (dividend, dividend_scale) = left.as_bigint_and_scale();
    let (divisor, divisor_scale) = right.as_bigint_and_scale();
    let shift = scale + divisor_scale - dividend_scale;
    let power = |n: i64| BigInt::from(10).pow(u32::try_from(n.max(0)).unwrap_or(0));
    let (dividend, divisor) = (&*dividend * power(shift), &*divisor * power(-shift));
    let (quotient, rest) = (&dividend / &divisor, &dividend % &divisor);
    let is_below = mode == RoundingMode::Floor
        && !rest.is_zero()
        && dividend.is_negative() != divisor.is_negative();
    let quotient = if is_below { quotient - 1 } else { quotient };
    (BigDecimal::new(quotient, scale), !rest.is_zero())
}

fn shortened(number: BigDecimal, least: i64) -> BigDecimal {
    let normal = number.normalized();
    match normal.fractional_digit_count() < least {
        true => normal.with_scale(least),
        false => normal,
    }
}

fn written<'a>(number: &BigDecimal) -> Number<'a> {
    let whole = match number.fractional_digit_count() < 0 {
        true => number.with_scale(0).to_plain_string(),
        false => number.to_plain_string(),
    };
    Number::Written(Text::from(whole))
}

pub(super) fn round<'a>(number: &BigDecimal, rounding: Rounding) -> Number<'a> {
    let (digits, mode) = match rounding {
        Rounding::Up => (0, RoundingMode::Ceiling),
        Rounding::Down => (0, RoundingMode::Floor),
        Rounding::Nearest(digits) => (digits, RoundingMode::HalfUp),
    };
    let digits = digits.clamp(-MAX_DIGITS, number.fractional_digit_count().max(0));
    written(&number.with_scale_round(digits, mode))
}
