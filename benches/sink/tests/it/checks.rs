//! What SQS refuses in a message.

use serde_json::{Map, Value, json};

use crate::support::*;

/// The code of a bad entry between two good ones, which are delivered.
fn failure(queue: &str, mut bad: Value) -> Value {
    let mut sink = Sink::with(queue, json!({}));
    bad["Id"] = json!("bad");
    let mut entries =
        if queue.ends_with(".fifo") { entries_of("g", &[1, 2]) } else { entries(&[1, 2]) };
    entries.as_array_mut().unwrap().insert(1, bad);
    let (_, answer) = sink.send(queue, entries);
    assert_eq!(listed(&answer, "Successful"), ["0", "1"]);
    assert_eq!(listed(&answer, "Failed"), ["bad"]);
    assert_eq!(answer["Failed"][0]["SenderFault"], true);
    assert_counts(&sink.counts(queue), json!({"delivered": 2, "invalid_entries": 1}));
    answer["Failed"][0]["Code"].clone()
}

#[test]
fn a_body_has_the_characters_of_xml_and_one_at_least() {
    for invalid in ["\u{1}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        let code = failure("q", json!({"MessageBody": format!("a{invalid}")}));
        assert_eq!(code, "InvalidMessageContents", "{invalid:?}");
    }
    assert_eq!(failure("q", json!({"MessageBody": ""})), "MissingParameter");
    let valid = "\t\n\r \u{7f}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}";
    let (_, answer) = Sink::start().send("q", json!([{"Id": "0", "MessageBody": valid}]));
    assert_eq!(listed(&answer, "Successful"), ["0"]);
}

#[test]
fn properties_are_within_their_bounds() {
    let attributes = |all: Value| json!({"MessageBody": "x", "MessageAttributes": all});
    let attribute = json!({"DataType": "String", "StringValue": "x"});
    let eleven: Map<_, _> = (0..11).map(|name| (name.to_string(), attribute.clone())).collect();
    for bad in [
        json!({"MessageBody": "x", "MessageGroupId": ""}),
        json!({"MessageBody": "x", "MessageGroupId": "a b"}),
        json!({"MessageBody": "x", "MessageGroupId": "ü"}),
        json!({"MessageBody": "x", "MessageGroupId": "a".repeat(129)}),
        json!({"MessageBody": "x", "DelaySeconds": 901}),
        json!({"MessageBody": "x", "DelaySeconds": -1}),
        attributes(json!(eleven)),
        attributes(json!({"a": {"DataType": "Text", "StringValue": "x"}})),
        attributes(json!({"a": {"DataType": "String", "StringValue": ""}})),
        attributes(json!({"a": {"DataType": "String", "BinaryValue": "AgME"}})),
    ] {
        assert_eq!(failure("q", bad.clone()), "InvalidParameterValue", "{bad}");
    }
    for bad in [
        json!({"MessageBody": "x", "MessageGroupId": "g", "DelaySeconds": 1}),
        json!({"MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "a b"}),
    ] {
        assert_eq!(failure("q.fifo", bad.clone()), "InvalidParameterValue", "{bad}");
    }
}

#[test]
fn attributes_count_towards_the_size_of_a_batch() {
    let half = "x".repeat(512 * 1024);
    let mut entries = json!([{"Id": "0", "MessageBody": half}, {"Id": "1", "MessageBody": half}]);
    let mut sink = Sink::start();
    assert_eq!(sink.send("q", entries.clone()).0, 200);
    entries[1]["MessageAttributes"] = json!({"a": {"DataType": "String", "StringValue": "b"}});
    let (status, answer) = sink.send("q", entries);
    assert_eq!((status, &answer["__type"]), (400, &json!("com.amazonaws.sqs#BatchRequestTooLong")));
}

#[test]
fn a_single_message_is_refused_as_a_request() {
    let request = json!({"QueueUrl": "http://sink/0/q", "MessageBody": "\u{1}"});
    let (status, answer) = Sink::start().act("SendMessage", &request);
    let code = "com.amazonaws.sqs#InvalidMessageContents";
    assert_eq!((status, &answer["__type"]), (400, &json!(code)));
}
