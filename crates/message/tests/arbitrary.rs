//! Arbitrary templates and rows: `make fuzz` tries many more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::trial::{End, trial};

#[test]
fn nothing_that_can_be_written_or_held_does_harm() {
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    let ends = small.spawn(|| (0..1_500).map(trial).collect::<Vec<End>>()).unwrap().join().unwrap();
    // Without these the others would show little.
    for end in [End::Refused, End::Rejected, End::Rendered] {
        assert!(ends.iter().filter(|it| **it == end).count() > 150, "{end:?}");
    }
}
