//! No more messages a second than the caller allows.

use std::time::{Duration, Instant};

use publisher::FailureKind;

use crate::server::{Reply, Server};
use crate::support::*;

#[test]
fn what_is_sent_again_counts_and_nothing_fails_for_waiting_its_turn() {
    let server = Server::start(|log, request, number| match number % 2 {
        0 => Reply::Reset,
        _ => log.accept(request),
    });
    let retry_for = Duration::from_millis(200);
    let publisher = limited(&server.endpoint, retry_for, 1, Some(40.0));
    let start = Instant::now();
    publisher.send(messages(40, &arn("orders")));
    let outcomes = collect(&publisher, 40);
    outcomes.values().for_each(assert_acknowledged);
    let sent: usize = server.log.requests().iter().map(|request| request.entries().len()).sum();
    assert_eq!(sent, 80);
    // All but the first request wait for their turn.
    assert!(start.elapsed() >= Duration::from_millis(1740), "{:?}", start.elapsed());
}

#[test]
fn a_cancel_is_obeyed_at_once_while_messages_wait_for_their_turn() {
    let server = Server::start(|log, request, _| log.accept(request));
    let publisher = limited(&server.endpoint, Duration::from_secs(60), 8, Some(0.01));
    publisher.send(messages(3, &arn("orders")));
    assert_acknowledged(&collect(&publisher, 1)[&0]);
    wait_until("the limit is told", || publisher.counters().is_limited);
    publisher.cancel();
    let waiting = collect(&publisher, 2);
    assert!(waiting.values().all(|outcome| not_sent(outcome).kind == FailureKind::Cancelled));
    assert!(!publisher.counters().is_limited);
}
