//! Questions about queues: lists, attributes, and an asker that does not wait for ever.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use publisher::{
    DeduplicationScope, Failure, FailureKind, Inquiry, Listed, Outgoing, QueueAttributes, Receipt,
    list_queues, queue_attributes, send_one,
};
use serde_json::json;

use crate::server::{Reply, Request, Server, listed, refuse};
use crate::support::*;

const PATIENCE: Duration = Duration::from_secs(10);

fn list(server: &Server, prefix: &str, most: usize) -> Inquiry<Listed> {
    list_queues(connection(&server.endpoint), prefix.to_owned(), most, PATIENCE).unwrap()
}

fn names(listed: &Listed) -> Vec<&str> {
    listed.queues.iter().map(|queue| queue.name.as_str()).collect()
}

fn ask(server: &Server, queues: &[&str]) -> Vec<Result<QueueAttributes, Failure>> {
    let queues = queues.iter().map(|queue| Arc::from(*queue)).collect();
    answer(&queue_attributes(connection(&server.endpoint), queues, PATIENCE).unwrap()).unwrap()
}

fn attributes(of: serde_json::Value) -> Reply {
    Reply::Answer(200, json!({"Attributes": of}).to_string())
}

/// A server with 2,500 queues in pages.
fn many() -> Server {
    Server::start(|_, request, _| {
        let Request::List { prefix, size, token } = request else { panic!("{request:?}") };
        assert!((1..=1000).contains(size));
        let first = token.as_deref().map_or(0, |token| token.parse().unwrap());
        let last = (first + *size as usize).min(2500);
        let names: Vec<String> = (first..last).map(|id| format!("{prefix}{id}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let next = (last < 2500).then(|| last.to_string());
        listed(&names, next.as_deref())
    })
}

#[test]
fn queues_are_listed_over_all_pages_with_urls_that_work() {
    let server = many();
    let listed = answer(&list(&server, "orders-", usize::MAX)).unwrap();
    assert_eq!(listed.queues.len(), 2500);
    assert!(listed.is_complete);
    assert_eq!(listed.queues[2499].name, "orders-2499");
    assert_eq!(listed.queues[2499].url, format!("{}/000000000000/orders-2499", server.endpoint));
    assert_eq!(server.log.requests().len(), 3);
}

#[test]
fn no_more_queues_are_listed_than_asked_for() {
    for (most, complete, requests) in
        [(3, false, 1), (1000, false, 2), (2499, false, 3), (2500, true, 3), (0, false, 1)]
    {
        let server = many();
        let listed = answer(&list(&server, "", most)).unwrap();
        assert_eq!(listed.queues.len(), most);
        assert_eq!(listed.is_complete, complete, "{most}");
        assert_eq!(server.log.requests().len(), requests, "{most}");
    }
}

#[test]
fn where_there_are_no_queues_the_list_is_empty() {
    let server = Server::start(|_, _, _| Reply::Answer(200, "{}".to_owned()));
    let listed = answer(&list(&server, "", 10)).unwrap();
    assert!(names(&listed).is_empty() && listed.is_complete);
}

#[test]
fn a_denied_list_names_the_right_that_is_missing() {
    let server = Server::start(|_, _, _| refuse(400, "AccessDeniedException"));
    let failure = answer(&list(&server, "", 10)).unwrap_err();
    assert_eq!(
        failure.message,
        "SQS refused requests to the list of queues: AccessDeniedException: No"
    );
    assert_eq!(failure.hint.as_deref(), Some("Allow sqs:ListQueues on the resource \"*\"."));
    assert_eq!(server.log.requests().len(), 1);
}

#[test]
fn a_question_that_fails_for_now_is_asked_again() {
    let server = Server::start(|_, _, number| match number {
        0 => Reply::Cut,
        1 => refuse(500, "InternalFailure"),
        2 => refuse(403, "RequestThrottled"),
        _ => listed(&["orders"], None),
    });
    assert_eq!(names(&answer(&list(&server, "", 10)).unwrap()), ["orders"]);
}

#[test]
fn patience_ends_and_the_failure_says_what_it_was() {
    let throttling = Server::start(|_, _, _| refuse(403, "RequestThrottled"));
    let silent = Server::start(|_, _, _| {
        std::thread::park();
        Reply::Cut
    });
    for (server, text) in [(throttling, "SQS throttles requests"), (silent, "no answer from")] {
        let patience = Duration::from_millis(300);
        let connection = connection(&server.endpoint);
        let inquiry = list_queues(connection, String::new(), 10, patience).unwrap();
        let failure = answer(&inquiry).unwrap_err();
        assert!(failure.message.starts_with(text), "{failure:?}");
    }
}

#[test]
fn a_question_that_is_dropped_does_not_hang() {
    let server = Server::start(|_, _, _| {
        std::thread::park();
        Reply::Cut
    });
    let inquiry = list(&server, "", 10);
    wait_until("the request", || !server.log.requests().is_empty());
    assert!(inquiry.answer().is_none());
    let started = Instant::now();
    drop(inquiry);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn refused_credentials_are_told_as_such() {
    let server = Server::start(|_, _, _| refuse(403, "InvalidClientTokenId"));
    let failure = answer(&list(&server, "", 10)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Credentials);
}

#[test]
fn an_endpoint_that_is_none_is_refused_at_once() {
    let refused = list_queues(connection("not a url"), String::new(), 1, PATIENCE).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn attributes_say_what_a_queue_is() {
    let server = Server::start(|_, request, _| match request {
        Request::List { .. } => listed(&["standard", "standard.fifo"], None),
        request if request.queue() == "standard" => {
            attributes(json!({"MaximumMessageSize": "262144", "DelaySeconds": "0"}))
        }
        _ => attributes(json!({
            "MaximumMessageSize": "1048576", "FifoQueue": "true",
            "ContentBasedDeduplication": "false", "DeduplicationScope": "messageGroup",
        })),
    });
    let answers = ask(&server, &["standard", &arn("orders.fifo")]);
    assert_eq!(
        answers[0].as_ref().unwrap(),
        &QueueAttributes {
            url: format!("{}/000000000000/standard", server.endpoint),
            maximum_message_size: Some(262_144),
            is_fifo: Some(false),
            deduplicates_by_content: Some(false),
            deduplication_scope: None,
        }
    );
    assert_eq!(
        answers[1].as_ref().unwrap(),
        &QueueAttributes {
            url: format!("{}/123456789012/orders.fifo", server.endpoint),
            maximum_message_size: Some(1_048_576),
            is_fifo: Some(true),
            deduplicates_by_content: Some(false),
            deduplication_scope: Some(DeduplicationScope::MessageGroup),
        }
    );
}

#[test]
fn denied_attributes_are_unknown_and_no_failure() {
    for code in ["AccessDenied", "AccessDeniedException", "UnknownOperationException"] {
        let server = Server::start(move |_, request, _| match request {
            Request::List { .. } => listed(&["orders"], None),
            _ => refuse(400, code),
        });
        let known = ask(&server, &["orders"]).remove(0).unwrap();
        let url = format!("{}/000000000000/orders", server.endpoint);
        assert_eq!(known, QueueAttributes { url, ..QueueAttributes::default() });
    }
}

#[test]
fn a_queue_that_is_not_there_is_a_failure_of_its_own() {
    let server = Server::start(|_, request, _| match request {
        Request::List { .. } => listed(&["orders"], None),
        request if request.queue() == "gone" => refuse(400, "QueueDoesNotExist"),
        _ => attributes(json!({"MaximumMessageSize": "1024"})),
    });
    let answers = ask(&server, &["missing", &arn("gone"), "not a name", "orders"]);
    for answer in &answers[..3] {
        assert_eq!(answer.as_ref().unwrap_err().kind, FailureKind::Queue);
    }
    assert_eq!(answers[3].as_ref().unwrap().maximum_message_size, Some(1024));
}

fn try_one(server: &Server, outgoing: Outgoing) -> Result<Receipt, Failure> {
    answer(&send_one(connection(&server.endpoint), outgoing, PATIENCE).unwrap())
}

#[test]
fn a_single_message_is_sent_once_and_its_answer_told() {
    let server = Server::start(|log, request, _| match request {
        Request::List { .. } => listed(&["orders.fifo"], None),
        _ => {
            let Reply::Answer(status, body) = log.accept(request) else { panic!() };
            let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
            body["Successful"][0]["SequenceNumber"] = json!("42");
            let headers = "x-amzn-requestid: the-request\r\n".to_owned();
            Reply::AnswerWith(status, headers, body.to_string())
        }
    });
    let named = Arc::from("orders.fifo");
    let outgoing = Outgoing {
        attributes: vec![text("kind", "String", "test")],
        dedup_id: Some("own".to_owned()),
        ..of_group("all", message(0, &named, "hello"))
    };
    let receipt = try_one(&server, outgoing).unwrap();
    assert_eq!(
        receipt,
        Receipt {
            queue_url: format!("{}/000000000000/orders.fifo", server.endpoint),
            message_id: "id of hello".to_owned(),
            sequence_number: Some("42".to_owned()),
            request_id: Some("the-request".to_owned()),
        }
    );
    let requests = server.log.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].entries()[0].dedup_id.as_deref(), Some("own"));
}

#[test]
fn a_single_message_that_is_refused_is_not_tried_again() {
    for (server, kind, what) in [
        (
            Server::start(|log, request, _| log.accept_but(request, |_| Some(("Bad", true)))),
            FailureKind::Queue,
            "No",
        ),
        (
            Server::start(|_, _, _| refuse(403, "RequestThrottled")),
            FailureKind::Service,
            "SQS throttles requests",
        ),
        (
            Server::start(|_, _, _| refuse(400, "QueueDoesNotExist")),
            FailureKind::Queue,
            "SQS refused requests",
        ),
    ] {
        let failure = try_one(&server, message(0, &arn("orders"), "x")).unwrap_err();
        assert_eq!(failure.kind, kind);
        assert!(failure.message.starts_with(what), "{failure:?}");
        assert!(!failure.message.contains("may have"), "{failure:?}");
        assert_eq!(server.log.requests().len(), 1);
    }
}

#[test]
fn a_single_message_without_a_whole_answer_may_have_arrived() {
    for reply in [|| Reply::Cut, || Reply::CutShort, || refuse(500, "InternalFailure")] {
        let server = Server::start(move |_, _, _| reply());
        let failure = try_one(&server, message(0, &arn("orders"), "x")).unwrap_err();
        assert!(failure.message.ends_with(": SQS may have the message, or not"), "{failure:?}");
        assert_eq!(server.log.requests().len(), 1);
    }
    let silent = Server::start(|_, _, _| {
        std::thread::park();
        Reply::Cut
    });
    let patience = Duration::from_millis(300);
    let asked = send_one(connection(&silent.endpoint), message(0, &arn("orders"), "x"), patience);
    let failure = answer(&asked.unwrap()).unwrap_err();
    assert!(failure.message.contains("within 0.3 s: SQS may have the message"), "{failure:?}");
}

#[test]
fn a_listed_queue_has_the_arn_that_leads_to_it() {
    let server = Server::start(|_, _, _| listed(&["orders"], None));
    let queues = answer(&list(&server, "", 10)).unwrap().queues;
    assert_eq!(queues[0].arn.as_deref(), Some("arn:aws:sqs:eu-west-1:000000000000:orders"));
}
