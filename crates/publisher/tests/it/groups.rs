//! Groups: order, at most one request in flight, and none that holds up another.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use publisher::{Outcome, Outgoing, Publisher};

use crate::server::{Entry, Log, Reply, Request, Server, refuse};
use crate::support::*;

/// Messages whose bodies are "group/number", the groups in turn.
fn in_turn(groups: usize, each: usize) -> Vec<Outgoing> {
    let queue = arn("orders");
    let outgoing = |id: usize| {
        let (group, number) = (format!("g{}", id % groups), id / groups);
        of_group(&group, message(id as i64, &queue, format!("{group}/{number}")))
    };
    (0..groups * each).map(outgoing).collect()
}

fn group_and_number(body: &str) -> (&str, usize) {
    let (group, number) = body.split_once('/').unwrap();
    (group, number.parse().unwrap())
}

/// Each group's messages were taken in their order: what was taken twice, before any later one.
fn assert_ordered(log: &Log) {
    let mut last: HashMap<&str, usize> = HashMap::new();
    let accepted = log.accepted.lock().unwrap();
    for body in accepted.iter() {
        let (group, number) = group_and_number(body);
        let before = last.insert(group, number);
        let is_next = number == before.map_or(0, |before| before + 1);
        assert!(is_next || before == Some(number), "{body} came after {before:?}");
    }
}

fn assert_no_overlap(server: &Server) {
    assert_eq!(server.log.overlaps.load(Ordering::SeqCst), 0, "two requests of one group");
}

fn send_and_collect(publisher: &Publisher, outgoing: Vec<Outgoing>) {
    let count = outgoing.len();
    publisher.send(outgoing);
    collect(publisher, count).values().for_each(assert_acknowledged);
}

/// Now and then requests go wrong, entries fail, answers and connections are cut.
fn stumble(log: &Log, request: &Request, _: usize) -> Reply {
    let some = |_: &Entry| match fastrand::u8(..) {
        0..15 => Some(("RequestThrottled", false)),
        15..30 => Some(("InternalError", false)),
        _ => None,
    };
    match fastrand::u8(..) {
        0..10 => Reply::Cut,
        10..20 => {
            log.accept_but(request, some);
            Reply::Reset
        }
        20..30 => {
            log.accept_but(request, some);
            Reply::CutShort
        }
        30..40 => refuse(500, "InternalFailure"),
        40..50 => refuse(403, "RequestThrottled"),
        _ => log.accept_but(request, some),
    }
}

#[test]
fn a_groups_messages_are_taken_in_their_order_whatever_fails_on_the_way() {
    for (groups, each) in [(1, 30), (7, 20), (60, 5)] {
        let server = Server::start(stumble);
        let publisher = one_per_group(&server.endpoint);
        send_and_collect(&publisher, in_turn(groups, each));
        assert_ordered(&server.log);
        assert_no_overlap(&server);
        for request in server.log.requests() {
            let mut groups: Vec<_> =
                request.entries().iter().map(|entry| &entry.group_id).collect();
            let entries = groups.len();
            groups.sort();
            groups.dedup();
            assert_eq!(groups.len(), entries, "two messages of a group in one request");
        }
    }
}

#[test]
fn several_of_a_group_in_a_request_keep_their_order_when_whole_requests_fail() {
    let server = Server::start(|log, request, _| match fastrand::u8(..) {
        0..20 => Reply::Cut,
        20..40 => Reply::Reset,
        40..60 => {
            log.accept(request);
            Reply::CutShort
        }
        60..80 => refuse(403, "RequestThrottled"),
        80..100 => refuse(400, "InvalidParameterValue"),
        _ => log.accept(request),
    });
    let publisher = patient(&server.endpoint);
    let outgoing = in_turn(7, 60);
    let count = outgoing.len();
    publisher.send(outgoing);
    let outcomes = collect(&publisher, count);
    assert_no_overlap(&server);
    assert!(server.log.requests().iter().any(|request| request.entries().len() == 10));
    // One that is alone in a request may be rejected here: the others' order stays.
    let accepted = server.log.accepted.lock().unwrap();
    let mut seen = HashSet::new();
    let mut last: HashMap<&str, usize> = HashMap::new();
    for body in accepted.iter().filter(|body| seen.insert(*body)) {
        let (group, number) = group_and_number(body);
        let before = last.insert(group, number);
        assert!(before < Some(number), "{body} came after {before:?}");
    }
    assert!(outcomes.values().any(|outcome| matches!(outcome, Outcome::Acknowledged { .. })));
}

#[test]
fn several_of_a_group_fill_a_request_and_a_group_waits_for_its_answer() {
    let server = Server::start(|log, request, _| {
        std::thread::sleep(Duration::from_millis(1));
        log.accept(request)
    });
    let publisher = patient(&server.endpoint);
    send_and_collect(&publisher, in_turn(3, 100));
    assert_ordered(&server.log);
    assert_no_overlap(&server);
    assert_eq!(server.log.requests().len(), 30);
}

#[test]
fn small_groups_share_requests() {
    let server = Server::willing();
    let publisher = one_per_group(&server.endpoint);
    send_and_collect(&publisher, in_turn(200, 1));
    assert_eq!(server.log.requests().len(), 20);
}

#[test]
fn a_failed_entry_is_tried_again_before_later_ones_of_its_group_and_holds_no_other() {
    let blocked = Arc::new(AtomicBool::new(true));
    let is_blocked = Arc::clone(&blocked);
    let server = Server::start(move |log, request, _| {
        let fails = |body: &str| body == "g3/0" && is_blocked.load(Ordering::SeqCst);
        log.accept_but(request, |entry| fails(&entry.body).then_some(("InternalError", false)))
    });
    let publisher = one_per_group(&server.endpoint);
    publisher.send(in_turn(10, 50));
    // All but the 50 of that group.
    let outcomes = collect(&publisher, 450);
    assert!(outcomes.iter().all(|(id, _)| id % 10 != 3));
    assert!(!server.log.requests().iter().any(|request| request.has("g3/1")));
    blocked.store(false, Ordering::SeqCst);
    collect(&publisher, 50).values().for_each(assert_acknowledged);
    assert_ordered(&server.log);
    assert_no_overlap(&server);
}

#[test]
fn a_rejected_message_holds_nothing_up() {
    let server = Server::start(|log, request, _| {
        log.accept_but(request, |entry| {
            entry.body.ends_with("/0").then_some(("InvalidMessageContents", true))
        })
    });
    let publisher = one_per_group(&server.endpoint);
    publisher.send(in_turn(5, 4));
    for (id, outcome) in collect(&publisher, 20) {
        match outcome {
            Outcome::Rejected { .. } => assert!(id < 5),
            outcome => assert_acknowledged(&outcome),
        }
    }
}

/// The group g0 is refused until all others are through.
fn refusing_one(whole: bool) -> (Server, Arc<AtomicBool>) {
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let server = Server::start(move |log, request, _| {
        let refused = |body: &str| body.starts_with("g0/") && !is_open.load(Ordering::SeqCst);
        if whole && request.entries().iter().any(|entry| refused(&entry.body)) {
            return refuse(403, "RequestThrottled");
        }
        log.accept_but(request, |entry| refused(&entry.body).then_some(("RequestThrottled", false)))
    });
    (server, open)
}

#[test]
fn a_throttled_group_holds_no_other_even_where_whole_requests_are_throttled_for_it() {
    for whole in [false, true] {
        for groups in [4, 100] {
            let (server, open) = refusing_one(whole);
            let publisher = one_per_group(&server.endpoint);
            publisher.send(in_turn(groups, 400 / groups));
            let others = 400 - 400 / groups;
            let outcomes = collect(&publisher, others);
            assert!(outcomes.keys().all(|id| id % groups as i64 != 0));
            open.store(true, Ordering::SeqCst);
            collect(&publisher, 400 - others).values().for_each(assert_acknowledged);
            assert_ordered(&server.log);
            assert_no_overlap(&server);
        }
    }
}

#[test]
fn a_group_that_is_not_answered_holds_no_other() {
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let server = Server::start(move |log, request, _| {
        while request.has("g0/") && !is_open.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        log.accept(request)
    });
    let publisher = one_per_group(&server.endpoint);
    let queue = arn("orders");
    publisher.send(vec![of_group("g0", message(-1, &queue, "g0/0"))]);
    wait_until("the slow group's request", || !server.log.requests().is_empty());
    publisher.send(vec![of_group("g0", message(-2, &queue, "g0/1"))]);
    let others = in_turn(50, 20).into_iter().filter(|outgoing| !outgoing.body.starts_with("g0/"));
    publisher.send(others.collect());
    collect(&publisher, 980).values().for_each(assert_acknowledged);
    open.store(true, Ordering::SeqCst);
    collect(&publisher, 2).values().for_each(assert_acknowledged);
}

#[test]
fn messages_without_a_group_are_sent_beside_groups() {
    let server = Server::start(stumble);
    let publisher = one_per_group(&server.endpoint);
    let mut outgoing = in_turn(5, 40);
    let queue = arn("orders");
    outgoing.extend((200..400).map(|id| message(id, &queue, format!("none/{id}"))));
    publisher.send(outgoing);
    collect(&publisher, 400).values().for_each(assert_acknowledged);
    assert_no_overlap(&server);
    assert!(server.log.requests().iter().any(|request| {
        request.has("none/") && request.entries().iter().all(|entry| entry.group_id.is_none())
    }));
}

#[test]
fn a_queue_by_two_names_is_one_queue() {
    let server = Server::start(|log, request, _| {
        if let Request::List { .. } = request {
            let url = "http://emulator.invalid:1/123456789012/orders";
            return Reply::Answer(200, format!(r#"{{"QueueUrls": ["{url}"]}}"#));
        }
        std::thread::sleep(Duration::from_millis(1));
        log.accept(request)
    });
    let url: Arc<str> = format!("{}/123456789012/orders", server.endpoint).into();
    let names = [Arc::from("orders"), arn("orders"), url];
    let publisher = one_per_group(&server.endpoint);
    let outgoing =
        (0..90).map(|id| of_group("g", message(id, &names[id as usize % 3], format!("g/{id}"))));
    publisher.send(outgoing.collect());
    collect(&publisher, 90).values().for_each(assert_acknowledged);
    assert_no_overlap(&server);
}

#[test]
fn groups_of_different_queues_are_different_groups() {
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let server = Server::start(move |log, request, _| {
        while request.queue() == "a" && !is_open.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        log.accept(request)
    });
    let publisher = patient(&server.endpoint);
    let queues = [arn("a"), arn("b")];
    let outgoing = (0..40).map(|id| of_group("g", message(id, &queues[id as usize % 2], "x")));
    publisher.send(outgoing.collect());
    let outcomes = collect(&publisher, 20);
    assert!(outcomes.keys().all(|id| id % 2 == 1));
    open.store(true, Ordering::SeqCst);
    collect(&publisher, 20).values().for_each(assert_acknowledged);
}
