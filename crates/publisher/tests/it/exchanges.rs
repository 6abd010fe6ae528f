//! Calls as they are kept: what was sent and answered, which of them, how many, and no secret.

use publisher::{Answered, Exchange, Level, Publisher, Recording};
use serde_json::Value;

use crate::server::{Reply, Server, refuse};
use crate::support::*;

fn recording(endpoint: &str, level: Level) -> Publisher {
    let publisher = patient(endpoint);
    publisher.record(Recording { level, calls: None, afterwards: level });
    publisher
}

fn json(bytes: Option<&[u8]>) -> Value {
    serde_json::from_slice(bytes.unwrap()).unwrap()
}

fn results(exchange: &Exchange) -> Vec<&Answered> {
    exchange.entries.iter().map(|told| &told.result).collect()
}

#[test]
fn a_call_is_kept_as_it_went_over_the_wire_and_is_there_with_its_report() {
    let server = Server::start(|log, request, _| log.accept(request));
    let publisher = recording(&server.endpoint, Level::All);
    publisher.send(messages(3, &arn("orders")));
    collect(&publisher, 3);
    let [call] = &publisher.exchanges()[..] else { panic!("one call was made") };

    assert_eq!((call.operation, call.attempt, call.status), ("SendMessageBatch", 1, Some(200)));
    assert!(call.queue.ends_with("/123456789012/orders"), "{}", call.queue);
    let bodies: Vec<Value> = (0..3).map(|id| format!("m{id}").into()).collect();
    let sent = json(call.request.bytes());
    let sent: Vec<&Value> =
        sent["Entries"].as_array().unwrap().iter().map(|e| &e["MessageBody"]).collect();
    assert_eq!(sent, bodies.iter().collect::<Vec<_>>());
    assert_eq!(json(call.response.bytes())["Successful"][2]["MessageId"], "id of m2");
    assert_eq!(call.entries.iter().map(|told| told.id).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(results(call).iter().all(|result| **result == Answered::Accepted));
    assert!(publisher.exchanges().is_empty());
}

#[test]
fn unless_it_is_asked_for_nothing_is_kept_and_of_errors_only_what_failed() {
    for (level, kept) in [(None, 0), (Some(Level::Errors), 1), (Some(Level::Off), 0)] {
        let server = Server::start(|log, request, number| match number {
            0 => log.accept_but(request, |entry| {
                (entry.body == "m1").then_some(("InvalidMessageContents", true))
            }),
            _ => log.accept(request),
        });
        let publisher = patient(&server.endpoint);
        if let Some(level) = level {
            publisher.record(Recording { level, calls: None, afterwards: level });
        }
        publisher.send(messages(3, &arn("orders")));
        collect(&publisher, 3);
        publisher.send(messages(3, &arn("orders")));
        collect(&publisher, 3);
        let calls = publisher.exchanges();
        assert_eq!(calls.len(), kept, "{level:?}");
        for call in calls {
            let [Answered::Accepted, Answered::Rejected { code, error }, Answered::Accepted] =
                results(&call)[..]
            else {
                panic!("{call:?}")
            };
            assert_eq!((code.as_deref(), error.as_str()), (Some("InvalidMessageContents"), "No"));
        }
    }
}

#[test]
fn each_attempt_says_what_became_of_its_messages() {
    let server = Server::start(|log, request, number| match number {
        0 => refuse(403, "RequestThrottled"),
        1 => Reply::Cut,
        _ => log.accept(request),
    });
    let publisher = recording(&server.endpoint, Level::All);
    publisher.send(messages(1, &arn("orders")));
    collect(&publisher, 1);
    let calls = publisher.exchanges();
    let told: Vec<_> = calls.iter().map(|call| (call.attempt, call.status)).collect();
    assert_eq!(told, [(1, Some(403)), (2, None), (3, Some(200))]);
    assert!(matches!(results(&calls[0])[..], [Answered::NotAccepted { .. }]));
    assert!(matches!(results(&calls[1])[..], [Answered::InDoubt { .. }]));
    assert!(matches!(results(&calls[2])[..], [Answered::Accepted]));
    assert!(calls[1].response.bytes().is_none() && calls[1].request.bytes().is_some());
}

#[test]
fn so_many_calls_are_kept_as_were_asked_for_and_of_a_sample_its_share() {
    let server = Server::start(|log, request, _| log.accept(request));
    let publisher = patient(&server.endpoint);
    for (recording, kept) in [
        (Recording { level: Level::All, calls: Some(3), afterwards: Level::Errors }, 3),
        (Recording { level: Level::Sample(0.2), calls: None, afterwards: Level::Off }, 2),
    ] {
        publisher.record(recording);
        for _ in 0..10 {
            publisher.send(messages(1, &arn("orders")));
            collect(&publisher, 1);
        }
        assert_eq!(publisher.exchanges().len(), kept, "{recording:?}");
    }
}

#[test]
fn what_there_is_no_room_for_is_dropped_and_counted() {
    let server = Server::start(|log, request, _| log.accept(request));
    let publisher = recording(&server.endpoint, Level::All);
    let body = "x".repeat(200_000);
    let send = |count: i64| {
        publisher.send((0..count).map(|id| message(id, &arn("orders"), body.clone())).collect());
        collect(&publisher, usize::try_from(count).unwrap());
    };
    // Each in a call of its own, since a call has room for five and keeps but a quarter of that.
    for _ in 0..100 {
        send(1);
    }
    let kept = publisher.exchanges();
    let bytes: usize = kept.iter().filter_map(|call| call.request.bytes()).map(<[u8]>::len).sum();
    assert!(kept.len() < 100 && bytes <= 16 << 20, "{} calls of {bytes} bytes", kept.len());
    send(5);
    let [after] = &publisher.exchanges()[..] else { panic!() };
    assert_eq!(after.dropped, 100 - kept.len() as u64);
    assert!(after.request.bytes().is_none(), "it is too long to be kept");
    assert!(after.request.length() > 1_000_000);
}

#[test]
fn an_answer_about_credentials_or_with_a_secret_in_it_is_not_kept() {
    let quoting = [
        (403, "SignatureDoesNotMatch", "The canonical string should have been…".to_owned()),
        (400, "Odd", format!("you sent {TOKEN}")),
        (400, "Odd", format!("you sent {SECRET}")),
        (400, "Odd", "authorization: AWS4-HMAC-SHA256 Credential=AKIA".to_owned()),
        (200, "Odd", "x-amz-security-token: abc".to_owned()),
    ];
    for (status, code, words) in quoting {
        let answer = serde_json::json!({"__type": code, "message": words}).to_string();
        let server = Server::start(move |_, _, _| Reply::Answer(status, answer.clone()));
        let publisher = hasty(&server.endpoint);
        let level = Level::All;
        publisher.record(Recording { level, calls: None, afterwards: level });
        publisher.send(messages(1, &arn("orders")));
        collect(&publisher, 1);
        for call in publisher.exchanges() {
            assert_eq!(call.status, Some(status));
            assert!(call.response.bytes().is_none(), "{words}");
            let told = format!("{:?} {:?}", call.error, call.entries);
            for secret in ["AWS4", "security", TOKEN, SECRET] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}
