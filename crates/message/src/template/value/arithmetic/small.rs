//! Numbers that fit 128 bits: an integer, and how many of its digits are after the point.

use std::cmp::Ordering;

use super::{Operation, Rounding};
use crate::template::value::Number;

/// `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Small {
    pub mantissa: i128,
    pub scale: u32,
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

    pub fn of(number: &Number<'_>) -> Option<Small> {
        match number {
            Number::Int(n) => Some(Small { mantissa: i128::from(*n), scale: 0 }),
            Number::Written(text) => Small::parse(text),
        }
    }

    /// The mantissa at a scale that is no smaller.
    fn at(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10i128.checked_pow(scale - self.scale)?)
    }

    pub fn to_number<'a>(self) -> Number<'a> {
        match (self.scale, i64::try_from(self.mantissa)) {
            (0, Ok(n)) => Number::Int(n),
            _ => Number::Written(self.written().into()),
        }
    }

    /// Its digits, with a point before the last `scale` of them.
    fn written(self) -> String {
        let size = self.mantissa.unsigned_abs();
        // Most fit 64 bits, which are written sooner.
        let mut digits = u64::try_from(size).map_or_else(|_| size.to_string(), |n| n.to_string());
        let scale = self.scale as usize;
        if scale > 0 {
            if digits.len() <= scale {
                digits.insert_str(0, &"0".repeat(scale + 1 - digits.len()));
            }
            digits.insert(digits.len() - scale, '.');
        }
        if self.mantissa < 0 {
            digits.insert(0, '-');
        }
        digits
    }
}

pub(super) fn compute_small(left: Small, operation: Operation, right: Small) -> Option<Small> {
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

pub(super) fn round_small(number: Small, rounding: Rounding) -> Option<Small> {
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
