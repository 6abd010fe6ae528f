//! What a sink has taken outlives it.

use std::{env, fs, process};

use serde_json::json;

use crate::support::*;

#[test]
fn a_sink_that_begins_with_a_journal_knows_what_an_earlier_one_took() {
    let path = env::temp_dir().join(format!("sink-journal-{}", process::id()));
    let mut first = Sink::with_journal(&path);
    first.create("q.fifo");
    first.send("q.fifo", entries_of("a", &[1, 2]));
    let mut second = Sink::with_journal(&path);
    second.send("q.fifo", entries_of("a", &[2, 3]));
    let lines = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_counts(
        &second.counts("q.fifo"),
        json!({"distinct": 3, "duplicates": 0, "suppressed": 1}),
    );
    assert_eq!(lines.lines().count(), 3, "{lines}");
}
