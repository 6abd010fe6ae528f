//! What a FIFO queue does beyond a standard one.

use serde_json::json;

use crate::support::*;

#[test]
fn a_deduplication_id_is_delivered_once_and_answered_as_the_first() {
    let mut sink = Sink::with("q.fifo", json!({}));
    let (_, first) = sink.send("q.fifo", entries_of("a", &[1]));
    let (_, again) = sink.send("q.fifo", entries_of("a", &[1]));
    assert!(first["Successful"][0]["SequenceNumber"].is_string());
    assert_eq!(again["Successful"], first["Successful"]);
    let counts = json!({"delivered": 1, "duplicates": 0, "suppressed": 1});
    assert_counts(&sink.counts("q.fifo"), counts);
}

#[test]
fn without_a_deduplication_id_the_body_is_it() {
    let mut sink = Sink::with("q.fifo", json!({}));
    let entry = |id| json!([{"Id": "a", "MessageBody": body(id), "MessageGroupId": "g"}]);
    for id in [1, 1, 2] {
        sink.send("q.fifo", entry(id));
    }
    assert_counts(&sink.counts("q.fifo"), json!({"delivered": 2, "suppressed": 1}));
}

#[test]
fn after_its_time_a_deduplication_id_is_delivered_again() {
    let mut sink = Sink::with("q.fifo", json!({"deduplication_ms": 0}));
    sink.send("q.fifo", entries_of("a", &[1]));
    sink.send("q.fifo", entries_of("a", &[1]));
    let counts = json!({"delivered": 2, "duplicates": 1, "suppressed": 0});
    assert_counts(&sink.counts("q.fifo"), counts);
}

#[test]
fn a_message_without_a_group_fails_its_batch() {
    let mut sink = Sink::with("q.fifo", json!({}));
    let (status, answer) = sink.send("q.fifo", entries(&[1]));
    assert_eq!((status, &answer["__type"]), (400, &json!("com.amazonaws.sqs#MissingParameter")));
    assert_counts(&sink.counts("q.fifo"), json!({"delivered": 0, "invalid_requests": 1}));
}

#[test]
fn a_standard_queue_takes_no_deduplication_id() {
    let mut sink = Sink::with("q", json!({}));
    let (_, answer) = sink.send("q", entries_of("a", &[1]));
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
}
