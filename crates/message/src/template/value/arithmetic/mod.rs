//! Arithmetic without loss: on 128-bit integers and a scale where that is enough, which is nearly
//! always, else on `bigdecimal`. `NaN` and the infinities behave as in a double.
//!
//! A result has at least as many digits after the point as the operand with more of them: `1.50`
//! and `0.50` are `2.00`. A quotient that never ends has 16 significant digits, as Postgres has it.

mod big;
mod small;

use self::big::{Big, compute_big};
use self::small::{Small, compute_small, round_small};
use super::{Number, Text};
use crate::error::Rejection;
use crate::template::work::Work;

/// The most digits of an operand or a result, about as many as Postgres has.
const MAX_DIGITS: i64 = 160_000;

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
        Ok(match Big::of(self, work)? {
            Big::Finite(number) => big::round(&number, rounding),
            Big::Double(_) => self.clone(),
        })
    }

    /// The number without its sign.
    pub fn abs(&self, work: &mut Work) -> Result<Number<'a>, Rejection> {
        work.read(self.bytes())?;
        Ok(match self {
            Number::Int(n) => n
                .checked_abs()
                .map_or_else(|| Number::Written(n.unsigned_abs().to_string().into()), Number::Int),
            Number::Written(text) => {
                Number::Written(text.part(|text| text.strip_prefix('-').unwrap_or(text)))
            }
        })
    }
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
    use std::str::FromStr;

    use bigdecimal::BigDecimal;
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
