//! Arithmetic without loss: on 128-bit integers and a scale where that is enough, which is nearly
//! always, else on `bigdecimal`. `NaN` and the infinities behave as in a double.
//!
//! A result has at least as many digits after the point as the operand with more of them: `1.50`
//! and `0.50` are `2.00`. A quotient that never ends has 16 significant digits, as Postgres has it.

use std::cmp::Ordering;
use std::str::FromStr;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, Signed, Zero};

use super::{Number, Text};
use crate::error::Rejection;
use crate::number::Decimal;
use crate::template::work::Work;

/// The most digits of an operand or a result, about as many as Postgres has.
const MAX_DIGITS: i64 = 160_000;

/// The significant digits of a quotient that has no end.
const QUOTIENT_DIGITS: i64 = 16;

/// How far it is looked for an end.
const MAX_QUOTIENT_DIGITS: i64 = 40;

/// What two numbers make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::template) enum Operation {
    Plus,
    Minus,
    Times,
    DividedBy,
    Modulo,
}

/// How a number loses its digits after the point.
#[derive(Clone, Copy, Debug)]
pub(in crate::template) enum Rounding {
    Up,
    Down,
    /// To so many digits after the point, a half away from zero.
    Nearest(i64),
}

/// `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug)]
struct Small {
    mantissa: i128,
    scale: u32,
}

impl Small {
    /// Reads digits with a point or without, but none with an exponent.
    fn parse(text: &str) -> Option<Small> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if unsigned.len() > 37 || !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (mut mantissa, mut scale, mut after_point) = (0i128, 0, false);
        for byte in unsigned.bytes() {
            match byte {
                b'0'..=b'9' => {
                    mantissa = mantissa * 10 + i128::from(byte - b'0');
                    scale += u32::from(after_point);
                }
                b'.' if !after_point => after_point = true,
                _ => return None,
            }
        }
        if unsigned.len() != text.len() {
            mantissa = -mantissa;
        }
        Some(Small { mantissa, scale })
    }

    fn of(number: &Number<'_>) -> Option<Small> {
        match number {
            Number::Int(n) => Some(Small { mantissa: i128::from(*n), scale: 0 }),
            Number::Written(text) => Small::parse(text),
        }
    }

    /// The mantissa at a scale that is no smaller.
    fn at(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10i128.checked_pow(scale - self.scale)?)
    }

    fn to_number<'a>(self) -> Number<'a> {
        match (self.scale, i64::try_from(self.mantissa)) {
            (0, Ok(n)) => Number::Int(n),
            _ => Number::Written(point(&self.mantissa.to_string(), self.scale as usize).into()),
        }
    }
}

/// Digits with a point before the last `scale` of them.
fn point(digits: &str, scale: usize) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

impl<'a> Number<'a> {
    /// Computes. Two numbers without a point are divided as whole ones, rounded down.
    ///
    /// # Errors
    ///
    /// A division by zero; digits beyond all bounds.
    pub fn compute(
        &self,
        operation: Operation,
        other: &Number<'_>,
        work: &mut Work,
    ) -> Result<Number<'a>, Rejection> {
        work.step()?;
        if let (Some(left), Some(right)) = (Small::of(self), Small::of(other)) {
            let divides = matches!(operation, Operation::DividedBy | Operation::Modulo);
            if divides && right.mantissa == 0 {
                return Err(divided_by_zero());
            }
            if let Some(result) = compute_small(left, operation, right) {
                return Ok(result.to_number());
            }
        }
        let (left, right) = (Big::of(self, work)?, Big::of(other, work)?);
        match (left, right) {
            (Big::Finite(left), Big::Finite(right)) => compute_big(&left, operation, &right, work),
            (left, right) => {
                Ok(of_double(compute_double(left.double(), operation, right.double())))
            }
        }
    }

    /// The number rounded.
    pub fn round(&self, rounding: Rounding, work: &mut Work) -> Result<Number<'a>, Rejection> {
        work.step()?;
        if let Some(small) = Small::of(self)
            && let Some(rounded) = round_small(small, rounding)
        {
            return Ok(rounded.to_number());
        }
        let Big::Finite(number) = Big::of(self, work)? else { return Ok(self.clone()) };
        let (digits, mode) = match rounding {
            Rounding::Up => (0, RoundingMode::Ceiling),
            Rounding::Down => (0, RoundingMode::Floor),
            Rounding::Nearest(digits) => (digits, RoundingMode::HalfUp),
        };
        let digits = digits.clamp(-MAX_DIGITS, number.fractional_digit_count().max(0));
        Ok(written(&number.with_scale_round(digits, mode)))
    }

    /// The number without its sign.
    pub fn abs(&self) -> Number<'a> {
        match self {
            Number::Int(n) => n
                .checked_abs()
                .map_or_else(|| Number::Written(n.unsigned_abs().to_string().into()), Number::Int),
            Number::Written(text) => {
                Number::Written(text.part(|text| text.strip_prefix('-').unwrap_or(text)))
            }
        }
    }
}

fn compute_small(left: Small, operation: Operation, right: Small) -> Option<Small> {
    let scale = left.scale.max(right.scale);
    let aligned = || Some((left.at(scale)?, right.at(scale)?));
    let mantissa = match operation {
        Operation::Plus => aligned().and_then(|(left, right)| left.checked_add(right))?,
        Operation::Minus => aligned().and_then(|(left, right)| left.checked_sub(right))?,
        Operation::Modulo => {
            let (left, right) = aligned()?;
            let rest = left.checked_rem(right)?;
            if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest }
        }
        Operation::Times => {
            let mantissa = left.mantissa.checked_mul(right.mantissa)?;
            return Some(shorten(Small { mantissa, scale: left.scale + right.scale }, scale));
        }
        Operation::DividedBy if scale == 0 => floor_div(left.mantissa, right.mantissa)?,
        Operation::DividedBy => {
            // As long as there is a rest and room.
            let (mut dividend, divisor) = aligned()?;
            let mut digits = 0;
            while dividend % divisor != 0 || digits < scale {
                dividend = dividend.checked_mul(10)?;
                digits += 1;
            }
            let mantissa = dividend.checked_div(divisor)?;
            return Some(shorten(Small { mantissa, scale: digits }, scale));
        }
    };
    Some(Small { mantissa, scale })
}

fn floor_div(left: i128, right: i128) -> Option<i128> {
    let quotient = left.checked_div(right)?;
    let has_rest = left % right != 0;
    Some(if has_rest && (left < 0) != (right < 0) { quotient - 1 } else { quotient })
}

/// Takes zeros off the end, down to a scale.
fn shorten(mut number: Small, scale: u32) -> Small {
    while number.scale > scale && number.mantissa % 10 == 0 {
        number.mantissa /= 10;
        number.scale -= 1;
    }
    number
}

fn round_small(number: Small, rounding: Rounding) -> Option<Small> {
    let keep = match rounding {
        Rounding::Up | Rounding::Down => 0,
        Rounding::Nearest(digits) => digits,
    };
    let lost = i64::from(number.scale).checked_sub(keep)?;
    if lost <= 0 {
        return Some(number);
    }
    let unit = 10i128.checked_pow(u32::try_from(lost).ok()?)?;
    let down = floor_div(number.mantissa, unit)?;
    let rest = number.mantissa - down * unit;
    let is_up = match rounding {
        Rounding::Up => rest != 0,
        Rounding::Down => false,
        // Of a negative number the half goes down, away from zero.
        Rounding::Nearest(_) => match (2 * rest).cmp(&unit) {
            Ordering::Equal => number.mantissa > 0,
            other => other == Ordering::Greater,
        },
    };
    let mantissa = down + i128::from(is_up);
    match u32::try_from(keep) {
        Ok(scale) => Some(Small { mantissa, scale }),
        Err(_) => {
            let zeros = 10i128.checked_pow(u32::try_from(keep.unsigned_abs()).ok()?)?;
            Some(Small { mantissa: mantissa.checked_mul(zeros)?, scale: 0 })
        }
    }
}

/// A number of any length, or none that is finite.
enum Big {
    Finite(BigDecimal),
    Double(f64),
}

impl Big {
    fn of(number: &Number<'_>, work: &mut Work) -> Result<Big, Rejection> {
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

    fn double(&self) -> f64 {
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

fn compute_big<'a>(
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
    pay(widest, digits(right), work)?;
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

fn compute_double(left: f64, operation: Operation, right: f64) -> f64 {
    match operation {
        Operation::Plus => left + right,
        Operation::Minus => left - right,
        Operation::Times => left * right,
        Operation::DividedBy => left / right,
        Operation::Modulo => left % right,
    }
}

fn of_double<'a>(double: f64) -> Number<'a> {
    Number::Written(Text::Slice(match double {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        0.0 => "0",
        _ => "NaN",
    }))
}

fn divided_by_zero() -> Rejection {
    Rejection::new("template_error", "division by zero")
}

fn too_long() -> Rejection {
    let reason = format!("a number has more than {MAX_DIGITS} digits");
    Rejection::new("template_error", reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::Written(Text::Slice(text))
    }

    fn compute(left: &str, operation: Operation, right: &str) -> String {
        let mut work = Work::new();
        match number(left).compute(operation, &number(right), &mut work) {
            Ok(result) => result.text().to_string(),
            Err(rejection) => rejection.reason,
        }
    }

    fn round(text: &str, rounding: Rounding) -> String {
        number(text).round(rounding, &mut Work::new()).unwrap().text().to_string()
    }

    #[test]
    fn results_are_exact_and_keep_their_digits() {
        use Operation::{DividedBy, Minus, Modulo, Plus, Times};
        let long = "12345678901234567890.123456789";
        for (left, operation, right, expected) in [
            ("1.50", Plus, "0.50", "2.00"),
            ("10.1", Minus, "2.2", "7.9"),
            ("10", Minus, "2.0", "8.0"),
            (long, Plus, "1", "12345678901234567891.123456789"),
            (long, Times, "1", long),
            ("9223372036854775807", Plus, "1", "9223372036854775808"),
            ("-9223372036854775808", DividedBy, "-1", "9223372036854775808"),
            (
                "170141183460469231731687303715884105727",
                Plus,
                "1",
                "170141183460469231731687303715884105728",
            ),
            ("5.0", Times, "2.1", "10.5"),
            ("19.99", Times, "3", "59.97"),
            ("9", DividedBy, "2", "4"),
            ("-9", DividedBy, "2", "-5"),
            ("9.0", DividedBy, "2", "4.5"),
            ("10", DividedBy, "2.0", "5.0"),
            ("0", DividedBy, "1.1", "0.0"),
            ("20", DividedBy, "7.0", "2.857142857142857"),
            ("1", DividedBy, "3000.0", "0.0003333333333333333"),
            ("2e40", DividedBy, "3.0", "6666666666666666666666666666666666666666.7"),
            ("10.1", Modulo, "7.0", "3.1"),
            ("-7", Modulo, "3", "2"),
            ("7", Modulo, "-3", "-2"),
            ("1e2", Plus, "1", "101"),
            ("1e30", Plus, "1", "1000000000000000000000000000001"),
            ("NaN", Plus, "1", "NaN"),
            ("Infinity", Minus, "1", "Infinity"),
            ("1", DividedBy, "-Infinity", "0"),
            ("1", DividedBy, "0", "division by zero"),
            ("1e30", Modulo, "0.00", "division by zero"),
            ("1e200000", Plus, "1", "a number has more than 160000 digits"),
            ("1e999999999", Times, "1", "a number has more than 160000 digits"),
        ] {
            assert_eq!(compute(left, operation, right), expected, "{left} {operation:?} {right}");
        }
    }

    #[test]
    fn rounding_goes_where_it_says() {
        for (text, rounding, expected) in [
            ("5.666", Rounding::Nearest(2), "5.67"),
            ("5.666", Rounding::Nearest(-2), "0"),
            ("150", Rounding::Nearest(-2), "200"),
            ("-2.5", Rounding::Nearest(0), "-3"),
            ("2.5", Rounding::Nearest(0), "3"),
            ("-2.4", Rounding::Nearest(0), "-2"),
            ("1.50", Rounding::Nearest(3), "1.50"),
            ("5.1", Rounding::Up, "6"),
            ("-5.1", Rounding::Up, "-5"),
            ("-5.1", Rounding::Down, "-6"),
            ("5", Rounding::Up, "5"),
            ("1e-7", Rounding::Up, "1"),
            (
                "12345678901234567890123456789012345678901.5",
                Rounding::Nearest(0),
                "12345678901234567890123456789012345678902",
            ),
            ("5", Rounding::Nearest(i64::MAX), "5"),
            ("5", Rounding::Nearest(i64::MIN), "0"),
            ("NaN", Rounding::Up, "NaN"),
        ] {
            assert_eq!(round(text, rounding), expected, "{text} {rounding:?}");
        }
    }

    proptest! {
        /// The short way and the long one are one arithmetic.
        #[test]
        fn small_and_big_agree(
            left in -1_000_000_000i64..1_000_000_000, right in -100_000i64..100_000,
            left_scale in 0u32..6, right_scale in 0u32..6,
            operation in prop::sample::select(vec![
                Operation::Plus, Operation::Minus, Operation::Times, Operation::DividedBy, Operation::Modulo,
            ]),
        ) {
            prop_assume!(right != 0 || !matches!(operation, Operation::DividedBy | Operation::Modulo));
            let left = Small { mantissa: left.into(), scale: left_scale }.to_number();
            let right = Small { mantissa: right.into(), scale: right_scale }.to_number();
            let mut work = Work::new();
            let small = left.compute(operation, &right, &mut work).unwrap();
            let big = |number: &Number<'_>| BigDecimal::from_str(&number.text()).unwrap();
            let long = compute_big(&big(&left), operation, &big(&right), &mut work).unwrap();
            prop_assert_eq!(&*small.text(), &*long.text());
        }
    }
}
