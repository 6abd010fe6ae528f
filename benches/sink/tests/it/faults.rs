//! Faults happen as they are set, and the account knows what was accepted.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::*;

/// Far more than any machine needs, and far less than the latency that is set.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn a_failed_entry_is_the_services_fault_and_not_accepted() {
    let mut sink = Sink::with("q", json!({"failed_share": 1}));
    let (status, answer) = sink.send("q", entries(&[1, 2]));
    assert_eq!(status, 200);
    assert_eq!(listed(&answer, "Failed"), ["0", "1"]);
    assert_eq!(answer["Failed"][0]["Code"], "InternalError");
    assert_eq!(answer["Failed"][0]["SenderFault"], false);
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "failed_entries": 2}));
}

#[test]
fn a_rejected_entry_is_the_senders_fault_and_not_accepted() {
    let mut sink = Sink::with("q", json!({"rejected_share": 1}));
    let (_, answer) = sink.send("q", entries(&[1]));
    assert_eq!(answer["Failed"][0]["Code"], "InvalidMessageContents");
    assert_eq!(answer["Failed"][0]["SenderFault"], true);
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "rejected_entries": 1}));
}

#[test]
fn a_share_fails_part_of_a_batch_and_each_entry_is_in_one_list() {
    let mut sink = Sink::with("q", json!({"failed_share": 0.5, "seed": 1}));
    let ids: Vec<i64> = (0..10).collect();
    let mut accepted = 0;
    for _ in 0..20 {
        let (_, answer) = sink.send("q", entries(&ids));
        let (mut all, failed) = (listed(&answer, "Successful"), listed(&answer, "Failed"));
        accepted += all.len();
        all.extend(failed);
        all.sort();
        assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }
    assert!((1..200).contains(&accepted), "{accepted}");
    let counts = json!({"delivered": accepted, "failed_entries": 200 - accepted});
    assert_counts(&sink.counts("q"), counts);
}

#[test]
fn the_same_seed_has_the_same_fates_after_a_reset() {
    let mut sink = Sink::with("q", json!({"failed_share": 0.5, "seed": 7}));
    let mut fates = |seed: u64| -> Vec<Vec<String>> {
        sink.set("q", json!({"seed": seed}));
        sink.control("POST", "reset", &Value::Null);
        (0..20).map(|_| listed(&sink.send("q", entries(&[1, 2, 3])).1, "Failed")).collect()
    };
    let first = fates(7);
    assert_ne!(fates(8), first);
    assert_eq!(fates(7), first);
}

#[test]
fn a_missing_entry_is_in_neither_list_and_may_have_been_accepted() {
    let mut sink = Sink::with("q", json!({"missing_share": 1}));
    let requests = 40;
    for request in 0..requests {
        let (_, answer) = sink.send("q", entries(&[3 * request, 3 * request + 1, 3 * request + 2]));
        assert_eq!(listed(&answer, "Successful").len(), 2);
        assert_eq!(answer["Failed"], json!([]));
    }
    let counts = sink.counts("q");
    assert_eq!(counts["missing_entries"], requests);
    let accepted_in_secret = counts["delivered"].as_i64().unwrap() - 2 * requests;
    assert!((1..requests).contains(&accepted_in_secret), "{counts}");
}

#[test]
fn a_cut_answer_is_of_messages_that_were_accepted() {
    let mut sink = Sink::with("q", json!({"cut_share": 1}));
    let (end, partial) = sink.send_in_vain("q", entries(&[1, 2]));
    assert_eq!(end, ErrorKind::UnexpectedEof);
    assert!(partial.starts_with("HTTP/1.1 200 OK\r\n"), "{partial:?}");
    let (head, body) = partial.split_once("\r\n\r\n").unwrap();
    let length = head.split_once("content-length: ").unwrap().1.lines().next().unwrap();
    assert!(body.starts_with("{\"Successful\":["), "{body}");
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
    assert_counts(&sink.counts("q"), json!({"delivered": 2, "cut_answers": 1}));
}

#[test]
fn a_reset_before_acceptance_leaves_nothing() {
    let mut sink = Sink::with("q", json!({"reset_before_share": 1}));
    assert_reset(sink.send_in_vain("q", entries(&[1, 2])));
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "resets_before": 1}));
}

#[test]
fn a_reset_after_acceptance_has_taken_the_messages() {
    let mut sink = Sink::with("q", json!({"reset_after_share": 1}));
    assert_reset(sink.send_in_vain("q", entries(&[1, 2])));
    assert_counts(&sink.counts("q"), json!({"delivered": 2, "resets_after": 1}));
}

/// No orderly end, and no answer.
fn assert_reset(ending: (ErrorKind, String)) {
    assert_eq!(ending, (ErrorKind::ConnectionReset, String::new()));
}

#[test]
fn a_message_is_accepted_before_its_answer_waits() {
    let mut sink = Sink::with("q", json!({"latency_ms": 3_600_000}));
    let mut waiting = sink.connect();
    waiting.send(&batch_request("q", entries(&[1]))).unwrap();
    wait_for_delivery(&mut sink, 1);
    waiting.set_nonblocking(true).unwrap();
    assert_eq!(waiting.receive().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn what_was_sent_before_the_sender_was_killed_is_accepted() {
    let mut sink = Sink::with("q", json!({}));
    let large = json!([{"Id": "0", "MessageBody": "x".repeat(1_000_000)}]);
    for _ in 0..20 {
        // Dropped as soon as it is written, as a killed process's socket is.
        sink.connect().send(&batch_request("q", large.clone())).unwrap();
    }
    wait_for_delivery(&mut sink, 20);
}

fn wait_for_delivery(sink: &mut Sink, messages: u64) {
    let begin = Instant::now();
    while sink.counts("q")["delivered"] != messages {
        assert!(begin.elapsed() < DEADLINE, "only {} were accepted", sink.counts("q"));
    }
}

#[test]
fn an_answer_comes_after_its_latency() {
    let mut sink = Sink::with("q", json!({"latency_ms": 1}));
    assert_eq!(sink.send("q", entries(&[1])).0, 200);
}

#[test]
fn a_fault_of_one_queue_is_not_anothers() {
    let mut sink = Sink::with("bad", json!({"reset_before_share": 1}));
    sink.create("good");
    assert_reset(sink.send_in_vain("bad", entries(&[1])));
    assert_eq!(sink.send("good", entries(&[1])).0, 200);
}

#[test]
fn an_unavailable_service_says_so_and_accepts_nothing() {
    let mut sink = Sink::with("q", json!({"unavailable_share": 1}));
    let (status, answer) = sink.send("q", entries(&[1]));
    assert_eq!(status, 503);
    assert_eq!(answer["__type"], "com.amazonaws.sqs#ServiceUnavailable");
    assert_counts(&sink.counts("q"), json!({"delivered": 0, "unavailable": 1}));
}

#[test]
fn a_request_that_hangs_was_accepted() {
    let mut sink = Sink::with("q", json!({"hang_share": 1}));
    sink.send_only("q", entries(&[1, 2]));
    sink.reconnect();
    let deadline = Instant::now() + DEADLINE;
    while sink.counts("q")["hangs"] != 1 {
        assert!(Instant::now() < deadline);
    }
    assert_counts(&sink.counts("q"), json!({"delivered": 2}));
}
