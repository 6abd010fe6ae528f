//! Texts that others have a hand in, made fit for a place with a limit.
//!
//! A sync's name, an error's words and a key come from users and from data. In a subject, a header,
//! a phone's notification or a log they are one line without control characters: so no line break
//! of theirs can begin a header, and no override of the writing direction can turn a text around.

/// The text on one line, at most `limit` characters, cut with an ellipsis.
pub(crate) fn line(text: &str, limit: usize) -> String {
    let mut words = String::with_capacity(text.len().min(limit * 4));
    for word in text.split(|c: char| c.is_whitespace() || is_unseen(c)).filter(|w| !w.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    cut(words, limit)
}

/// At most `limit` characters, the last one an ellipsis where some are left out.
pub(crate) fn cut(mut text: String, limit: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(limit) {
        let last = text.char_indices().nth(limit.saturating_sub(1)).map_or(end, |(at, _)| at);
        text.truncate(last);
        if limit > 0 {
            text.push('…');
        }
    }
    text
}

/// Controls, line and paragraph separators, and what changes the writing direction.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_break_is_a_space_and_spaces_are_one() {
        assert_eq!(line(" run\r\nBcc: x@y.z\u{2028}\u{202e} end\0", 100), "run Bcc: x@y.z end");
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis_within_the_limit() {
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line("äöüäöüä", 6), "äöüäö…");
        assert_eq!(line("abc", 0), "");
    }

    proptest! {
        #[test]
        fn whatever_is_given_a_line_has_no_control_and_keeps_the_limit(
            text in any::<String>(), limit in 0..50_usize
        ) {
            let line = line(&text, limit);
            prop_assert!(line.chars().count() <= limit);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_unseen(c)));
        }
    }
}
