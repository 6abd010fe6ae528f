//! Requests and entries that are refused for their rate, by chance or by a limit.

use serde_json::{Value, json};

use crate::support::*;

/// So little that none is saved up for a second request while a test lasts.
const ALMOST_NOTHING: f64 = 1e-6;

#[test]
fn a_throttled_request_has_either_code_and_takes_nothing() {
    let mut sink = Sink::with("q", json!({"throttled_share": 1}));
    let mut codes: Vec<Value> = Vec::new();
    for _ in 0..40 {
        let (status, answer) = sink.send("q", entries(&[1]));
        assert_eq!(status, 400);
        codes.push(answer["__type"].clone());
    }
    codes.sort_by_key(Value::to_string);
    codes.dedup();
    let both = ["com.amazonaws.sqs#RequestThrottled", "com.amazonaws.sqs#ThrottlingException"];
    assert_eq!(codes, both);
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "throttled_requests": 40}));
}

#[test]
fn a_queue_takes_no_more_than_its_rate() {
    let mut sink = Sink::with("q", json!({"queue_messages_per_second": ALMOST_NOTHING}));
    assert_eq!(sink.send("q", entries(&[1, 2])).0, 200);
    let (status, answer) = sink.send("q", entries(&[3]));
    assert_eq!((status, &answer["__type"]), (400, &json!("com.amazonaws.sqs#ThrottlingException")));
    assert_counts(&sink.counts("q"), json!({"delivered": 2, "throttled_requests": 1}));
}

#[test]
fn a_group_takes_no_more_than_its_rate_and_holds_up_no_other() {
    let mut sink = Sink::with("q.fifo", json!({"group_messages_per_second": ALMOST_NOTHING}));
    let (_, answer) = sink.send("q.fifo", entries_of("a", &[1, 2]));
    assert_eq!(listed(&answer, "Successful"), ["0"]);
    assert_eq!(answer["Failed"][0]["Code"], "RequestThrottled");
    assert_eq!(answer["Failed"][0]["SenderFault"], false);
    let (_, answer) = sink.send("q.fifo", entries_of("b", &[3]));
    assert_eq!(listed(&answer, "Successful"), ["0"]);
    assert_counts(&sink.counts("q.fifo"), json!({"delivered": 2, "throttled_entries": 1}));
}
