//! What SQS's own actions answer.

use serde_json::json;

use crate::support::*;

#[test]
fn a_body_is_answered_by_its_md5() {
    let mut sink = Sink::start();
    let entries = json!([
        {"Id": "a", "MessageBody": "This is a test message"},
        {"Id": "b", "MessageBody": "Grüße \"x\"\n"},
    ]);
    let (status, answer) = sink.send("q", entries);
    assert_eq!(status, 200);
    let digest = |at: usize| &answer["Successful"][at]["MD5OfMessageBody"];
    // The first is the example of the Amazon SQS API Reference.
    assert_eq!(digest(0), "fafb00f5732ab283681e124bf8747ed1");
    assert_eq!(digest(1), "cf0f1435327a370699c99c011ee14fdf");
    assert_eq!(answer["Successful"][0]["MD5OfMessageAttributes"], json!(null));
}

#[test]
fn attributes_are_answered_by_their_md5_whatever_their_order() {
    let mut sink = Sink::start();
    let entries = json!([
        {"Id": "a", "MessageBody": "x", "MessageAttributes": {
            "timestamp": {"DataType": "Number", "StringValue": "1493147359900"}}},
        {"Id": "b", "MessageBody": "x", "MessageAttributes": {
            "b": {"DataType": "Binary", "BinaryValue": "AAH/"},
            "a": {"DataType": "String", "StringValue": "Grüße"}}},
        {"Id": "c", "MessageBody": "derp", "MessageAttributes": {
            "ccc": {"DataType": "String", "StringValue": "testjunk"},
            "aaa": {"DataType": "Binary", "BinaryValue": "AgME"},
            "zzz": {"DataType": "Number", "StringValue": "0230.01"},
            "öther_encodings": {"DataType": "String", "StringValue": "Tüst"}}},
    ]);
    let (_, answer) = sink.send("q", entries);
    let digest = |at: usize| &answer["Successful"][at]["MD5OfMessageAttributes"];
    // The first and last are what AWS gives: moto's tests of SQS have them.
    assert_eq!(digest(0), "235c5c510d26fb653d073faed50ae77c");
    assert_eq!(digest(1), "9450b4261e239b6e1d5cf204f20f91f2");
    assert_eq!(digest(2), "8ae21a7957029ef04146b42aeaa18a22");
}

#[test]
fn each_message_has_an_id_of_its_own_also_after_a_reset() {
    let mut sink = Sink::start();
    let mut all = Vec::new();
    for queue in ["a", "b", "a"] {
        let (_, answer) = sink.send(queue, entries(&[1, 2]));
        let ids = answer["Successful"].as_array().unwrap().iter();
        all.extend(ids.map(|entry| entry["MessageId"].as_str().unwrap().to_owned()));
        sink.control("POST", "reset", &json!(null));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let mut client = Sink::start().connect();
    let entry = |id: usize| json!([{"Id": id.to_string(), "MessageBody": "x"}]);
    let requests = (0..50).flat_map(|id| batch_request("q", entry(id)));
    client.send(&Vec::from_iter(requests)).unwrap();
    for id in 0..50 {
        let answer = serde_json::from_slice(client.receive().unwrap().body).unwrap();
        assert_eq!(listed(&answer, "Successful"), [id.to_string()]);
    }
}

#[test]
fn a_refusal_names_its_code_of_the_query_protocol_in_a_header() {
    let sink = Sink::with("q", json!({}));
    for (queue, entries, error) in [
        ("other", entries(&[1]), "AWS.SimpleQueueService.NonExistentQueue;Sender"),
        ("q", json!([]), "AWS.SimpleQueueService.EmptyBatchRequest;Sender"),
        ("q", json!(1), "SerializationException;Sender"),
    ] {
        let mut client = sink.connect();
        client.send(&batch_request(queue, entries)).unwrap();
        let head = client.receive().unwrap().head.to_owned();
        assert!(head.contains(&format!("x-amzn-query-error: {error}\r\n")), "{head}");
    }
}

#[test]
fn an_action_that_there_is_not_is_refused() {
    let (status, answer) = Sink::start().act("ReceiveMessage", &json!({}));
    let code = "com.amazonaws.sqs#UnknownOperationException";
    assert_eq!((status, &answer["__type"]), (400, &json!(code)));
}

#[test]
fn a_single_message_is_answered_without_an_entry() {
    let mut sink = Sink::start();
    let request = json!({"QueueUrl": "http://sink/0/q", "MessageBody": "This is a test message"});
    let (status, answer) = sink.act("SendMessage", &request);
    assert_eq!(status, 200);
    assert_eq!(answer["MD5OfMessageBody"], "fafb00f5732ab283681e124bf8747ed1");
    assert!(answer["MessageId"].is_string());
    assert_counts(&sink.counts("q"), json!({"delivered": 1}));
}

#[test]
fn a_bad_entry_fails_alone_and_by_the_senders_fault() {
    let mut sink = Sink::start();
    let entries = json!([
        {"Id": "good", "MessageBody": "x"},
        {"Id": "bad", "MessageBody": "\u{1}"},
    ]);
    let (status, answer) = sink.send("q", entries);
    assert_eq!(status, 200);
    assert_eq!(listed(&answer, "Successful"), ["good"]);
    assert_eq!(answer["Failed"][0]["Id"], "bad");
    assert_eq!(answer["Failed"][0]["Code"], "InvalidMessageContents");
    assert_eq!(answer["Failed"][0]["SenderFault"], true);
    assert_counts(&sink.counts("q"), json!({"delivered": 1, "invalid_entries": 1}));
}

#[test]
fn a_batch_that_sqs_refuses_is_refused() {
    let mut sink = Sink::start();
    let large = "x".repeat(600_000);
    let refused = [
        (json!([]), "EmptyBatchRequest"),
        (entries(&[0; 11]), "TooManyEntriesInBatchRequest"),
        (json!([{"Id": "a b", "MessageBody": "x"}]), "InvalidBatchEntryId"),
        (
            json!([{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "y"}]),
            "BatchEntryIdsNotDistinct",
        ),
        (
            json!([{"Id": "a", "MessageBody": large}, {"Id": "b", "MessageBody": large}]),
            "BatchRequestTooLong",
        ),
    ];
    for (entries, code) in refused {
        let (status, answer) = sink.send("q", entries);
        assert_eq!((status, &answer["__type"]), (400, &json!(format!("com.amazonaws.sqs#{code}"))));
    }
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "invalid_requests": 5}));
}

#[test]
fn once_a_queue_is_created_no_other_exists() {
    let mut sink = Sink::start();
    assert_eq!(sink.send("any", entries(&[1])).0, 200);
    sink.create("q");
    let (status, answer) = sink.send("other", entries(&[1]));
    assert_eq!((status, &answer["__type"]), (400, &json!("com.amazonaws.sqs#QueueDoesNotExist")));
    assert_eq!(sink.send("q", entries(&[1])).0, 200);
}

#[test]
fn queues_are_listed_by_prefix_and_in_pages() {
    let mut sink = Sink::start();
    for queue in ["orders-b", "orders-a", "orders-c", "customers"] {
        sink.create(queue);
    }
    let names = |answer: &serde_json::Value| -> Vec<String> {
        let urls = answer["QueueUrls"].as_array().unwrap().iter();
        urls.map(|url| url.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    let request = json!({"QueueNamePrefix": "orders-", "MaxResults": 2});
    let (_, page) = sink.act("ListQueues", &request);
    assert_eq!(names(&page), ["orders-a", "orders-b"]);
    let next =
        json!({"QueueNamePrefix": "orders-", "MaxResults": 2, "NextToken": page["NextToken"]});
    let (_, page) = sink.act("ListQueues", &next);
    assert_eq!(names(&page), ["orders-c"]);
    assert_eq!(page["NextToken"], json!(null));
    assert_eq!(names(&sink.act("ListQueues", &json!({})).1).len(), 4);
}

#[test]
fn a_created_queue_is_found_and_described() {
    let mut sink = Sink::start();
    let (_, created) = sink.act("CreateQueue", &json!({"QueueName": "q.fifo"}));
    let (_, found) = sink.act("GetQueueUrl", &json!({"QueueName": "q.fifo"}));
    assert_eq!(created["QueueUrl"], found["QueueUrl"]);
    let (_, told) = sink.act("GetQueueAttributes", &found);
    assert_eq!(told["Attributes"]["FifoQueue"], "true");
    assert_eq!(told["Attributes"]["QueueArn"], "arn:aws:sqs:us-east-1:000000000000:q.fifo");
}
