//! Random faults: whatever SQS and the network do, the reports are true and complete.

use std::time::Duration;

use publisher::Outcome;

use crate::server::{Log, Reply, Request, Server, refuse};
use crate::support::*;

/// Half of the requests go wrong in some way, some of them after the messages were taken.
fn misbehave(log: &Log, request: &Request, _: usize) -> Reply {
    if request.has("bad") && fastrand::bool() {
        return refuse(400, "InvalidParameterValue");
    }
    let some = |entry: &crate::server::Entry| {
        if entry.body.starts_with("bad") {
            return Some(("InvalidMessageContents", true));
        }
        match fastrand::u8(..) {
            0..20 => Some(("RequestThrottled", false)),
            20..40 => Some(("InternalError", false)),
            _ => None,
        }
    };
    match fastrand::u8(..) {
        0..8 => Reply::Cut,
        8..15 => Reply::Reset,
        15..30 => {
            log.accept_but(request, some);
            Reply::Cut
        }
        30..45 => {
            log.accept_but(request, some);
            Reply::CutShort
        }
        45..60 => refuse(500, "InternalFailure"),
        60..90 => refuse(403, "RequestThrottled"),
        _ => log.accept_but(request, some),
    }
}

#[test]
fn every_message_is_reported_once_and_truly() {
    for retry_for in [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(2)] {
        let server = Server::start(misbehave);
        let publisher = start(&server.endpoint, retry_for, 8);
        let queues = [arn("a"), arn("b"), arn("c")];
        let body = |id: i64| match id % 17 {
            0 => format!("bad {id}"),
            _ => format!("good {id}"),
        };
        for first in (0..1500).step_by(100) {
            let outgoing =
                (first..first + 100).map(|id| message(id, &queues[id as usize % 3], body(id)));
            publisher.send(outgoing.collect());
        }
        let outcomes = collect(&publisher, 1500);
        assert!(publisher.stop(Duration::from_secs(5)).is_empty());
        for (id, outcome) in outcomes {
            let times = server.log.times_accepted(&body(id));
            match outcome {
                Outcome::Acknowledged { .. } => assert!(times >= 1, "{id}"),
                Outcome::Rejected { .. } => assert!(id % 17 == 0 && times == 0, "{id}"),
                Outcome::NotSent { .. } => assert_eq!(times, 0, "{id}"),
                Outcome::InDoubt { .. } => {}
            }
        }
    }
}
