//! The queues that a connection allows, as patterns of names.

use std::fmt;
use std::str::FromStr;

/// A list of patterns, of which a queue's name must match one. In a pattern `*` stands for any
/// characters, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedQueues(Vec<String>);

/// A list that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowedQueuesError {
    /// A list, or a place between two commas, without a pattern in it.
    #[error("a pattern is empty")]
    Empty,
    /// A pattern that no queue's name can match.
    #[error("a pattern holds U+{:04X}: a queue's name has only A-Z, a-z, 0-9, - and _, and .fifo at its end", u32::from(*.0))]
    Character(char),
}

impl FromStr for AllowedQueues {
    type Err = AllowedQueuesError;

    /// Reads patterns with commas between them: `orders*, invoices.fifo`.
    fn from_str(list: &str) -> Result<Self, Self::Err> {
        list.split(',').map(|pattern| check(pattern.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn check(pattern: &str) -> Result<String, AllowedQueuesError> {
    let is_in_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*');
    match pattern.chars().find(|c| !is_in_names(*c)) {
        Some(c) => Err(AllowedQueuesError::Character(c)),
        None if pattern.is_empty() => Err(AllowedQueuesError::Empty),
        None => Ok(pattern.to_owned()),
    }
}

impl fmt::Display for AllowedQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl AllowedQueues {
    pub fn patterns(&self) -> &[String] {
        &self.0
    }

    /// Whether a name matches one of the patterns, letter case included, as queues' names differ
    /// by it.
    pub fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether a text matches a pattern: the parts between its stars follow one another in the text,
/// the first at its beginning and the last at its end.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        // The first place is as good as any later one.
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_allowed_by_any_of_the_patterns() {
        let allowed: AllowedQueues = "orders, customers-*,*.fifo , a*b*c".parse().unwrap();
        for name in ["orders", "customers-", "customers-eu", "x.fifo", ".fifo", "abc", "aXbYbZc"] {
            assert!(allowed.allow(name), "{name}");
        }
        for name in ["", "Orders", "orders2", "customers", "x.fifo2", "acb", "ab", "xabc"] {
            assert!(!allowed.allow(name), "{name}");
        }
        assert!("*".parse::<AllowedQueues>().unwrap().allow("anything"));
        assert_eq!(allowed.to_string(), "orders, customers-*, *.fifo, a*b*c");
    }

    #[test]
    fn a_list_that_is_none_is_an_error() {
        for (list, error) in [
            ("", AllowedQueuesError::Empty),
            ("a,", AllowedQueuesError::Empty),
            ("a,,b", AllowedQueuesError::Empty),
            ("a b", AllowedQueuesError::Character(' ')),
            ("https://x", AllowedQueuesError::Character(':')),
            ("a?", AllowedQueuesError::Character('?')),
        ] {
            assert_eq!(list.parse::<AllowedQueues>().unwrap_err(), error, "{list}");
        }
    }

    /// The same question, asked letter by letter.
    fn matches_slowly(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) if matches_slowly(rest, text) => true,
            (Some((b'*', _)), Some((_, text))) => matches_slowly(pattern, text),
            (Some((p, pattern)), Some((t, text))) => p == t && matches_slowly(pattern, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn stars_stand_for_any_characters(pattern in "[ab*]{1,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(
                matches(&pattern, &text), matches_slowly(pattern.as_bytes(), text.as_bytes())
            );
        }
    }
}
