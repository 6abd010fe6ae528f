//! What is counted of calls, as the caller sees it once all is reported.

use std::time::Instant;

use crate::server::{Reply, Server, refuse};
use crate::support::*;

#[test]
fn calls_retries_throttling_and_bytes_are_counted() {
    let server = Server::start(|log, request, number| {
        if number < 2 { refuse(403, "RequestThrottled") } else { log.accept(request) }
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(10, &arn("orders")));
    collect(&publisher, 10).values().for_each(assert_acknowledged);
    let counters = publisher.counters();
    assert_eq!((counters.calls, counters.failed_calls), (3, 2));
    assert_eq!((counters.throttled, counters.retries), (2, 2));
    assert_eq!(counters.bytes, 3 * 20, "m0 to m9, three times");
    assert_eq!(counters.latencies.iter().sum::<u64>(), 3);
    assert_eq!(counters.possible_duplicates, 0, "a throttled call was certainly not accepted");
    assert!((1..8).contains(&counters.limit), "throttling shrinks the window: {}", counters.limit);
}

#[test]
fn an_entry_that_is_throttled_counts_as_throttling() {
    let server = Server::start(|log, request, number| {
        let throttled = |entry: &crate::server::Entry| {
            (number == 0 && entry.body == "m3").then_some(("RequestThrottled", false))
        };
        log.accept_but(request, throttled)
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(10, &arn("orders")));
    collect(&publisher, 10);
    let counters = publisher.counters();
    assert_eq!((counters.calls, counters.failed_calls, counters.throttled), (2, 0, 1));
}

#[test]
fn what_is_acknowledged_after_a_cut_answer_may_be_a_duplicate() {
    let server = Server::start(|log, request, number| {
        let reply = log.accept(request);
        if number == 0 { Reply::Cut } else { reply }
    });
    let publisher = patient(&server.endpoint);
    publisher.send(messages(7, &arn("orders")));
    collect(&publisher, 7).values().for_each(assert_acknowledged);
    assert_eq!(publisher.counters().possible_duplicates, 7);
}

#[test]
fn a_paused_queue_is_named_while_it_is_paused() {
    let server = Server::start(|_, _, _| refuse(403, "RequestThrottled"));
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    let (queue, until) = loop {
        if let Some(paused) = publisher.counters().paused {
            break paused;
        }
        std::thread::yield_now();
    };
    assert_eq!(queue, arn("orders"));
    assert!(until > Instant::now() - std::time::Duration::from_secs(1));
}
