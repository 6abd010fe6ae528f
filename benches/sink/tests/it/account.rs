//! The account of what was delivered.

use serde_json::{Value, json};

use crate::support::*;

#[test]
fn ids_are_counted_once_and_duplicates_apart() {
    let mut sink = Sink::with("q", json!({}));
    sink.send("q", entries(&[1, 2, 2]));
    sink.send("q", json!([{"Id": "a", "MessageBody": "no id"}]));
    let counts = json!({"delivered": 4, "distinct": 2, "duplicates": 1, "without_id": 1});
    assert_counts(&sink.counts("q"), counts);
}

#[test]
fn an_id_is_the_first_integer_after_its_name() {
    let mut sink = Sink::with("q", json!({}));
    for body in [
        r#"{"name": "\"id\"", "id": 2, "last": true}"#,
        "{\"id\":\n  3}",
        r#"{"id":-4}"#,
        r#"{"id":9223372036854775807,"id":1}"#,
        // None of these has one.
        r#"{"id":"5"}"#,
        r#"{"id":null}"#,
        r#"{"id":-}"#,
        r#"{"ids":6}"#,
    ] {
        sink.send("q", json!([{"Id": "0", "MessageBody": body}]));
    }
    assert_counts(&sink.counts("q"), json!({"distinct": 4, "without_id": 4}));
    let mut missing = |range: &str| {
        sink.control("GET", &format!("missing?queue=q&{range}"), &Value::Null).1["first"].take()
    };
    assert_eq!(missing("from=-5&through=6"), json!([-5, -3, -2, -1, 0, 1, 4, 5, 6]));
    let last = "from=9223372036854775806&through=9223372036854775807";
    assert_eq!(missing(last), json!([9_223_372_036_854_775_806_i64]));
}

#[test]
fn what_never_came_is_counted_and_named() {
    let mut sink = Sink::with("q", json!({}));
    sink.send("q", entries(&[-2, 1, 2, 4]));
    let mut missing = |from: i64, through: i64| {
        sink.control("GET", &format!("missing?queue=q&from={from}&through={through}"), &Value::Null)
    };
    assert_eq!(missing(1, 5), (200, json!({"missing": 2, "first": [3, 5]})));
    assert_eq!(missing(-3, 1), (200, json!({"missing": 3, "first": [-3, -1, 0]})));
    assert_eq!(missing(1, 2), (200, json!({"missing": 0, "first": []})));
    let (_, many) = missing(5, 1_000_000_004);
    assert_eq!(many["missing"], 1_000_000_000);
    assert_eq!(many["first"].as_array().unwrap().len(), 20);
}

#[test]
fn order_is_accounted_for_by_group() {
    let mut sink = Sink::with("q.fifo", json!({}));
    sink.send("q.fifo", entries_of("a", &[10, 30]));
    sink.send("q.fifo", entries_of("b", &[5, 6]));
    assert_counts(&sink.counts("q.fifo"), json!({"groups": 2, "out_of_order": 0}));
    sink.send("q.fifo", entries_of("a", &[20, 40, 35]));
    let first = json!({"group": "a", "sequence": 20, "after": 30});
    let counts = json!({"groups": 2, "out_of_order": 2, "first_out_of_order": first});
    assert_counts(&sink.counts("q.fifo"), counts);
}

#[test]
fn a_duplicate_is_not_out_of_order() {
    let mut sink = Sink::with("q.fifo", json!({"deduplication_ms": 0}));
    sink.send("q.fifo", entries_of("a", &[1, 2]));
    sink.send("q.fifo", entries_of("a", &[1]));
    assert_counts(&sink.counts("q.fifo"), json!({"duplicates": 1, "out_of_order": 0}));
}

#[test]
fn ids_and_sequences_go_by_the_names_that_are_set() {
    let settings = json!({"id_name": "customer", "sequence_name": "version"});
    let mut sink = Sink::with("q.fifo", settings);
    let entries: Value = [(9, 1), (8, 2), (7, 1)]
        .iter()
        .map(|(customer, version)| {
            let body = json!({"id": 1, "customer": customer, "version": version}).to_string();
            json!({"Id": customer.to_string(), "MessageBody": body, "MessageGroupId": "g"})
        })
        .collect();
    sink.send("q.fifo", entries);
    let first = json!({"group": "g", "sequence": 1, "after": 2});
    let counts = json!({"distinct": 3, "out_of_order": 1, "first_out_of_order": first});
    assert_counts(&sink.counts("q.fifo"), counts);
}

#[test]
fn the_last_messages_are_kept_whole_when_that_is_set() {
    let mut sink = Sink::with("q.fifo", json!({"keep": 2}));
    sink.send("q.fifo", entries_of("g", &[1, 2, 3]));
    let (_, kept) = sink.control("GET", "messages?queue=q.fifo", &Value::Null);
    let bodies: Vec<_> = kept.as_array().unwrap().iter().map(|kept| &kept["body"]).collect();
    assert_eq!(bodies, [&body(2), &body(3)]);
    assert_eq!(kept[0]["group_id"], "g");
    assert_eq!(kept[0]["deduplication_id"], "g-2");
    let attributes = json!({
        "event": {"DataType": "String", "StringValue": "added"},
        "raw": {"DataType": "Binary", "BinaryValue": "AgME"},
    });
    let mut entries = entries_of("g", &[4]);
    entries[0]["MessageAttributes"] = attributes.clone();
    sink.send("q.fifo", entries);
    let (_, kept) = sink.control("GET", "messages?queue=q.fifo", &Value::Null);
    assert_eq!((&kept[1]["body"], &kept[1]["attributes"]), (&json!(body(4)), &attributes));
}

#[test]
fn a_reset_forgets_messages_and_keeps_queues_and_settings() {
    let mut sink = Sink::with("q", json!({"latency_ms": 1}));
    sink.send("q", entries(&[1]));
    sink.control("POST", "reset", &Value::Null);
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "distinct": 0, "requests": 0}));
    let (_, settings) = sink.control("GET", "settings?queue=q", &Value::Null);
    assert_eq!(settings["latency_ms"], 1);
}
