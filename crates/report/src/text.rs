//! Text that is not ours: names, keys, reasons, errors.
//!
//! It may hold anything that Postgres can: markup, quotes, and characters that are not seen, or that
//! turn round the letters beside them. Markup is escaped where it is written, by maud. What is not
//! seen, or is not allowed in HTML, is written as its code point, so that what a reader sees is what
//! is there. Of a text that is long the page has the beginning.

use std::fmt;
use std::fmt::Write;

use maud::{Escaper, Render};

/// Characters of a text that are kept.
const KEPT: usize = 1000;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// At most so many characters of it, with an ellipsis if that is not all.
    pub fn cut(&self, characters: usize) -> Text {
        Text(beginning(self.0.clone(), characters))
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Text {
        Text(beginning(text.into(), KEPT))
    }
}

fn beginning(mut text: String, characters: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match is_hidden(letter) {
                true => write!(f, "⟨U+{:04X}⟩", u32::from(letter))?,
                false => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

impl Render for Text {
    fn render_to(&self, buffer: &mut String) {
        // Writing to a String does not fail.
        let _ = write!(Escaper::new(buffer), "{self}");
    }
}

/// Whether a character must not stand in a page: since HTML has no such character, since it is not
/// seen, or since it changes the order in which others are shown. Joiners are part of letters and
/// emoji, and stay.
fn is_hidden(letter: char) -> bool {
    let code = u32::from(letter);
    let is_control = letter.is_control() && !matches!(letter, '\n' | '\t');
    let turns = matches!(code, 0x61C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069);
    let has_no_width = matches!(
        code,
        0xAD | 0x180E | 0x200B | 0x2028 | 0x2029 | 0x2060..=0x2065 | 0x206A..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F
    );
    let is_no_character = matches!(code, 0xFDD0..=0xFDEF) || code & 0xFFFE == 0xFFFE;
    is_control || turns || has_no_width || is_no_character
}

/// A literal of SQL that stands for the text, whatever it holds.
pub fn sql_literal(text: &Text) -> String {
    format!("'{}'", text.as_str().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Text::from(text).render().into_string()
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(shown("<b a=\"1\">&amp;"), "&lt;b a=&quot;1&quot;&gt;&amp;amp;");
    }

    #[test]
    fn what_turns_letters_round_or_is_not_seen_is_written_as_its_code_point() {
        assert_eq!(shown("a\u{202E}b\u{200B}c"), "a⟨U+202E⟩b⟨U+200B⟩c");
        assert_eq!(shown("\u{0}\u{7}\u{85}\u{FFFF}"), "⟨U+0000⟩⟨U+0007⟩⟨U+0085⟩⟨U+FFFF⟩");
    }

    #[test]
    fn letters_and_lines_stay() {
        for text in ["naïve – ☃ 🎻", "two\nlines\tand a tab", "👩\u{200D}🔬", "שלום"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(Text::from("ééé").cut(2).to_string(), "éé…");
        assert_eq!(Text::from("ééé").cut(3).to_string(), "ééé");
    }

    #[test]
    fn a_literal_cannot_be_left() {
        assert_eq!(sql_literal(&"o'clock\\".into()), "'o''clock\\'");
    }
}
