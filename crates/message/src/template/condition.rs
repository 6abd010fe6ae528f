//! Conditions: what `if`, `unless` and `elsif` ask, with Liquid's meaning. Only `nil` and `false`
//! are false. `and` and `or` bind alike, from right to left.

use std::cmp::Ordering;

use super::Located;
use super::expression::Reader;
use super::operand::Operand;
use super::render::Render;
use super::scan::Span;
use super::scope::Scope;
use super::token::Lexeme;
use crate::error::{Fault, Rejection};

/// The most operators of one condition, `and` and `or` included.
const MAX_OPERATORS: usize = 100;

/// Tests and what joins each to the next: one join less than tests.
#[derive(Debug)]
pub(super) struct Condition {
    tests: Vec<Test>,
    joins: Vec<Join>,
}

#[derive(Clone, Copy, Debug)]
enum Join {
    And,
    Or,
}

#[derive(Debug)]
struct Test {
    left: Operand,
    comparison: Option<(Operator, Operand)>,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

/// Compiles the arguments of an `if`, `unless` or `elsif`.
pub(super) fn compile(arguments: Span<'_>, scope: &Scope<'_>) -> Result<Condition, Located> {
    let mut reader = Reader::of(arguments, scope)?;
    let mut condition = Condition { tests: Vec::new(), joins: Vec::new() };
    let mut operators = 0;
    loop {
        let left = operand(&mut reader)?;
        let mut test = Test { left, comparison: None };
        if let Some(operator) = reader.peek().and_then(comparison) {
            reader.next();
            operators += 1;
            test.comparison = Some((operator, operand(&mut reader)?));
        }
        condition.tests.push(test);
        let at = reader.at();
        let Some(lexeme) = reader.next() else { return Ok(condition) };
        condition.joins.push(join(lexeme).map_err(|fault| fault.at(at))?);
        operators += 1;
        if operators > MAX_OPERATORS {
            let message = format!("a condition has more than {MAX_OPERATORS} operators");
            return Err(Fault::invalid(message).at(at));
        }
    }
}

fn operand(reader: &mut Reader<'_, '_, '_>) -> Result<Operand, Located> {
    reader.operand("a condition needs a value")
}

fn comparison(lexeme: Lexeme<'_>) -> Option<Operator> {
    match lexeme {
        Lexeme::Symbol("==") => Some(Operator::Equal),
        Lexeme::Symbol("!=" | "<>") => Some(Operator::NotEqual),
        Lexeme::Symbol("<") => Some(Operator::Less),
        Lexeme::Symbol("<=") => Some(Operator::LessOrEqual),
        Lexeme::Symbol(">") => Some(Operator::Greater),
        Lexeme::Symbol(">=") => Some(Operator::GreaterOrEqual),
        Lexeme::Name("contains") => Some(Operator::Contains),
        _ => None,
    }
}

fn join(lexeme: Lexeme<'_>) -> Result<Join, Fault> {
    match lexeme {
        Lexeme::Name("and") => Ok(Join::And),
        Lexeme::Name("or") => Ok(Join::Or),
        Lexeme::Symbol("|") => Err(Fault::invalid("a condition has no filters")
            .with_hint("Give the filtered value a name by assign first.".to_owned())),
        _ => Err(Fault::invalid("\"and\", \"or\" or a comparison is expected")),
    }
}

impl Condition {
    /// Whether it holds.
    pub fn holds<'a>(&'a self, render: &mut Render<'a>) -> Result<bool, Rejection> {
        let mut tests = self.tests.iter().rev();
        let mut result = match tests.next() {
            Some(last) => last.holds(render)?,
            None => false,
        };
        for (test, join) in tests.zip(self.joins.iter().rev()) {
            result = match join {
                Join::And => test.holds(render)? && result,
                Join::Or => test.holds(render)? || result,
            };
        }
        Ok(result)
    }
}

impl Test {
    fn holds<'a>(&'a self, render: &mut Render<'a>) -> Result<bool, Rejection> {
        let left = render.value(&self.left)?;
        let Some((operator, right)) = &self.comparison else { return Ok(left.is_true()) };
        let right = render.value(right)?;
        let work = render.work();
        work.step()?;
        Ok(match operator {
            Operator::Equal => left.equals(&right, work)?,
            Operator::NotEqual => !left.equals(&right, work)?,
            Operator::Less => left.compare(&right, work)?.is_some_and(Ordering::is_lt),
            Operator::LessOrEqual => left.compare(&right, work)?.is_some_and(Ordering::is_le),
            Operator::Greater => left.compare(&right, work)?.is_some_and(Ordering::is_gt),
            Operator::GreaterOrEqual => left.compare(&right, work)?.is_some_and(Ordering::is_ge),
            Operator::Contains => left.contains(&right, work)?,
        })
    }
}
