//! The rule for attributes of type Number.

use crate::error::Rejection;
use crate::number::Decimal;

/// The most digits, zeros at either end not counted.
/// Source: SQS Developer Guide, "Message attribute data types": "A number can have up to 38 digits
/// of precision, and it can be between 10^-128 and 10^+126. Amazon SQS removes leading and trailing
/// zeroes."
pub const MAX_DIGITS: usize = 38;

/// The least number above zero is 10 to the power of this. Source: as for [`MAX_DIGITS`].
pub const MIN_EXPONENT: i64 = -128;

/// The largest number is 10 to the power of this. Source: as for [`MAX_DIGITS`].
pub const MAX_EXPONENT: i64 = 126;

/// Checks a number as it is written. What the rejection says begins with a verb, to come after the
/// name of what is checked.
pub(crate) fn check_number(text: &str) -> Result<(), Rejection> {
    let rejection = |reason: &str| Rejection::new("invalid_number", reason);
    // SQS does not say that it takes a plus sign, and Postgres writes none.
    let Some(number) = Decimal::parse(text).filter(|_| !text.starts_with('+')) else {
        return Err(rejection("is not a number").with_hint(
            "NaN and the infinities are none for SQS either: the type String takes any text.",
        ));
    };
    let digits = number.digits().count();
    if digits > MAX_DIGITS {
        let reason = format!("has {digits} digits, more than SQS's limit of {MAX_DIGITS}");
        return Err(rejection(&reason).with_hint(ROUND));
    }
    // The number is 0.d1d2d3… times ten to the power of its magnitude.
    let is_in_range = number.is_zero()
        || (MIN_EXPONENT < number.magnitude() && number.magnitude() <= MAX_EXPONENT)
        || (number.magnitude() == MAX_EXPONENT + 1 && number.digits().eq([b'1']));
    if is_in_range {
        return Ok(());
    }
    let reason = format!("is outside SQS's range, from 10^{MIN_EXPONENT} to 10^{MAX_EXPONENT}");
    Err(rejection(&reason).with_hint(ROUND))
}

const ROUND: &str = "Round it in the model, or use the type String, which takes any text.";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_have_up_to_38_digits_and_sqs_range() {
        let nines = "9".repeat(38);
        for good in [
            "0",
            "-0.000",
            "1.50",
            "-12345678901234567890.123456789",
            &nines,
            &format!("{nines}000"),
            &format!("000.000{nines}"),
            "1e-128",
            "1e126",
            "-1e+126",
            "10e125",
            "9.99e125",
            &format!("1{}", "0".repeat(126)),
            &format!("0.{}1", "0".repeat(127)),
            "0e999",
        ] {
            check_number(good).unwrap();
        }
        for (bad, word) in [
            ("", "not a number"),
            ("NaN", "not a number"),
            ("-Infinity", "not a number"),
            ("true", "not a number"),
            ("+1", "not a number"),
            (" 1", "not a number"),
            ("1,5", "not a number"),
            ("0x10", "not a number"),
            (&format!("1{nines}"), "39 digits"),
            (&format!("{nines}.01"), "40 digits"),
            ("1e127", "range"),
            ("1.1e126", "range"),
            ("-2e126", "range"),
            ("9e-129", "range"),
            ("1e2000000000", "range"),
        ] {
            let rejection = check_number(bad).unwrap_err();
            assert_eq!(rejection.code, "invalid_number", "{bad}");
            assert!(rejection.reason.contains(word), "{bad}: {}", rejection.reason);
        }
    }
}
