//! What is packed together, and what comes back for it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use publisher::Outcome;
use serde_json::json;

use crate::server::{Server, refuse};
use crate::support::*;

#[test]
fn every_message_is_acknowledged_with_its_message_id() {
    let server = Server::willing();
    let publisher = patient(&server.endpoint);
    publisher.send(messages(25, &arn("orders")));
    for (id, outcome) in collect(&publisher, 25) {
        match outcome {
            Outcome::Acknowledged { message_id } => assert_eq!(message_id, format!("id of m{id}")),
            other => panic!("{other:?}"),
        }
    }
    let sizes: Vec<usize> = server.log.requests().iter().map(|r| r.entries().len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 25);
    assert_eq!(sizes.len(), 3, "{sizes:?}");
}

#[test]
fn attributes_arrive_with_their_types() {
    let server = Server::willing();
    let publisher = patient(&server.endpoint);
    let mut outgoing = message(1, &arn("orders"), "{}");
    outgoing.attributes = vec![
        text("kind", "String", "added"),
        text("total", "Number.EUR", "12.50"),
        bytes("photo", "Binary", &[0, 159, 146, 150]),
    ];
    publisher.send(vec![outgoing]);
    assert_acknowledged(&collect(&publisher, 1)[&1]);
    assert_eq!(
        server.log.requests()[0].entries()[0].attributes,
        json!({
            "kind": {"DataType": "String", "StringValue": "added"},
            "total": {"DataType": "Number.EUR", "StringValue": "12.50"},
            "photo": {"DataType": "Binary", "BinaryValue": "AJ+Slg=="},
        })
    );
}

#[test]
fn bytes_of_a_batch_never_pass_the_limit() {
    const LIMIT: usize = 1_048_576;
    let server = Server::willing();
    let publisher = patient(&server.endpoint);
    let queue = arn("orders");
    // Two that fit to the byte, two that miss by one, and a mix.
    let mut sizes = vec![LIMIT / 2, LIMIT / 2, LIMIT / 2, LIMIT / 2 + 1, LIMIT, 1];
    sizes.extend((0..60).map(|_| fastrand::usize(1..250_000)));
    let mut outgoing: Vec<_> =
        (0..).zip(&sizes).map(|(id, size)| message(id, &queue, "x".repeat(*size))).collect();
    // Attributes count: 3 + 6 + 91 bytes.
    for outgoing in &mut outgoing[6..] {
        outgoing.attributes = vec![text("abc", "String", &"v".repeat(91))];
    }
    publisher.send(outgoing);
    collect(&publisher, sizes.len()).values().for_each(assert_acknowledged);
    let mut full = false;
    for request in server.log.requests() {
        let bytes: usize = request.entries().iter().map(|entry| entry.bytes).sum();
        assert!(bytes <= LIMIT, "{bytes}");
        assert!((1..=10).contains(&request.entries().len()));
        full |= bytes == LIMIT && request.entries().len() == 2;
    }
    assert!(full, "two that fit to the byte were not packed together");
}

#[test]
fn a_bad_entry_fails_alone() {
    let server = Server::start(|log, request, _| {
        log.accept_but(request, |entry| {
            (entry.body == "m3").then_some(("InvalidMessageContents", true))
        })
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(10, &arn("orders")));
    for (id, outcome) in collect(&publisher, 10) {
        match outcome {
            Outcome::Rejected { code, reason } if id == 3 => {
                assert_eq!((code.as_str(), reason.as_str()), ("InvalidMessageContents", "No"));
            }
            outcome => assert_acknowledged(&outcome),
        }
    }
    assert_eq!(server.log.requests().len(), 1);
}

#[test]
fn a_batch_refused_as_a_whole_is_halved_down_to_its_bad_entries() {
    for code in ["InvalidParameterValue", "BatchRequestTooLong", "NeverHeardOf"] {
        let server = Server::start(move |log, request, _| {
            let bad = request.entries().iter().any(|e| e.body == "m0" || e.body == "m7");
            if bad { refuse(400, code) } else { log.accept(request) }
        });
        let publisher = patient(&server.endpoint);
        publisher.send(messages(10, &arn("orders")));
        for (id, outcome) in collect(&publisher, 10) {
            match outcome {
                Outcome::Rejected { code: told, .. } if id == 0 || id == 7 => {
                    assert_eq!(told, code)
                }
                outcome => assert_acknowledged(&outcome),
            }
        }
        for id in 0..10 {
            assert!(server.log.times_accepted(&format!("m{id}")) <= 1);
        }
    }
}

#[test]
fn no_more_requests_are_in_flight_than_allowed() {
    let server = Server::start(|log, request, _| {
        std::thread::sleep(Duration::from_millis(2));
        log.accept(request)
    });
    let publisher = start(&server.endpoint, Duration::from_secs(60), 3);
    let queues = [arn("a"), arn("b"), arn("c"), arn("d"), arn("e")];
    let outgoing = (0..500).map(|id| message(id, &queues[id as usize % 5], format!("m{id}")));
    publisher.send(outgoing.collect());
    collect(&publisher, 500).values().for_each(assert_acknowledged);
    assert_eq!(server.log.most_in_flight.load(Ordering::SeqCst), 3);
}

#[test]
fn the_notifier_is_readable_exactly_while_reports_wait() {
    let server = Server::willing();
    let publisher = patient(&server.endpoint);
    assert!(!is_readable(&publisher, Duration::ZERO));
    for id in 0..3 {
        publisher.send(vec![message(id, &arn("orders"), "x")]);
        assert!(is_readable(&publisher, Duration::from_secs(10)));
        assert_eq!(publisher.reports().len(), 1);
        assert!(!is_readable(&publisher, Duration::ZERO));
        assert!(publisher.reports().is_empty());
    }
}
