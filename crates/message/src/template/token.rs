//! The text between one pair of delimiters to tokens, in one pass over it.

use super::Located;
use super::scan::Span;
use crate::error::Fault;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lexeme<'t> {
    Name(&'t str),
    /// The digits of a number.
    Number(&'t str),
    /// What is between quotes.
    Text(&'t str),
    /// An operator or a punctuation mark.
    Symbol(&'static str),
}

/// A token and its offset in the template, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'t> {
    pub lexeme: Lexeme<'t>,
    pub at: usize,
}

/// The longer ones first.
const SYMBOLS: [&str; 17] =
    ["==", "!=", "<>", "<=", ">=", "..", "<", ">", "=", "|", ":", ",", ".", "[", "]", "(", ")"];

/// Reads the text between one pair of delimiters.
pub(super) fn tokens(element: Span<'_>) -> Result<Vec<Token<'_>>, Located> {
    let mut tokens = Vec::new();
    let mut rest = element.trim_start();
    while !rest.text.is_empty() {
        let (lexeme, length) = next(rest.text).map_err(|fault| fault.at(rest.at))?;
        tokens.push(Token { lexeme, at: rest.at });
        rest = rest.from(length).trim_start();
    }
    Ok(tokens)
}

/// Whether a character can begin a name: a letter of any language, as in Postgres's own names.
fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Whether a character can be in a name. Marks that combine with a letter are a part of it.
pub(super) fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '\u{300}'..='\u{36f}')
}

/// The token that a text begins with, and its length.
fn next(text: &str) -> Result<(Lexeme<'_>, usize), Fault> {
    let first = text.chars().next().unwrap_or_default();
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if begins_name(first) {
        let name = prefix(text, |c| is_in_name(c) || c == '-');
        let rest = text.get(name.len()..).unwrap_or_default();
        let length = name.len() + usize::from(rest.starts_with('?'));
        let name = text.get(..length).unwrap_or(name);
        return Ok((Lexeme::Name(name), name.len()));
    }
    if is_number(text) || text.strip_prefix('-').is_some_and(is_number) {
        let number = number(text);
        return Ok((Lexeme::Number(number), number.len()));
    }
    if let '"' | '\'' = first {
        let inner = text.get(1..).unwrap_or_default();
        let Some(end) = inner.find(first) else {
            return Err(Fault::invalid("a quote is not closed"));
        };
        return Ok((Lexeme::Text(inner.get(..end).unwrap_or_default()), end + 2));
    }
    match SYMBOLS.into_iter().find(|symbol| text.starts_with(symbol)) {
        Some(symbol) => Ok((Lexeme::Symbol(symbol), symbol.len())),
        None => Err(Fault::invalid(format!("unexpected {:?}", first.to_string()))),
    }
}

/// Digits with a sign, and with a point if digits follow it: in `1..5` they do not.
fn number(text: &str) -> &str {
    let sign = usize::from(text.starts_with('-'));
    let digits = |from: usize| prefix(text.get(from..).unwrap_or_default(), |c| c.is_ascii_digit());
    let whole = sign + digits(sign).len();
    let fraction = match text.as_bytes().get(whole) {
        Some(b'.') => digits(whole + 1).len(),
        _ => 0,
    };
    let length = if fraction > 0 { whole + 1 + fraction } else { whole };
    text.get(..length).unwrap_or_default()
}

fn prefix(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Vec<Lexeme<'_>> {
        tokens(Span { text, at: 0 }).unwrap().into_iter().map(|token| token.lexeme).collect()
    }

    #[test]
    fn names_numbers_texts_and_symbols_are_told_apart() {
        use Lexeme::{Name, Number, Symbol, Text};
        assert_eq!(
            read("a-b.c?[-1] | f: 'x', k:2.50"),
            [
                Name("a-b"),
                Symbol("."),
                Name("c?"),
                Symbol("["),
                Number("-1"),
                Symbol("]"),
                Symbol("|"),
                Name("f"),
                Symbol(":"),
                Text("x"),
                Symbol(","),
                Name("k"),
                Symbol(":"),
                Number("2.50"),
            ]
        );
        assert_eq!(
            read("(1..5)"),
            [Symbol("("), Number("1"), Symbol(".."), Number("5"), Symbol(")")]
        );
        assert_eq!(read("1.4..5"), [Number("1.4"), Symbol(".."), Number("5")]);
        assert_eq!(read("a<>\"'\""), [Name("a"), Symbol("<>"), Text("'")]);
        assert_eq!(read(" \n\t"), []);
    }

    #[test]
    fn names_have_the_letters_of_every_language() {
        use Lexeme::{Name, Symbol};
        for name in ["größe", "élan", "Ü1", "名前", "имя_2", "o\u{308}l", "ñ", "ⅷ", "_é-ü"]
        {
            assert_eq!(
                read(&format!("{name}.{name}|{name}")),
                [Name(name), Symbol("."), Name(name), Symbol("|"), Name(name)]
            );
        }
    }

    #[test]
    fn what_is_no_token_is_told_with_its_place() {
        for (text, at) in [
            ("a !", 2),
            ("-a", 0),
            ("“é”", 0),
            ("a 'b", 2),
            ("é😀", 2),
            ("\u{308}", 0),
            ("+1", 0),
            ("{{", 0),
        ] {
            assert_eq!(tokens(Span { text, at: 0 }).unwrap_err().at, at, "{text}");
        }
    }
}
