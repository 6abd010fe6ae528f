//! What is nearly right, and what is no longer.

use fastrand::Rng;

/// A text that none of the words of an error has in it.
pub const MARK: &str = "zq7";

/// What belongs into some text, but mostly not where it is put.
const PARTS: [&str; 34] = [
    "\"", "\\", "{", "}", "[", "]", ",", ":", "/", "//", "://", "@", "?", "#", "%", "%2F", "..",
    ".", ".fifo", "-", "_", "*", " ", "\n", "\r\n", "\0", "\u{7f}", "é", "\u{202e}", "\u{ffff}",
    "😀", "=", "0", "null",
];

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
