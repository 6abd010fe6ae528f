//! Queues by name, URL and ARN.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use publisher::{FailureKind, Publisher, Settings};

use crate::server::{Log, Reply, Request, Server, listed, refuse};
use crate::support::*;

fn lists(log: &Log) -> usize {
    let requests = log.requests();
    requests.iter().filter(|r| matches!(r, Request::List { .. })).count()
}

#[test]
fn a_name_is_found_on_a_later_page_and_asked_for_once() {
    let server = Server::start(|log, request, _| match request {
        Request::List { token: None, .. } => listed(&["orders-old", "orders2"], Some("p2")),
        Request::List { token, .. } => {
            assert_eq!(token.as_deref(), Some("p2"));
            listed(&["orders.fifo", "orders"], Some("p3"))
        }
        request => log.accept(request),
    });
    let publisher = patient(&server.endpoint);
    for id in 0..3 {
        publisher.send(vec![message(id, &Arc::from("orders"), "x")]);
        assert_acknowledged(&collect(&publisher, 1)[&id]);
    }
    assert_eq!(lists(&server.log), 2);
    match &server.log.requests()[2] {
        Request::Send { url, .. } => {
            assert_eq!(*url, format!("{}/000000000000/orders", server.endpoint));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_url_of_the_endpoint_is_used_as_it_is() {
    let server = Server::willing();
    let url = format!("{}/123456789012/orders", server.endpoint);
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &Arc::from(url.as_str())));
    assert_acknowledged(&collect(&publisher, 1)[&0]);
    assert!(matches!(&server.log.requests()[0], Request::Send { url: asked, .. } if *asked == url));
}

#[test]
fn a_url_of_another_host_is_never_asked() {
    let server = Server::willing();
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &Arc::from("http://127.0.0.1:9/123456789012/orders")));
    let outcomes = collect(&publisher, 1);
    assert_eq!(not_sent(&outcomes[&0]).kind, FailureKind::Queue);
    assert!(server.log.requests().is_empty());
}

#[test]
fn a_name_that_no_queue_has_is_the_queues_failure() {
    let server = Server::start(|_, _, _| Reply::Answer(200, "{}".to_owned()));
    let publisher = patient(&server.endpoint);
    publisher.send(messages(12, &Arc::from("orders")));
    for outcome in collect(&publisher, 12).values() {
        let failure = not_sent(outcome);
        assert_eq!(failure.kind, FailureKind::Queue);
        let start =
            "queue \"orders\" does not exist in the connection's account in region eu-west-1";
        assert!(failure.message.starts_with(start), "{failure:?}");
        assert!(failure.hint.is_some());
    }
    assert_eq!(lists(&server.log), 1);
}

#[test]
fn finding_a_queue_is_retried_as_sending_is() {
    let server = Server::start(|log, request, number| match (request, number) {
        (_, 0) => Reply::Cut,
        (_, 1) => refuse(500, "InternalFailure"),
        (_, 2) => refuse(400, "ThrottlingException"),
        (Request::List { .. }, _) => listed(&["orders"], None),
        (request, _) => log.accept(request),
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(5, &Arc::from("orders")));
    collect(&publisher, 5).values().for_each(assert_acknowledged);
}

#[test]
fn finding_a_queue_is_given_up_after_the_same_time() {
    let server = Server::start(|_, _, _| Reply::Cut);
    let publisher = hasty(&server.endpoint);
    publisher.send(messages(5, &Arc::from("orders")));
    // No message was in a request yet: whatever became of the question, none was sent.
    for outcome in collect(&publisher, 5).values() {
        assert_eq!(not_sent(outcome).kind, FailureKind::Network);
    }
}

#[test]
fn a_denied_list_says_which_right_is_missing() {
    let server = Server::start(|_, _, _| refuse(400, "AccessDeniedException"));
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &Arc::from("orders")));
    let outcomes = collect(&publisher, 1);
    let failure = not_sent(&outcomes[&0]);
    assert_eq!(failure.kind, FailureKind::Queue);
    assert!(failure.hint.as_deref().unwrap().contains("sqs:ListQueues"));
}

#[test]
fn an_endpoint_or_region_that_makes_no_url_is_refused_at_the_start() {
    let settings = || Settings {
        retry_for: Duration::ZERO,
        max_requests_in_flight: 1,
        one_per_group: false,
        one_queue: false,
        max_messages_per_second: None,
    };
    for endpoint in [
        "",
        "not a url",
        "127.0.0.1",
        "ftp://127.0.0.1:1",
        "http://",
        "http://:80",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/?query",
        "http://user:password@127.0.0.1:1",
    ] {
        let refused = Publisher::start(connection(endpoint), settings()).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{endpoint}");
        assert!(!refused.to_string().contains("password"));
    }
    let mut nowhere = connection("");
    nowhere.endpoint_url = None;
    nowhere.region = "no region".to_owned();
    assert!(Publisher::start(nowhere, settings()).is_err());
}

#[test]
fn the_only_queue_may_have_all_requests_and_one_of_several_leaves_some_to_others() {
    for (one_queue, most) in [(true, 8), (false, 7)] {
        let open = Arc::new(AtomicBool::new(false));
        let answers = Arc::clone(&open);
        let server = Server::start(move |log, request, _| {
            wait_until("the test lets requests be answered", || answers.load(Ordering::Acquire));
            log.accept(request)
        });
        let settings = Settings {
            retry_for: Duration::from_secs(60),
            max_requests_in_flight: 8,
            one_per_group: false,
            one_queue,
            max_messages_per_second: None,
        };
        let publisher = Publisher::start(connection(&server.endpoint), settings).unwrap();
        let in_flight = |queue: &str| {
            server.log.requests().iter().filter(|request| request.queue() == queue).count()
        };
        publisher.send(messages(200, &arn("orders")));
        wait_until("the queue has what it may have", || in_flight("orders") == most);
        if !one_queue {
            publisher.send(vec![message(200, &arn("others"), "x")]);
            wait_until("another queue finds room", || in_flight("others") == 1);
            assert_eq!(in_flight("orders"), most);
        }
        open.store(true, Ordering::Release);
        collect(&publisher, if one_queue { 200 } else { 201 });
    }
}
