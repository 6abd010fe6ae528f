//! Numbers by their digits. A Postgres numeric has up to 131,072 digits before the point,
//! a bigint more than a double holds: nothing here goes through `f64`.

use std::cmp::Ordering;

/// A finite number taken apart: the sign, and `0.d1d2d3… × 10^magnitude` with `d1` not zero.
/// Zero has no digits.
pub(crate) struct Decimal<'a> {
    negative: bool,
    magnitude: i64,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads a number as Postgres or a template writes it; `NaN` and the infinities are none.
    pub fn parse(text: &'a str) -> Option<Decimal<'a>> {
        match parse(text)? {
            Number::Finite(decimal) => Some(decimal),
            Number::NegativeInfinity | Number::Infinity => None,
        }
    }

    pub fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The power of ten that the digits after a leading `0.` are multiplied by.
    pub fn magnitude(&self) -> i64 {
        self.magnitude
    }

    /// The number, if it is a whole one that fits.
    pub fn to_u16(&self) -> Option<u16> {
        if self.is_zero() {
            return Some(0);
        }
        let places = usize::try_from(self.magnitude).ok().filter(|places| *places <= 5)?;
        if self.negative || self.digits().count() > places {
            return None;
        }
        let digits = self.digits().chain(std::iter::repeat(b'0')).take(places);
        let number = digits.fold(0u32, |number, digit| number * 10 + u32::from(digit - b'0'));
        u16::try_from(number).ok()
    }

    fn sign(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// The digits, without zeros at either end.
    pub fn digits(&self) -> impl Iterator<Item = u8> + 'a {
        self.whole.bytes().chain(self.fraction.bytes())
    }
}

/// Whether text is a number that can be compared: as [`compare`] reads it, and not `NaN`.
pub(crate) fn is_number(text: &str) -> bool {
    parse(text).is_some()
}

enum Number<'a> {
    NegativeInfinity,
    Finite(Decimal<'a>),
    Infinity,
}

/// Compares two numbers as Postgres or a template writes them, such as `10`, `-1.50`, `1e300` or
/// `Infinity`. `None` when either is not a number, `NaN` included: it is not less than, equal to or
/// greater than anything.
pub(crate) fn compare(left: &str, right: &str) -> Option<Ordering> {
    use Number::{Finite, Infinity, NegativeInfinity};
    Some(match (parse(left)?, parse(right)?) {
        (Finite(left), Finite(right)) => compare_decimals(&left, &right),
        (Infinity, Infinity) | (NegativeInfinity, NegativeInfinity) => Ordering::Equal,
        (NegativeInfinity, _) | (_, Infinity) => Ordering::Less,
        (Infinity, _) | (_, NegativeInfinity) => Ordering::Greater,
    })
}

fn parse(text: &str) -> Option<Number<'_>> {
    match text {
        "Infinity" => return Some(Number::Infinity),
        "-Infinity" => return Some(Number::NegativeInfinity),
        _ => {}
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    Some(Number::Finite(decimal(negative, whole, fraction, exponent)))
}

fn decimal<'a>(negative: bool, whole: &'a str, fraction: &'a str, exponent: i32) -> Decimal<'a> {
    let whole = whole.trim_start_matches('0');
    let mut fraction = fraction.trim_end_matches('0');
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX / 2);
    let mut magnitude = i64::from(exponent) + length(whole);
    if whole.is_empty() {
        let leading = length(fraction);
        fraction = fraction.trim_start_matches('0');
        magnitude -= leading - length(fraction);
    }
    // 100 and 1e2 have the same digits.
    let whole = if fraction.is_empty() { whole.trim_end_matches('0') } else { whole };
    Decimal { negative, magnitude, whole, fraction }
}

fn compare_decimals(left: &Decimal<'_>, right: &Decimal<'_>) -> Ordering {
    let by_sign = left.sign().cmp(&right.sign());
    if by_sign != Ordering::Equal || left.is_zero() {
        return by_sign;
    }
    // Without trailing zeros, digits after the point compare as text does.
    let by_size =
        left.magnitude.cmp(&right.magnitude).then_with(|| left.digits().cmp(right.digits()));
    if left.negative { by_size.reverse() } else { by_size }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_compare_by_value_and_not_by_text() {
        use Ordering::{Equal, Greater, Less};
        for (left, right, expected) in [
            ("10", "9", Greater),
            ("-10", "-9", Less),
            ("1.50", "1.5", Equal),
            ("1e2", "100", Equal),
            ("1e300", "9", Greater),
            ("0.001", "1e-3", Equal),
            ("0.0010", "0.01", Less),
            ("-0", "0.00", Equal),
            ("0", "-0.1", Greater),
            ("101", "10.1", Greater),
            ("1.05", "1.5", Less),
            ("12345678901234567890.123456789", "12345678901234567890.123456788", Greater),
            ("9007199254740993", "9007199254740992", Greater),
            ("-Infinity", "-1e300", Less),
            ("Infinity", "Infinity", Equal),
            ("1", "Infinity", Less),
        ] {
            assert_eq!(compare(left, right), Some(expected), "{left} {right}");
            assert_eq!(compare(right, left), Some(expected.reverse()), "{right} {left}");
        }
    }

    #[test]
    fn what_is_not_a_number_compares_with_nothing() {
        for bad in [
            "NaN",
            "",
            "-",
            "ten",
            "1 ",
            "0x10",
            "1.2.3",
            ".5",
            "5.",
            "5.e1",
            "1e",
            "1e99999999999",
            "٣",
        ] {
            assert!(!is_number(bad), "{bad}");
            assert_eq!(compare(bad, "1"), None, "{bad}");
            assert_eq!(compare(bad, bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn integers_compare_as_integers_do(left in any::<i128>(), right in any::<i128>()) {
            prop_assert_eq!(compare(&left.to_string(), &right.to_string()), Some(left.cmp(&right)));
        }

        #[test]
        fn decimals_compare_as_scaled_integers_do(
            left in -100_000i64..100_000, right in -100_000i64..100_000,
        ) {
            let text = |n: i64| {
                format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000)
            };
            prop_assert_eq!(compare(&text(left), &text(right)), Some(left.cmp(&right)));
            prop_assert_eq!(compare(&format!("{left}e-3"), &text(right)), Some(left.cmp(&right)));
        }

        #[test]
        fn whole_numbers_read_as_they_are(n in any::<u32>(), zeros in 0usize..5) {
            let expected = u16::try_from(n).ok();
            let read = |text: &str| Decimal::parse(text).and_then(|n| n.to_u16());
            prop_assert_eq!(read(&n.to_string()), expected);
            prop_assert_eq!(read(&format!("{n}.0{}", "0".repeat(zeros))), expected);
            prop_assert_eq!(read(&format!("{n}{}e-{zeros}", "0".repeat(zeros))), expected);
            prop_assert_eq!(read(&format!("{n}.5")), None);
            prop_assert_eq!(read(&format!("-{n}")), (n == 0).then_some(0));
        }

        #[test]
        fn no_text_makes_it_panic(left in any::<String>(), right in "[-+0-9.eE]{0,12}") {
            compare(&left, &right);
            compare(&right, &left);
            for text in [left, right] {
                Decimal::parse(&text).and_then(|number| number.to_u16());
            }
        }
    }
}
