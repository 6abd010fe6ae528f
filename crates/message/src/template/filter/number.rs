//! Filters of numbers. Text that is a number is one; everything else is 0.

use super::{Input, Made, number_of};
use crate::error::Rejection;
use crate::template::value::{Number, Operation, Rounding, Val};
use crate::template::work::Work;

pub(super) fn abs<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::Number(number_of(&input.value, work)?.abs(work)?))
}

pub(super) fn ceil<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::Number(number_of(&input.value, work)?.round(Rounding::Up, work)?))
}

pub(super) fn floor<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::Number(number_of(&input.value, work)?.round(Rounding::Down, work)?))
}

/// To so many digits after the point, by default none.
pub(super) fn round<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let digits = match &input.first {
        Some(digits) => digits.to_int(work)?,
        None => None,
    };
    let rounding = Rounding::Nearest(digits.unwrap_or(0));
    Ok(Val::Number(number_of(&input.value, work)?.round(rounding, work)?))
}

pub(super) fn plus<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    compute(&input, Operation::Plus, work)
}

pub(super) fn minus<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    compute(&input, Operation::Minus, work)
}

pub(super) fn times<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    compute(&input, Operation::Times, work)
}

pub(super) fn divided_by<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    compute(&input, Operation::DividedBy, work)
}

pub(super) fn modulo<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    compute(&input, Operation::Modulo, work)
}

fn compute<'a>(input: &Input<'a>, operation: Operation, work: &mut Work) -> Made<'a> {
    let other = argument(input, work)?;
    Ok(Val::Number(number_of(&input.value, work)?.compute(operation, &other, work)?))
}

fn argument<'a>(input: &Input<'a>, work: &mut Work) -> Result<Number<'a>, Rejection> {
    input.first.as_ref().map_or(Ok(Number::Int(0)), |argument| number_of(argument, work))
}

pub(super) fn at_least<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let (number, least) = (number_of(&input.value, work)?, argument(&input, work)?);
    let is_below = number.compare(&least, work)?.is_some_and(|order| order.is_lt());
    Ok(Val::Number(if is_below { least } else { number }))
}

pub(super) fn at_most<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let (number, most) = (number_of(&input.value, work)?, argument(&input, work)?);
    let is_above = number.compare(&most, work)?.is_some_and(|order| order.is_gt());
    Ok(Val::Number(if is_above { most } else { number }))
}
