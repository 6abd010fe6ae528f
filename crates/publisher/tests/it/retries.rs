//! What is tried again, and what is certain when it is given up.

use std::time::{Duration, Instant};

use publisher::FailureKind;

use crate::server::{Reply, Server, refuse};
use crate::support::*;

#[test]
fn a_cut_answer_leaves_the_message_in_doubt_until_acknowledged() {
    let server = Server::start(|log, request, number| {
        let reply = log.accept(request);
        if number == 0 { Reply::Cut } else { reply }
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    assert_acknowledged(&collect(&publisher, 1)[&0]);
    assert_eq!(server.log.times_accepted("m0"), 2);
}

type Case = (&'static str, FailureKind, fn() -> Reply);

#[test]
fn what_may_have_been_accepted_and_is_never_acknowledged_is_in_doubt() {
    let cases: [Case; 5] = [
        ("lost before the answer came", FailureKind::Network, || Reply::Cut),
        ("cannot be read", FailureKind::Service, || Reply::CutShort),
        ("cannot be read", FailureKind::Service, || Reply::Answer(200, "<html>".to_owned())),
        ("cannot be read", FailureKind::Service, || {
            Reply::Answer(200, r#"{"Successful": [], "Failed": []}"#.to_owned())
        }),
        ("InternalFailure", FailureKind::Service, || refuse(500, "InternalFailure")),
    ];
    for (text, kind, reply) in cases {
        let server = Server::start(move |_, _, _| reply());
        let publisher = hasty(&server.endpoint);
        publisher.send(messages(1, &arn("orders")));
        let outcomes = collect(&publisher, 1);
        let failure = in_doubt(&outcomes[&0]);
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.message.contains(text), "{failure:?}");
        assert!(failure.message.contains(&server.endpoint), "{failure:?}");
        assert!(server.log.requests().len() > 1, "it was not tried again");
    }
}

#[test]
fn a_doubt_is_not_forgotten_when_a_later_attempt_is_certain() {
    let server = Server::start(|_, _, number| match number {
        0 => Reply::Cut,
        _ => refuse(403, "RequestThrottled"),
    });
    let publisher = hasty(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    in_doubt(&collect(&publisher, 1)[&0]);
}

#[test]
fn a_refused_connection_is_certainly_not_sent() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let publisher = hasty(&endpoint);
    publisher.send(messages(3, &arn("orders")));
    for outcome in collect(&publisher, 3).values() {
        let failure = not_sent(outcome);
        assert_eq!(failure.kind, FailureKind::Network);
        let start = format!("could not reach {endpoint}: connection refused, after ");
        assert!(failure.message.starts_with(&start), "{failure:?}");
        assert!(failure.message.contains(" attempts in "), "{failure:?}");
    }
}

#[test]
fn a_name_that_does_not_resolve_is_certainly_not_sent() {
    let publisher = hasty("http://sqs.invalid:4566");
    publisher.send(messages(1, &arn("orders")));
    let outcomes = collect(&publisher, 1);
    let failure = not_sent(&outcomes[&0]);
    assert_eq!(failure.kind, FailureKind::Network);
}

#[test]
fn a_failed_tls_handshake_is_certainly_not_sent() {
    let server = Server::willing();
    let publisher = hasty(&server.endpoint.replace("http:", "https:"));
    publisher.send(messages(1, &arn("orders")));
    let outcomes = collect(&publisher, 1);
    assert_eq!(not_sent(&outcomes[&0]).kind, FailureKind::Network);
    assert!(server.log.requests().is_empty());
}

#[test]
fn throttling_is_waited_out_and_never_charged_to_the_message() {
    for (status, code) in
        [(403, "RequestThrottled"), (400, "ThrottlingException"), (400, "KmsThrottled")]
    {
        let server =
            Server::start(
                move |log, request, number| {
                    if number < 4 { refuse(status, code) } else { log.accept(request) }
                },
            );
        let publisher = patient(&server.endpoint);
        publisher.send(messages(30, &arn("orders")));
        collect(&publisher, 30).values().for_each(assert_acknowledged);
        assert_eq!(server.log.accepted.lock().unwrap().len(), 30);
    }
}

#[test]
fn throttling_that_does_not_end_is_certainly_not_sent() {
    let server = Server::start(|_, _, _| refuse(403, "RequestThrottled"));
    let publisher = hasty(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    let outcomes = collect(&publisher, 1);
    let failure = not_sent(&outcomes[&0]);
    assert_eq!(failure.kind, FailureKind::Service);
    assert_eq!(failure.code.as_deref(), Some("RequestThrottled"));
}

#[test]
fn only_what_failed_of_a_batch_is_tried_again() {
    for code in ["RequestThrottled", "InternalError", "NeverHeardOf"] {
        let server = Server::start(move |log, request, number| {
            log.accept_but(request, |entry| {
                (number == 0 && entry.body == "m4").then_some((code, false))
            })
        });
        let publisher = patient(&server.endpoint);
        publisher.send(messages(10, &arn("orders")));
        collect(&publisher, 10).values().for_each(assert_acknowledged);
        let sizes: Vec<usize> = server.log.requests().iter().map(|r| r.entries().len()).collect();
        assert_eq!(sizes, [10, 1]);
    }
}

#[test]
fn an_acknowledgement_of_another_body_or_of_other_attributes_is_none() {
    for (key, what) in
        [("MD5OfMessageBody", "another body"), ("MD5OfMessageAttributes", "other attributes")]
    {
        let server = Server::start(move |log, request, _| {
            let Reply::Answer(status, body) = log.accept(request) else { unreachable!() };
            let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
            body["Successful"][0][key] = "00000000000000000000000000000000".into();
            Reply::Answer(status, body.to_string())
        });
        let publisher = hasty(&server.endpoint);
        let mut outgoing = message(0, &arn("orders"), "m0");
        outgoing.attributes = vec![text("kind", "String", "added")];
        publisher.send(vec![outgoing]);
        let outcomes = collect(&publisher, 1);
        let failure = in_doubt(&outcomes[&0]);
        assert!(failure.message.contains(what), "{failure:?}");
        assert!(server.log.requests().len() > 1, "it was not tried again");
    }
}

#[test]
fn an_acknowledgement_without_digests_is_believed() {
    let server = Server::start(|log, request, _| {
        let Reply::Answer(status, body) = log.accept(request) else { unreachable!() };
        let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["Successful"][0]["MD5OfMessageBody"] = "".into();
        body["Successful"][0].as_object_mut().unwrap().remove("MD5OfMessageAttributes");
        Reply::Answer(status, body.to_string())
    });
    let publisher = patient(&server.endpoint);
    let mut outgoing = message(0, &arn("orders"), "m0");
    outgoing.attributes = vec![text("kind", "String", "added")];
    publisher.send(vec![outgoing]);
    assert_acknowledged(&collect(&publisher, 1)[&0]);
}

#[test]
fn a_retry_says_all_that_the_first_attempt_said() {
    let server = Server::start(|log, request, number| match number {
        0 => log
            .accept_but(request, |entry| (entry.body == "m1").then_some(("InternalError", false))),
        1 => Reply::Cut,
        2 => refuse(403, "RequestThrottled"),
        _ => log.accept(request),
    });
    let publisher = patient(&server.endpoint);
    let outgoing = |id: i64| publisher::Outgoing {
        dedup_id: Some(format!("dedup {id}")),
        delay_seconds: Some(id as u16 * 300),
        attributes: vec![bytes("id", "Binary.big-endian", &id.to_be_bytes())],
        ..of_group(&format!("group {id}"), message(id, &arn("orders"), format!("m{id}")))
    };
    publisher.send((0..3).map(outgoing).collect());
    collect(&publisher, 3).values().for_each(assert_acknowledged);
    let requests = server.log.requests();
    assert_eq!(requests.len(), 4);
    for entry in requests.iter().flat_map(|request| request.entries()) {
        let id = entry.body[1..].parse::<u64>().unwrap();
        assert_eq!(entry.group_id.as_deref(), Some(format!("group {id}").as_str()));
        assert_eq!(entry.dedup_id.as_deref(), Some(format!("dedup {id}").as_str()));
        assert_eq!(entry.delay_seconds, Some(id * 300));
        assert_eq!(entry.attributes["id"]["DataType"], "Binary.big-endian");
    }
}

#[test]
fn an_outage_ends_for_all_that_waits_and_is_not_hammered() {
    let server = Server::start(|_, _, _| refuse(503, "ServiceUnavailable"));
    let publisher = start(&server.endpoint, Duration::from_millis(500), 8);
    let started = Instant::now();
    publisher.send(messages(5000, &arn("orders")));
    let outcomes = collect(&publisher, 5000);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(outcomes.values().any(|outcome| matches!(outcome, publisher::Outcome::NotSent { .. })));
    let requests = server.log.requests().len();
    assert!(requests < 100, "{requests} requests for 500 batches");
}

#[test]
fn after_an_outage_messages_flow_again() {
    let server = Server::start(
        |log, request, number| {
            if number < 10 { Reply::Cut } else { log.accept(request) }
        },
    );
    let publisher = patient(&server.endpoint);
    publisher.send(messages(500, &arn("orders")));
    collect(&publisher, 500).values().for_each(assert_acknowledged);
}

#[test]
fn a_request_without_an_answer_is_in_doubt() {
    let server = Server::start(|_, _, _| {
        std::thread::park();
        Reply::Cut
    });
    let publisher = start(&server.endpoint, Duration::ZERO, 1);
    publisher.send(messages(1, &arn("orders")));
    wait_until("the request", || !server.log.requests().is_empty());
    assert!(is_readable(&publisher, Duration::from_secs(60)), "the attempt ends after 30 s");
    let outcomes = collect(&publisher, 1);
    let failure = in_doubt(&outcomes[&0]);
    let text = format!("no answer from {} within 30 s", server.endpoint);
    assert!(failure.message.starts_with(&text), "{failure:?}");
}

#[test]
fn a_connection_that_is_not_made_in_time_is_certainly_not_sent() {
    // Nobody accepts: once its backlog is full, the listener answers no further connection.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let short = Duration::from_millis(200);
    let filling = || std::net::TcpStream::connect_timeout(&address, short).ok();
    let _full: Vec<_> = std::iter::from_fn(filling).collect();
    let publisher = start(&format!("http://{address}"), Duration::ZERO, 1);
    publisher.send(messages(1, &arn("orders")));
    let outcomes = collect(&publisher, 1);
    let failure = not_sent(&outcomes[&0]);
    assert!(failure.message.starts_with("could not reach"), "{failure:?}");
}
