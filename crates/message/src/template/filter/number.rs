//! Filters of numbers. Text that is a number is one; everything else is 0.

use super::{Input, Made, number_of};
use crate::template::value::{Number, Operation, Rounding, Val};
use crate::template::work::Work;

pub(super) fn abs<'a>(input: Input<'a>, _: &mut Work) -> Made<'a> {
    Ok(Val::Number(number_of(&input.value).abs()))
}

pub(super) fn ceil<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::Number(number_of(&input.value).round(Rounding::Up, work)?))
}

pub(super) fn floor<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::Number(number_of(&input.value).round(Rounding::Down, work)?))
}

/// To so many digits after the point, by default none.
pub(super) fn round<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let digits = input.first.as_ref().map(number_of).and_then(|digits| digits.to_int());
    let rounding = Rounding::Nearest(digits.unwrap_or(0));
    Ok(Val::Number(number_of(&input.value).round(rounding, work)?))
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
    let other = argument(input);
    Ok(Val::Number(number_of(&input.value).compute(operation, &other, work)?))
}

fn argument<'a>(input: &Input<'a>) -> Number<'a> {
    input.first.as_ref().map_or(Number::Int(0), number_of)
}

pub(super) fn at_least<'a>(input: Input<'a>, _: &mut Work) -> Made<'a> {
    let (number, least) = (number_of(&input.value), argument(&input));
    let is_below = number.compare(&least).is_some_and(|order| order.is_lt());
    Ok(Val::Number(if is_below { least } else { number }))
}

pub(super) fn at_most<'a>(input: Input<'a>, _: &mut Work) -> Made<'a> {
    let (number, most) = (number_of(&input.value), argument(&input));
    let is_above = number.compare(&most).is_some_and(|order| order.is_gt());
    Ok(Val::Number(if is_above { most } else { number }))
}
