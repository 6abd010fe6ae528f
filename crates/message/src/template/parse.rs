//! The seam to the `liquid-core` crate: the text between one pair of delimiters to tokens. Nothing
//! outside this module names the crate.
//!
//! The crate's grammar recurses for each index within an index, and its parser has `expect`s that
//! an owner could reach with a number that is no `i64`. So an element is small ([`super::scan`]),
//! its brackets are counted before it is handed over, literals are read here from their text, and
//! the call is fenced with `catch_unwind`.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use liquid_core::parser::TagToken;
use liquid_core::runtime::RuntimeCore;
use liquid_core::{
    Language, ParseTag, Renderable, Runtime, TagReflection, TagTokenIter, ValueView,
};

use super::Located;
use super::scan::Span;
use crate::error::Fault;

/// The most `[` of one element: each can be a level of the parser's recursion.
const MAX_BRACKETS: usize = 128;

/// The most blanks in a row: the parser's time is quadratic in them when it gives up.
const MAX_BLANKS: usize = 256;

/// A value as a template writes it.
#[derive(Debug, PartialEq)]
pub(super) enum Term {
    Nil,
    Empty,
    Blank,
    Bool(bool),
    /// The digits of a number.
    Number(String),
    Text(String),
    /// A name and the names of what is looked up in it. Never empty.
    Path(Vec<String>),
}

#[derive(Debug, PartialEq)]
pub(super) enum Lexeme {
    Term(Term),
    /// An operator or a punctuation mark.
    Symbol(String),
}

/// A token and its offset in the template, in bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Token {
    pub lexeme: Lexeme,
    pub at: usize,
}

/// The element is handed over as the arguments of a tag of ours.
const TAG: &str = "t";
const BEFORE: &str = "{%t ";
const AFTER: &str = " %}";

/// Reads the text between one pair of delimiters.
pub(super) fn tokens(element: Span<'_>) -> Result<Vec<Token>, Located> {
    check_caps(element.text).map_err(|fault| fault.at(element.at))?;
    let text = format!("{BEFORE}{}{AFTER}", with_spaces(element.text));
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let reader = Reader {
        base: text.as_ptr() as usize + BEFORE.len(),
        at: element.at,
        tokens: tokens.clone(),
    };
    let mut language = Language::empty();
    language.tags.register(TAG.to_owned(), Box::new(reader));

    let parsed = catch_unwind(AssertUnwindSafe(|| liquid_core::parser::parse(&text, &language)));
    match parsed {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(not_liquid(element, &text, &error.to_string())),
        Err(_) => return Err(Fault::invalid("this cannot be read as Liquid").at(element.at)),
    }
    let read = tokens.lock().map(|mut tokens| std::mem::take(&mut *tokens)).unwrap_or_default();
    read.into_iter().collect()
}

/// Checks what must hold before the parser may see an element.
fn check_caps(text: &str) -> Result<(), Fault> {
    let brackets = text.matches('[').count();
    if brackets > MAX_BRACKETS {
        let message = format!("{brackets} brackets between delimiters, more than {MAX_BRACKETS}");
        return Err(Fault::invalid(message));
    }
    let is_blank = |c: char| c.is_ascii_whitespace();
    if text.split(|c| !is_blank(c)).any(|blanks| blanks.len() > MAX_BLANKS) {
        let message = format!("more than {MAX_BLANKS} blanks in a row between delimiters");
        return Err(Fault::invalid(message));
    }
    Ok(())
}

/// The text with each blank outside quotes as a space: the crate's grammar has no tabs.
fn with_spaces(text: &str) -> String {
    let mut quote = None;
    let space = |c: char| {
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_ascii_whitespace() => return ' ',
            _ => {}
        }
        c
    };
    text.chars().map(space).collect()
}

/// What the crate could not read, at the place that its message gives.
fn not_liquid(element: Span<'_>, text: &str, message: &str) -> Located {
    let offset = told_place(text, message).map_or(0, |at| at.saturating_sub(BEFORE.len()));
    let rest = element.text.get(offset..).unwrap_or_default().trim_start();
    let at = element.at + element.text.len() - rest.len();
    match rest.chars().next() {
        Some(c) => Fault::invalid(format!("unexpected {:?}", c.to_string())).at(at),
        None => Fault::invalid("something is missing before the closing delimiter").at(at),
    }
}

/// The offset that a message of the crate's means by `--> line:column`.
fn told_place(text: &str, message: &str) -> Option<usize> {
    let (_, place) = message.split_once("--> ")?;
    let (line, rest) = place.split_once(':')?;
    let column = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let before: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let (in_line, _) = text.get(before..)?.char_indices().nth(column.checked_sub(1)?)?;
    Some(before + in_line)
}

/// The tag that takes the tokens of its arguments down.
#[derive(Clone)]
struct Reader {
    /// The address at which the element begins in the text that is parsed.
    base: usize,
    /// The offset of the element in the template.
    at: usize,
    tokens: Arc<Mutex<Vec<Result<Token, Located>>>>,
}

impl TagReflection for Reader {
    fn tag(&self) -> &str {
        TAG
    }

    fn description(&self) -> &str {
        "takes the tokens of an element down"
    }
}

impl ParseTag for Reader {
    fn parse(
        &self,
        arguments: TagTokenIter<'_>,
        _options: &Language,
    ) -> liquid_core::Result<Box<dyn Renderable>> {
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.extend(arguments.map(|token| self.read(token)));
        }
        Ok(Box::new(Nothing))
    }

    fn reflection(&self) -> &dyn TagReflection {
        self
    }
}

impl Reader {
    fn read(&self, token: TagToken<'_>) -> Result<Token, Located> {
        let at = self.at + (token.as_str().as_ptr() as usize).saturating_sub(self.base);
        lexeme(token).map(|lexeme| Token { lexeme, at }).map_err(|fault| fault.at(at))
    }
}

fn lexeme(token: TagToken<'_>) -> Result<Lexeme, Fault> {
    let text = token.as_str().to_owned();
    let outside_quotes = outside_quotes(&text);
    if let Some((_, filter)) = outside_quotes.split_once('|') {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = filter.trim_start().chars().take_while(|c| is_name(*c)).collect();
        return Err(Fault::not_supported(&format!("filter {name:?}")));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let term = match text.chars().next() {
        Some('(') => return Err(Fault::not_supported("a range")),
        Some('"' | '\'') => Term::Text(text.get(1..text.len() - 1).unwrap_or_default().to_owned()),
        _ if unsigned.starts_with(|c: char| c.is_ascii_digit()) => {
            Term::Number(text.strip_prefix('+').unwrap_or(&text).to_owned())
        }
        _ => match text.as_str() {
            "nil" | "null" => Term::Nil,
            "empty" => Term::Empty,
            "blank" => Term::Blank,
            "true" => Term::Bool(true),
            "false" => Term::Bool(false),
            symbol if symbol.starts_with(['=', '!', '<', '>', ',', ':']) => {
                return Ok(Lexeme::Symbol(text));
            }
            _ => Term::Path(path(token, &outside_quotes)?),
        },
    };
    Ok(Lexeme::Term(term))
}

/// The text without what is within quotes.
fn outside_quotes(text: &str) -> String {
    let mut quote = None;
    let outside = |c: &char| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None => {
            if matches!(c, '"' | '\'') {
                quote = Some(*c);
            }
            quote.is_none()
        }
    };
    text.chars().filter(outside).collect()
}

fn path(token: TagToken<'_>, outside_quotes: &str) -> Result<Vec<String>, Fault> {
    let index = |part: &str| {
        part.trim_start().starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c))
    };
    if outside_quotes.split('[').skip(1).any(index) {
        return Err(Fault::not_supported("a number as an index"));
    }
    let variable =
        token.expect_variable().into_result().map_err(|_| Fault::invalid("not a value"))?;
    // In a runtime without variables, only a path whose indexes are all literals has a value.
    let runtime = RuntimeCore::new();
    let path = variable.try_evaluate(&runtime);
    let path = path.ok_or_else(|| Fault::not_supported("a variable as an index"))?;
    Ok(path.iter().map(|name| name.to_kstr().into_string()).collect())
}

/// What the tag renders.
#[derive(Debug)]
struct Nothing;

impl Renderable for Nothing {
    fn render_to(&self, _: &mut dyn Write, _: &dyn Runtime) -> liquid_core::Result<()> {
        Ok(())
    }
}
