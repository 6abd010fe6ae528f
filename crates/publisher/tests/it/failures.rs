//! Failures of a queue and of the credentials: how far they reach, and what they say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use publisher::{FailureKind, Outcome};

use crate::server::{Reply, Server, refuse};
use crate::support::*;

#[test]
fn a_failed_queue_does_not_stop_another() {
    for code in ["QueueDoesNotExist", "AccessDeniedException", "KmsDisabled"] {
        let server = Server::start(move |log, request, _| match request.queue() {
            "gone" => refuse(400, code),
            _ => log.accept(request),
        });
        let publisher = start(&server.endpoint, Duration::from_secs(60), 1);
        let queues = [arn("gone"), arn("good")];
        let outgoing = (0..100).map(|id| message(id, &queues[id as usize % 2], "x"));
        publisher.send(outgoing.collect());
        for (id, outcome) in collect(&publisher, 100) {
            if id % 2 == 1 {
                assert_acknowledged(&outcome);
                continue;
            }
            let failure = not_sent(&outcome);
            assert_eq!(failure.kind, FailureKind::Queue);
            assert!(failure.message.contains("gone"), "{failure:?}");
            assert!(failure.code.is_some() && failure.hint.is_some());
        }
        let requests = server.log.requests();
        assert_eq!(requests.iter().filter(|r| r.queue() == "gone").count(), 1);
        // What comes later for it fails at once.
        publisher.send(vec![message(100, &queues[0], "x")]);
        not_sent(&collect(&publisher, 1)[&100]);
    }
}

#[test]
fn a_queue_that_does_not_answer_does_not_hold_another() {
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let server = Server::start(move |log, request, _| {
        while request.queue() == "silent" && !is_open.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        log.accept(request)
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(500, &arn("silent")));
    wait_until("requests", || server.log.requests().len() >= 7);
    let outgoing = (1000..1100).map(|id| message(id, &arn("good"), "x"));
    publisher.send(outgoing.collect());
    assert!(collect(&publisher, 100).keys().all(|id| *id >= 1000));
    open.store(true, Ordering::SeqCst);
    collect(&publisher, 500).values().for_each(assert_acknowledged);
}

#[test]
fn a_legacy_code_in_the_query_error_header_is_understood() {
    let server = Server::start(|_, _, _| {
        Reply::AnswerWith(
            400,
            "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n".to_owned(),
            r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "Gone."}"#.to_owned(),
        )
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(2, &arn("gone")));
    for outcome in collect(&publisher, 2).values() {
        assert_eq!(not_sent(outcome).kind, FailureKind::Queue);
    }
}

#[test]
fn a_queue_that_fails_in_an_entry_fails_as_one() {
    let server = Server::start(|log, request, _| {
        log.accept_but(request, |entry| (entry.body == "m2").then_some(("KmsAccessDenied", true)))
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(10, &arn("orders")));
    let outcomes = collect(&publisher, 10);
    assert_eq!(not_sent(&outcomes[&2]).kind, FailureKind::Queue);
    assert_acknowledged(&outcomes[&1]);
}

#[test]
fn refused_credentials_end_everything() {
    let xml = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";
    // A signature is made once more, at the time that the answer names.
    let replies: [fn(&str) -> Reply; 3] = [
        |_| refuse(403, "InvalidClientTokenId"),
        |_| refuse(400, "IncompleteSignature"),
        |xml| Reply::Answer(403, xml.to_owned()),
    ];
    for (reply, requests) in replies.into_iter().zip([1, 2, 1]) {
        let server = Server::start(move |_, _, _| reply(xml));
        let publisher = start(&server.endpoint, Duration::from_secs(60), 1);
        let queues = [arn("a"), arn("b")];
        let outgoing = (0..60).map(|id| message(id, &queues[id as usize % 2], "x"));
        publisher.send(outgoing.collect());
        for outcome in collect(&publisher, 60).values() {
            let failure = not_sent(outcome);
            assert_eq!(failure.kind, FailureKind::Credentials);
            assert!(failure.message.contains(&server.endpoint));
            assert!(failure.hint.is_some());
        }
        assert_eq!(server.log.requests().len(), requests);
        publisher.send(messages(1, &queues[0]));
        assert_eq!(not_sent(&collect(&publisher, 1)[&0]).kind, FailureKind::Credentials);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::willing();
    let location = format!("Location: {}/\r\n", elsewhere.endpoint);
    let server =
        Server::start(move |_, _, _| Reply::AnswerWith(307, location.clone(), String::new()));
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    assert_eq!(not_sent(&collect(&publisher, 1)[&0]).kind, FailureKind::Queue);
    assert!(elsewhere.log.requests().is_empty());
}

#[test]
fn secrets_do_not_print() {
    let printed = format!("{:?}", connection("http://localhost:1"));
    assert!(printed.contains("AKIAIOSFODNN7EXAMPLE"));
    assert!(!printed.contains(SECRET) && !printed.contains(TOKEN), "{printed}");

    // AWS quotes the request that it expected to be signed, with the session token in it.
    let server = Server::start(|_, _, _| {
        let body = format!(
            r#"{{"__type": "com.amazonaws.sqs#SignatureDoesNotMatch",
                "message": "The Canonical String should have been x-amz-security-token:{TOKEN} {SECRET}"}}"#
        );
        Reply::Answer(403, body)
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    let outcomes = collect(&publisher, 1);
    let printed = format!("{outcomes:?}");
    assert!(!printed.contains(SECRET) && !printed.contains(TOKEN), "{printed}");
    assert_eq!(not_sent(&outcomes[&0]).code.as_deref(), Some("SignatureDoesNotMatch"));
}

#[test]
fn a_failure_reads_as_postgres_messages_do() {
    let server = Server::start(|_, request, _| match request.queue() {
        "gone" => refuse(400, "QueueDoesNotExist"),
        "slow" => refuse(400, "ThrottlingException"),
        _ => Reply::Cut,
    });
    let publisher = hasty(&server.endpoint);
    for (id, queue) in ["gone", "slow", "cut"].into_iter().enumerate() {
        publisher.send(vec![message(id as i64, &arn(queue), "the body")]);
    }
    publisher.send(vec![message(3, &"not a name".into(), "the body")]);
    for outcome in collect(&publisher, 4).values() {
        let (Outcome::NotSent { failure } | Outcome::InDoubt { failure }) = outcome else {
            panic!("{outcome:?}");
        };
        let first = failure.message.chars().next().unwrap();
        let is_acronym = failure.message.starts_with("SQS");
        assert!(!first.is_uppercase() || is_acronym, "{failure:?}");
        assert!(!failure.message.ends_with('.'), "{failure:?}");
        assert!(!failure.message.contains("the body"), "{failure:?}");
        assert!(failure.hint.iter().all(|hint| hint.ends_with('.')), "{failure:?}");
    }
}
