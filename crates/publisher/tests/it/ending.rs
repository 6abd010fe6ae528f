//! Cancelling, stopping and dropping: nothing is lost, nothing hangs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use publisher::{FailureKind, Publisher};

use crate::server::{Reply, Server};
use crate::support::*;

/// A server that answers when the gate is let go, and says how many requests it holds.
fn gated() -> (Server, Arc<Mutex<()>>) {
    let gate = Arc::new(Mutex::new(()));
    let held = Arc::clone(&gate);
    let server = Server::start(move |log, request, _| {
        drop(held.lock().unwrap());
        log.accept(request)
    });
    (server, gate)
}

fn requested(server: &Server, count: usize) {
    wait_until("requests", || server.log.requests().len() == count);
}

#[test]
fn cancelled_what_waits_is_reported_at_once_and_what_is_in_flight_when_it_is_answered() {
    let (server, gate) = gated();
    let closed = gate.lock().unwrap();
    let publisher = start(&server.endpoint, Duration::from_secs(60), 2);
    publisher.send(messages(50, &arn("orders")));
    requested(&server, 2);
    publisher.cancel();
    let waiting = collect(&publisher, 30);
    assert!(waiting.values().all(|o| not_sent(o).kind == FailureKind::Cancelled));
    publisher.send(vec![message(99, &arn("orders"), "x")]);
    assert_eq!(not_sent(&collect(&publisher, 1)[&99]).kind, FailureKind::Cancelled);
    drop(closed);
    collect(&publisher, 20).values().for_each(assert_acknowledged);
    assert_eq!(server.log.requests().len(), 2);
}

#[test]
fn cancelled_nothing_is_retried_and_a_doubt_is_reported_as_one() {
    let server = Server::start(|_, _, _| Reply::Cut);
    let publisher = patient(&server.endpoint);
    publisher.send(messages(1, &arn("orders")));
    wait_until("retries", || server.log.requests().len() > 2);
    publisher.cancel();
    in_doubt(&collect(&publisher, 1)[&0]);
    let requests = server.log.requests().len();
    assert!(publisher.stop(Duration::from_secs(5)).is_empty());
    assert_eq!(server.log.requests().len(), requests);
}

#[test]
fn stopped_it_waits_for_answers_and_returns_every_report() {
    let (server, gate) = gated();
    let closed = gate.lock().unwrap();
    let publisher = start(&server.endpoint, Duration::from_secs(60), 2);
    publisher.send(messages(50, &arn("orders")));
    requested(&server, 2);
    let stopper = std::thread::spawn(move || publisher.stop(Duration::from_secs(10)));
    std::thread::sleep(Duration::from_millis(20));
    assert!(!stopper.is_finished());
    drop(closed);
    let mut outcomes = BTreeMap::new();
    gather(&mut outcomes, stopper.join().unwrap());
    assert_eq!(outcomes.len(), 50);
    let not_sent = outcomes.values().filter(|o| matches!(o, publisher::Outcome::NotSent { .. }));
    assert_eq!(not_sent.count(), 30);
}

#[test]
fn stopped_without_patience_what_is_in_flight_is_in_doubt() {
    let (server, gate) = gated();
    let _closed = gate.lock().unwrap();
    let publisher = start(&server.endpoint, Duration::from_secs(60), 2);
    publisher.send(messages(50, &arn("orders")));
    requested(&server, 2);
    let started = Instant::now();
    let reports = publisher.stop(Duration::from_millis(50));
    assert!(started.elapsed() < Duration::from_secs(5));
    let mut outcomes = BTreeMap::new();
    gather(&mut outcomes, reports);
    assert_eq!(outcomes.len(), 50);
    for (id, outcome) in &outcomes {
        let failure = if *id < 20 { in_doubt(outcome) } else { not_sent(outcome) };
        assert_eq!(failure.kind, FailureKind::Cancelled);
    }
}

#[test]
fn dropped_it_does_not_hang() {
    let (server, gate) = gated();
    let _closed = gate.lock().unwrap();
    let publisher = patient(&server.endpoint);
    publisher.send(messages(50, &arn("orders")));
    wait_until("a request", || !server.log.requests().is_empty());
    let started = Instant::now();
    drop(publisher);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn stopped_unused_it_ends_at_once() {
    let publisher = patient("http://127.0.0.1:1");
    let started = Instant::now();
    assert!(publisher.stop(Duration::MAX).is_empty());
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn its_threads_take_no_signal_and_the_callers_mask_stays() {
    let mask = |path: String| -> u64 {
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    let own = || mask("/proc/thread-self/status".to_owned());
    let before = own();
    // A name to look up makes the runtime spawn a child.
    let publisher: Publisher = hasty("http://localhost:1");
    publisher.send(messages(1, &arn("orders")));
    collect(&publisher, 1);
    assert_eq!(own(), before);
    let mut seen = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let path = task.path().display().to_string();
        let Ok(name) = std::fs::read_to_string(format!("{path}/comm")) else {
            continue;
        };
        if name.trim() == "sqs_sync pub" || name.starts_with("tokio-rt") {
            seen += 1;
            let blocked = mask(format!("{path}/status"));
            for signal in [nix::libc::SIGTERM, nix::libc::SIGURG, nix::libc::SIGUSR1] {
                assert!(blocked & (1 << (signal - 1)) != 0, "{name} takes signal {signal}");
            }
        }
    }
    assert!(seen > 0);
}
