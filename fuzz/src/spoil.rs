//! What is nearly right, and what is no longer.

use fastrand::Rng;

/// A text that none of the words of an error has in it.
pub const MARK: &str = "zq7";

/// What belongs into some text, but mostly not where it is put.
pub const PARTS: [&str; 34] = [
    "\"", "\\", "{", "}", "[", "]", ",", ":", "/", "//", "://", "@", "?", "#", "%", "%2F", "..",
    ".", ".fifo", "-", "_", "*", " ", "\n", "\r\n", "\0", "\u{7f}", "é", "\u{202e}", "\u{ffff}",
    "😀", "=", "0", "null",
];

/// Those of a server or a user mapping, as names and values.
pub type Options = Vec<(String, String)>;

pub fn pick<'s>(rng: &mut Rng, from: &[&'s str]) -> &'s str {
    from.get(rng.usize(..from.len())).copied().unwrap_or_default()
}

/// One out of so many.
pub fn one_in(rng: &mut Rng, many: u32) -> bool {
    rng.u32(..many) == 0
}

/// The text cut up, doubled, and mixed with what does not belong there.
pub fn spoiled(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=chars.len());
        let to = rng.usize(at..=chars.len());
        match rng.u8(..5) {
            0 => drop(chars.drain(at..to.min(at + 4))),
            1 => {
                let part: Vec<char> = chars[at..to].to_vec();
                chars.splice(at..at, part);
            }
            2 => chars.truncate(at),
            3 => drop(chars.splice(at..at, pick(rng, &PARTS).chars().collect::<Vec<_>>())),
            _ if at < chars.len() => {
                chars[at] = char::from_u32(rng.u32(..0x3000)).unwrap_or('x');
            }
            _ => {}
        }
    }
    chars.into_iter().collect()
}

/// The name of a queue, near its limits at times.
pub fn queue_name(rng: &mut Rng) -> String {
    let stem = match rng.u8(..8) {
        0 => "a".repeat(rng.usize(73..83)),
        1 => String::new(),
        2 => format!("{MARK}{}", "-_9Z".repeat(rng.usize(..3))),
        _ => pick(rng, &["orders", "customers-eu", "A_1", "q"]).to_owned(),
    };
    stem + pick(rng, &["", "", "", ".fifo", ".fifo", ".FIFO", ".fifo.fifo"])
}

/// Options of these names, each with the first of its values, which is right.
pub fn first_of(all: &[(&str, &[&str])], names: &[&str]) -> Options {
    let known = all.iter().filter(|(name, _)| names.contains(name));
    known.map(|(name, values)| ((*name).to_owned(), values[0].to_owned())).collect()
}

/// Adds, takes away and spoils some.
pub fn changed(rng: &mut Rng, options: &mut Options, all: &[(&str, &[&str])]) {
    for _ in 0..rng.usize(..3) {
        let (name, values) = all[rng.usize(..all.len())];
        let value = pick(rng, values).to_owned();
        match options.iter_mut().find(|(it, _)| it == name) {
            Some((_, old)) => *old = value,
            None if rng.bool() => options.push((name.to_owned(), value)),
            None => {}
        }
    }
    if one_in(rng, 6) && !options.is_empty() {
        options.remove(rng.usize(..options.len()));
    }
    if one_in(rng, 4) && !options.is_empty() {
        let at = rng.usize(..options.len());
        // What was right is spoiled with the mark in it.
        options[at].1 = format!("{}{MARK}", spoiled(rng, &options[at].1));
    }
    if one_in(rng, 12) && !options.is_empty() {
        let at = rng.usize(..options.len());
        options[at].0 = spoiled(rng, &options[at].0);
    }
}

/// What is told of options that are wrong has names in it, never values. (A name can be anything, and
/// have the mark too.)
pub fn assert_silent(message: &str, hint: Option<&str>, options: &[&Options]) {
    let told = format!("{message} {}", hint.unwrap_or_default());
    let is_marked = options.iter().copied().flatten().any(|(name, _)| name.contains(MARK));
    assert!(is_marked || !told.contains(MARK), "{told}: {options:?}");
    assert!(!told.is_empty() && told.len() < 2_000, "{told}");
}
