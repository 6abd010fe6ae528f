//! Conditions: what `if` and `elsif` ask, with Liquid's meaning.
//!
//! Only `nil` and `false` are false. Values of different kinds are never equal, but text that is a
//! number is ordered as one beside a number. `and` and `or` bind alike, from right to left. A value
//! of `json` that is a text, a number, a boolean or null is that; other JSON is equal to JSON of
//! the same letters.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Located;
use super::operand::Operand;
use super::parse::{self, Lexeme, Term, Token};
use super::scan::Span;
use crate::change::Change;
use crate::error::{Fault, Rejection};
use crate::names::Names;
use crate::number;
use crate::value::Value;

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

/// Compiles the arguments of an `if` or `elsif`.
pub(super) fn compile(arguments: Span<'_>, names: Names<'_>) -> Result<Condition, Located> {
    let end = arguments.at + arguments.text.len();
    let mut tokens = parse::tokens(arguments)?.into_iter().peekable();
    let mut condition = Condition { tests: Vec::new(), joins: Vec::new() };
    let mut operators = 0;
    loop {
        let left = operand(tokens.next(), end, names)?;
        let mut test = Test { left, comparison: None };
        if let Some(operator) = tokens.peek().and_then(comparison) {
            tokens.next();
            operators += 1;
            test.comparison = Some((operator, operand(tokens.next(), end, names)?));
        }
        condition.tests.push(test);
        let Some(token) = tokens.next() else { return Ok(condition) };
        let Some(join) = join(&token) else {
            return Err(Fault::invalid("\"and\", \"or\" or a comparison is expected").at(token.at));
        };
        condition.joins.push(join);
        operators += 1;
        if operators > MAX_OPERATORS {
            let message = format!("a condition has more than {MAX_OPERATORS} operators");
            return Err(Fault::invalid(message).at(token.at));
        }
    }
}

fn operand(token: Option<Token>, end: usize, names: Names<'_>) -> Result<Operand, Located> {
    let Some(Token { lexeme, at }) = token else {
        return Err(Fault::invalid("a condition needs a value").at(end));
    };
    match lexeme {
        Lexeme::Term(term) => Operand::resolve(term, names).map_err(|fault| fault.at(at)),
        Lexeme::Symbol(symbol) => {
            Err(Fault::invalid(format!("a value is expected instead of {symbol:?}")).at(at))
        }
    }
}

fn comparison(token: &Token) -> Option<Operator> {
    let text = match &token.lexeme {
        Lexeme::Symbol(symbol) => symbol.as_str(),
        Lexeme::Term(Term::Path(path)) if path.len() == 1 => path.first()?,
        Lexeme::Term(_) => return None,
    };
    match text {
        "==" => Some(Operator::Equal),
        "!=" | "<>" => Some(Operator::NotEqual),
        "<" => Some(Operator::Less),
        "<=" => Some(Operator::LessOrEqual),
        ">" => Some(Operator::Greater),
        ">=" => Some(Operator::GreaterOrEqual),
        "contains" => Some(Operator::Contains),
        _ => None,
    }
}

fn join(token: &Token) -> Option<Join> {
    match &token.lexeme {
        Lexeme::Term(Term::Path(path)) => match path.as_slice() {
            [word] if word == "and" => Some(Join::And),
            [word] if word == "or" => Some(Join::Or),
            _ => None,
        },
        _ => None,
    }
}

impl Condition {
    /// Whether it holds for a change.
    pub fn holds(&self, change: &Change<'_>) -> Result<bool, Rejection> {
        let mut tests = self.tests.iter().rev();
        let mut result = match tests.next() {
            Some(last) => last.holds(change)?,
            None => false,
        };
        for (test, join) in tests.zip(self.joins.iter().rev()) {
            result = match join {
                Join::And => test.holds(change)? && result,
                Join::Or => test.holds(change)? || result,
            };
        }
        Ok(result)
    }
}

impl Test {
    fn holds(&self, change: &Change<'_>) -> Result<bool, Rejection> {
        let left = scalar(self.left.value(change)?);
        let Some((operator, right_operand)) = &self.comparison else {
            return Ok(is_true(&left));
        };
        let right = scalar(right_operand.value(change)?);
        let equal = || match (&self.left, right_operand) {
            (Operand::Empty, Operand::Blank) | (Operand::Blank, Operand::Empty) => false,
            (_, Operand::Empty) => is_empty(&left),
            (Operand::Empty, _) => is_empty(&right),
            (_, Operand::Blank) => is_blank(&left),
            (Operand::Blank, _) => is_blank(&right),
            _ => equal(&left, &right),
        };
        let order = || match (&self.left, right_operand) {
            (Operand::Empty | Operand::Blank, _) | (_, Operand::Empty | Operand::Blank) => None,
            _ => compare(&left, &right),
        };
        Ok(match operator {
            Operator::Equal => equal(),
            Operator::NotEqual => !equal(),
            Operator::Less => order().is_some_and(Ordering::is_lt),
            Operator::LessOrEqual => order().is_some_and(Ordering::is_le),
            Operator::Greater => order().is_some_and(Ordering::is_gt),
            Operator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Operator::Contains => contains(&left, &right),
        })
    }
}

/// JSON that is no array and no object, as the value that it is; bytes as their text.
fn scalar(value: Value<'_>) -> Value<'_> {
    if let Value::Bytes(_) = value {
        return Value::Text(value.into_text());
    }
    let Value::Json(json) = &value else { return value };
    let json = json.trim();
    match json.chars().next() {
        Some('"') => match serde_json::from_str::<String>(json) {
            Ok(text) => Value::Text(Cow::Owned(text)),
            Err(_) => value,
        },
        Some('t') => Value::Bool(true),
        Some('f') => Value::Bool(false),
        Some('n') => Value::Null,
        Some('-' | '0'..='9') => Value::Number(Cow::Owned(json.to_owned())),
        _ => value,
    }
}

fn is_true(value: &Value<'_>) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::Json(json) => {
            let json = json.trim();
            let inside = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
            json.starts_with(['[', '{']) && inside.trim().is_empty()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Bytes(_) => false,
    }
}

fn is_blank(value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.trim().is_empty(),
        _ => !is_true(value) || is_empty(value),
    }
}

fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            number::compare(left, right).is_some_and(Ordering::is_eq)
        }
        _ => left == right,
    }
}

/// The order of two numbers, of two texts, or of a number and a text that is one.
fn compare(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right) | Value::Text(right))
        | (Value::Text(left), Value::Number(right)) => number::compare(left.trim(), right.trim()),
        _ => None,
    }
}

/// Whether a text has another within it, an array an element, or an object a name. By Liquid's
/// rule nothing contains `nil` or `false`.
fn contains(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (_, Value::Null | Value::Bool(false)) => false,
        (Value::Text(text), _) => text.contains(right.text().as_ref()),
        (Value::Json(json), _) if json.trim_start().starts_with('[') => {
            // RawValue is read by serde_json without recursion, so the depth does not matter.
            let elements = serde_json::from_str::<Vec<&RawValue>>(json).unwrap_or_default();
            let element = |raw: &RawValue| scalar(Value::Json(Cow::Owned(raw.get().to_owned())));
            elements.into_iter().any(|raw| equal(&element(raw), right))
        }
        (Value::Json(json), Value::Text(name)) => {
            serde_json::from_str::<HashMap<String, IgnoredAny>>(json)
                .is_ok_and(|object| object.contains_key(name.as_ref()))
        }
        _ => false,
    }
}
