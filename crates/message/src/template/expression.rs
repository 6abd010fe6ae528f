//! Values and filters as a template writes them: tokens to operands and calls of filters. What is
//! within brackets is read by recursion, of a depth that is capped.

use super::Located;
use super::filter::{self, Filter};
use super::operand::{Literal, Operand, Segment};
use super::scan::Span;
use super::scope::Scope;
use super::token::{Lexeme, Token, tokens};
use crate::error::Fault;

/// The most brackets within one another.
const MAX_DEPTH: usize = 30;

/// The most filters of one value.
const MAX_FILTERS: usize = 100;

/// A value and the filters that it goes through.
#[derive(Debug)]
pub(super) struct Expression {
    pub operand: Operand,
    pub filters: Vec<Call>,
}

impl Expression {
    /// Whether it is a column and nothing else.
    pub fn is_column(&self) -> bool {
        let is_one = matches!(self.operand, Operand::Column { .. } | Operand::OldColumn { .. });
        is_one && self.filters.is_empty()
    }
}

/// A filter with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub filter: &'static Filter,
    pub arguments: Vec<Operand>,
    /// `allow_false` of `default`.
    pub named: Option<Operand>,
    pub at: usize,
}

/// The tokens of an element that have not been read.
pub(super) struct Reader<'t, 's, 'n> {
    tokens: Vec<Token<'t>>,
    next: usize,
    /// Where the element ends.
    end: usize,
    scope: &'s Scope<'n>,
    depth: usize,
}

impl<'t, 's, 'n> Reader<'t, 's, 'n> {
    pub fn of(element: Span<'t>, scope: &'s Scope<'n>) -> Result<Self, Located> {
        let end = element.at + element.text.trim_end().len();
        Ok(Reader { tokens: tokens(element)?, next: 0, end, scope, depth: 0 })
    }

    /// Where the next token is, or where the element ends.
    pub fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    pub fn next(&mut self) -> Option<Lexeme<'t>> {
        let lexeme = self.peek();
        self.next += 1;
        lexeme
    }

    pub fn peek(&self) -> Option<Lexeme<'t>> {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Option<Lexeme<'t>> {
        self.tokens.get(self.next + by).map(|token| token.lexeme)
    }

    pub fn next_is(&mut self, symbol: &'static str) -> bool {
        self.next_if(Lexeme::Symbol(symbol))
    }

    pub fn next_is_word(&mut self, word: &'t str) -> bool {
        self.next_if(Lexeme::Name(word))
    }

    fn next_if(&mut self, lexeme: Lexeme<'t>) -> bool {
        let is_it = self.peek() == Some(lexeme);
        self.next += usize::from(is_it);
        is_it
    }

    pub fn expect(&mut self, symbol: &'static str) -> Result<(), Located> {
        let at = self.at();
        match self.next_is(symbol) {
            true => Ok(()),
            false => Err(Fault::invalid(format!("{symbol:?} is expected")).at(at)),
        }
    }

    /// Checks that nothing is left.
    pub fn end(&mut self, told: &str) -> Result<(), Located> {
        match self.peek() {
            Some(_) => Err(Fault::invalid(told).at(self.at())),
            None => Ok(()),
        }
    }

    /// Reads a value and its filters, up to the end.
    pub fn expression(&mut self, told: &str) -> Result<Expression, Located> {
        let operand = self.operand(told)?;
        let mut filters = Vec::new();
        loop {
            let at = self.at();
            if !self.next_is("|") {
                break;
            }
            if filters.len() == MAX_FILTERS {
                let message = format!("more than {MAX_FILTERS} filters of one value");
                return Err(Fault::invalid(message).at(at));
            }
            filters.push(self.call()?);
        }
        self.end("a filter begins with \"|\"; there is more than one value")?;
        Ok(Expression { operand, filters })
    }

    fn call(&mut self) -> Result<Call, Located> {
        let at = self.at();
        let Some(Lexeme::Name(name)) = self.next() else {
            return Err(Fault::invalid("the name of a filter is expected").at(at));
        };
        let filter = filter::named(name).map_err(|fault| fault.at(at))?;
        let mut call = Call { filter, arguments: Vec::new(), named: None, at };
        if self.next_is(":") {
            self.arguments(&mut call)?;
        }
        filter.check_count(call.arguments.len()).map_err(|fault| fault.at(at))?;
        Ok(call)
    }

    fn arguments(&mut self, call: &mut Call) -> Result<(), Located> {
        loop {
            let at = self.at();
            let name = self.next_if_named();
            let operand = self.operand("an argument of the filter is expected")?;
            match name {
                None => call.arguments.push(operand),
                Some(name) if call.filter.takes(name) => call.named = Some(operand),
                Some(name) => {
                    let message = format!("filter {:?} has no argument {name:?}", call.filter.name);
                    return Err(Fault::invalid(message).at(at));
                }
            }
            if !self.next_is(",") {
                return Ok(());
            }
        }
    }

    /// Reads the name of an argument and its colon.
    fn next_if_named(&mut self) -> Option<&'t str> {
        match (self.ahead(0), self.ahead(1)) {
            (Some(Lexeme::Name(name)), Some(Lexeme::Symbol(":"))) => {
                self.next += 2;
                Some(name)
            }
            _ => None,
        }
    }

    /// Reads a value. Without one the error is what is told.
    pub fn operand(&mut self, told: &str) -> Result<Operand, Located> {
        let at = self.at();
        let Some(lexeme) = self.next() else { return Err(Fault::invalid(told).at(at)) };
        match lexeme {
            Lexeme::Text(text) => Ok(Operand::Literal(Literal::Text(text.to_owned()))),
            Lexeme::Number(digits) => Ok(Operand::Literal(Literal::Number(normal(digits)))),
            Lexeme::Name(name) => self.named(name, at),
            Lexeme::Symbol("(") => self.deeper(at, Self::range),
            Lexeme::Symbol("[") => {
                let segment = self.deeper(at, Self::bracketed)?;
                let Segment::Name(name) = segment else {
                    let fault =
                        Fault::invalid("a name that is only known by row has no meaning here")
                            .with_hint("Look it up in something, such as row[name].".to_owned());
                    return Err(fault.at(at));
                };
                self.path(&name, at)
            }
            Lexeme::Symbol(symbol) => {
                Err(Fault::invalid(format!("{told} instead of {symbol:?}")).at(at))
            }
        }
    }

    fn named(&mut self, name: &str, at: usize) -> Result<Operand, Located> {
        let literal = match name {
            "nil" | "null" => Literal::Nil,
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "empty" => Literal::Empty,
            "blank" => Literal::Blank,
            _ => return self.path(name, at),
        };
        Ok(Operand::Literal(literal))
    }

    /// Reads what is looked up in a name, and gives both their meaning.
    fn path(&mut self, name: &str, at: usize) -> Result<Operand, Located> {
        let mut segments = Vec::new();
        loop {
            let at = self.at();
            if self.next_is(".") {
                let at = self.at();
                match self.next() {
                    Some(Lexeme::Name(name)) => segments.push(Segment::Field(name.to_owned())),
                    _ => return Err(Fault::invalid("a name is expected after \".\"").at(at)),
                }
            } else if self.next_is("[") {
                segments.push(self.deeper(at, Self::bracketed)?);
            } else {
                break;
            }
        }
        self.scope.resolve(name, segments).map_err(|fault| fault.at(at))
    }

    /// Reads what is between brackets, and the closing one.
    fn bracketed(&mut self) -> Result<Segment, Located> {
        let operand = self.operand("something to look up is expected")?;
        self.expect("]")?;
        Ok(match operand {
            Operand::Literal(Literal::Text(name)) => Segment::Name(name),
            Operand::Literal(Literal::Number(digits)) => match digits.parse() {
                Ok(place) => Segment::Index(place),
                // Nothing is as long as that.
                Err(_) => Segment::Index(i64::MAX),
            },
            operand => Segment::Dynamic(operand),
        })
    }

    /// Reads a range after its bracket.
    fn range(&mut self) -> Result<Operand, Located> {
        let first = self.operand("a range begins with a value")?;
        self.expect("..")?;
        let last = self.operand("a range ends with a value")?;
        self.expect(")")?;
        Ok(Operand::Range(Box::new((first, last))))
    }

    fn deeper<T>(
        &mut self,
        at: usize,
        read: fn(&mut Self) -> Result<T, Located>,
    ) -> Result<T, Located> {
        if self.depth == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} brackets within one another");
            return Err(Fault::invalid(message).at(at));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }
}

/// A number as JSON has it: without zeros before it.
fn normal(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let trimmed = digits.trim_start_matches('0');
    let zero = if trimmed.is_empty() || trimmed.starts_with('.') { "0" } else { "" };
    format!("{sign}{zero}{trimmed}")
}
