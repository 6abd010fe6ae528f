//! Splits a template at its delimiters, in one pass over its bytes and without recursion, and holds
//! the caps that let everything after it be small. Whitespace control, `raw`, comments and the lines
//! of `liquid` are done with here.

use super::Located;
use super::token::is_in_name;
use crate::error::Fault;

/// The largest template, in bytes.
const MAX_TEMPLATE_BYTES: usize = 64 * 1024;

/// The most that may stand between a pair of delimiters, in bytes; in `liquid`, on a line.
const MAX_ELEMENT_BYTES: usize = 8 * 1024;

/// A part of a template.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'t> {
    /// Text, with the whitespace gone that its neighbours take away.
    Text(Span<'t>),
    /// What is inside `{{ }}`.
    Output(Span<'t>),
    /// A `{% %}`: its name, and what comes after the name.
    Tag {
        name: Span<'t>,
        arguments: Span<'t>,
    },
    /// Here the tags of a `liquid` begin, which its blocks must not leave.
    BeginLiquid(usize),
    EndLiquid,
}

/// A part of the template and its offset in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span<'t> {
    pub text: &'t str,
    pub at: usize,
}

impl<'t> Span<'t> {
    pub fn from(self, bytes: usize) -> Span<'t> {
        Span { text: self.text.get(bytes..).unwrap_or_default(), at: self.at + bytes }
    }

    pub fn until(self, bytes: usize) -> Span<'t> {
        Span { text: self.text.get(..bytes).unwrap_or_default(), at: self.at }
    }

    pub fn trim_start(self) -> Span<'t> {
        self.from(self.text.len() - self.text.trim_start().len())
    }

    pub fn trim_end(self) -> Span<'t> {
        self.until(self.text.trim_end().len())
    }
}

/// Splits a template into its parts.
pub(super) fn scan(template: &str) -> Result<Vec<Piece<'_>>, Located> {
    if template.len() > MAX_TEMPLATE_BYTES {
        let message = format!(
            "a template of {} bytes is larger than the limit of {MAX_TEMPLATE_BYTES}",
            template.len()
        );
        return Err(Fault::invalid(message).at(0));
    }
    let mut scanner =
        Scanner { rest: Span { text: template, at: 0 }, trim: false, pieces: Vec::new() };
    while let Some(open) = next_delimiter(scanner.rest.text) {
        scanner.element(open)?;
    }
    scanner.text(scanner.rest, false);
    Ok(scanner.pieces)
}

struct Scanner<'t> {
    /// What has not been read.
    rest: Span<'t>,
    /// Whether the last delimiter takes away the whitespace after it.
    trim: bool,
    pieces: Vec<Piece<'t>>,
}

impl<'t> Scanner<'t> {
    fn text(&mut self, text: Span<'t>, trim_end: bool) {
        let text = if self.trim { text.trim_start() } else { text };
        let text = if trim_end { text.trim_end() } else { text };
        if !text.text.is_empty() {
            self.pieces.push(Piece::Text(text));
        }
    }

    /// Reads the text before the delimiter at `open`, and the element that begins there.
    fn element(&mut self, open: usize) -> Result<(), Located> {
        let (text, element) = (self.rest.until(open), self.rest.from(open));
        let is_tag = element.text.starts_with("{%");
        let inner = element.from(2);
        let hyphen = usize::from(inner.text.starts_with('-'));
        self.text(text, hyphen == 1);

        let inner = inner.from(hyphen);
        let is_note = is_tag && inner.text.trim_start().starts_with('#');
        let close = match is_note {
            // Quotes mean nothing in a comment.
            true => inner.text.find("%}"),
            false => closing(inner.text, if is_tag { *b"%}" } else { *b"}}" }),
        };
        let Some(close) = close else {
            let delimiter = if is_tag { "{%" } else { "{{" };
            return Err(Fault::invalid(format!("{delimiter:?} is not closed")).at(element.at));
        };
        self.rest = inner.from(close + 2);
        let inner = inner.until(close);
        self.trim = inner.text.ends_with('-');
        let inner = inner.until(inner.text.len() - usize::from(self.trim));
        if is_note {
            return check_note(inner);
        }
        if !is_tag {
            check_length(inner, element.at)?;
            self.pieces.push(Piece::Output(inner));
            return Ok(());
        }
        self.tag(inner, element.at)
    }

    fn tag(&mut self, inner: Span<'t>, at: usize) -> Result<(), Located> {
        let (name, arguments) = name_of(inner);
        match name.text {
            "" => Err(Fault::invalid("a tag needs a name").at(at)),
            "liquid" => {
                self.pieces.push(Piece::BeginLiquid(name.at));
                self.lines(arguments)?;
                self.pieces.push(Piece::EndLiquid);
                Ok(())
            }
            "raw" | "comment" | "doc" if !arguments.text.trim().is_empty() => {
                let message = format!("tag {:?} takes no arguments", name.text);
                Err(Fault::invalid(message).at(arguments.at))
            }
            "raw" | "comment" | "doc" => self.verbatim(name.text, at),
            _ => {
                check_length(inner, at)?;
                self.pieces.push(Piece::Tag { name, arguments });
                Ok(())
            }
        }
    }

    /// Reads the lines of a `liquid`, each of which is a tag.
    fn lines(&mut self, lines: Span<'t>) -> Result<(), Located> {
        let mut rest = lines;
        // The comments that are open, and where the first one was opened.
        let mut comments = (0usize, lines.at);
        while !rest.text.is_empty() {
            let length = rest.text.find('\n').map_or(rest.text.len(), |end| end + 1);
            let (mut name, mut arguments) = name_of(rest.until(length).trim_end());
            rest = rest.from(length);
            while name.text == "liquid" && comments.0 == 0 {
                (name, arguments) = name_of(arguments);
            }
            match name.text {
                "comment" => {
                    comments.1 = if comments.0 == 0 { name.at } else { comments.1 };
                    comments.0 += 1;
                }
                "endcomment" if comments.0 > 0 => comments.0 -= 1,
                _ if comments.0 > 0 || name.text.is_empty() || name.text == "#" => {}
                _ => {
                    check_length(arguments, name.at)?;
                    self.pieces.push(Piece::Tag { name, arguments });
                }
            }
        }
        match comments {
            (0, _) => Ok(()),
            (_, at) => Err(not_closed("comment").at(at)),
        }
    }

    /// Reads a block in which Liquid is not read, up to its end. The text of a `raw` stays.
    fn verbatim(&mut self, name: &str, at: usize) -> Result<(), Located> {
        let body = self.rest;
        let end = match name {
            "comment" => end_of_comment(body),
            _ => end_of(body, 0, if name == "raw" { "endraw" } else { "enddoc" }),
        };
        let Some((length, tag)) = end else { return Err(not_closed(name).at(at)) };
        if name == "raw" {
            self.text(body.until(length), tag.trim_before);
        }
        self.trim = tag.trim_after;
        self.rest = body.from(length + tag.length);
        Ok(())
    }
}

fn not_closed(tag: &str) -> Fault {
    Fault::invalid(format!("tag {tag:?} is not closed with \"end{tag}\""))
}

fn check_length(inner: Span<'_>, at: usize) -> Result<(), Located> {
    if inner.text.len() <= MAX_ELEMENT_BYTES {
        return Ok(());
    }
    let message = format!("more than {MAX_ELEMENT_BYTES} bytes between delimiters");
    Err(Fault::invalid(message).at(at))
}

/// Checks a comment within a tag: each line of it begins with `#`.
fn check_note(inner: Span<'_>) -> Result<(), Located> {
    let is_one = |line: &str| line.is_empty() || line.starts_with('#');
    match inner.text.lines().all(|line| is_one(line.trim())) {
        true => Ok(()),
        false => Err(Fault::invalid("each line of a comment begins with \"#\"").at(inner.at)),
    }
}

/// The name of a tag, and what comes after it.
fn name_of(inner: Span<'_>) -> (Span<'_>, Span<'_>) {
    let inner = inner.trim_start();
    let length = match inner.text.find(|c| !is_in_name(c)) {
        // A name that is none: its first character.
        Some(0) => inner.text.chars().next().map_or(0, char::len_utf8),
        Some(end) => end,
        None => inner.text.len(),
    };
    (inner.until(length), inner.from(length))
}

/// The first tag of a name from an offset on, which ends a block, and the offset of it.
fn end_of(body: Span<'_>, from: usize, name: &str) -> Option<(usize, BareTag)> {
    tags(body, from).find_map(|(at, tag)| bare_tag(tag, name).map(|end| (at, end)))
}

/// Where a comment ends: comments nest, and what is raw within one is passed over.
fn end_of_comment(body: Span<'_>) -> Option<(usize, BareTag)> {
    let (mut from, mut depth) = (0, 1usize);
    loop {
        let (at, tag) = tags(body, from).next()?;
        from = at + 2;
        if bare_tag(tag, "comment").is_some() {
            depth += 1;
        } else if bare_tag(tag, "raw").is_some() {
            let (end, tag) = end_of(body, from, "endraw")?;
            from = end + tag.length;
        } else if let Some(end) = bare_tag(tag, "endcomment") {
            depth -= 1;
            if depth == 0 {
                return Some((at, end));
            }
        }
    }
}

/// Each `{%` from an offset on, with the text that begins there.
fn tags(body: Span<'_>, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let rest = body.text.get(from..).unwrap_or_default();
    rest.match_indices("{%").map(move |(at, _)| (from + at, rest.get(at..).unwrap_or_default()))
}

/// A tag without arguments, found at the beginning of a text.
struct BareTag {
    length: usize,
    trim_before: bool,
    trim_after: bool,
}

fn bare_tag(text: &str, name: &str) -> Option<BareTag> {
    let inner = text.strip_prefix("{%")?;
    let (inner, trim_before) = match inner.strip_prefix('-') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let inner = inner.trim_start().strip_prefix(name)?.trim_start();
    let (inner, trim_after) = match inner.strip_prefix('-') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let rest = inner.strip_prefix("%}")?;
    Some(BareTag { length: text.len() - rest.len(), trim_before, trim_after })
}

/// Where the next `{{` or `{%` begins.
fn next_delimiter(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| matches!(pair, b"{{" | b"{%"))
}

/// Where the closing delimiter begins; one within quotes does not count. None when the element is
/// not closed before another begins.
fn closing(text: &str, close: [u8; 2]) -> Option<usize> {
    let mut quote = None;
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        match (quote, pair[0]) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'"' | b'\'')) => quote = Some(byte),
            (None, _) if pair == close => return Some(at),
            (None, _) if matches!(pair, b"{{" | b"{%" | b"%}" | b"}}") => return None,
            (None, _) => {}
        }
    }
    None
}
