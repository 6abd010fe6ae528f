//! What is tried again, how often, and what is not.

use std::time::{Duration, Instant};

use notifier::{Channel, FailureKind, Settings};

use crate::support::receiver::{Receiver, Reply, reply};
use crate::support::{QUICK, channel, deliver, failure, is_delivered};

fn webhook(url: &str) -> Channel {
    channel(
        "hook",
        &[("channel", "webhook"), ("url", url), ("internal_network", "true")],
        &[("signing_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    )
}

#[test]
fn a_peer_that_fails_for_now_is_asked_again() {
    for status in [500, 502, 503, 504, 429, 408] {
        let receiver =
            Receiver::start(move |before, _| reply(if before < 2 { status } else { 200 }));
        let answer = deliver(&webhook(&receiver.url()), QUICK);
        assert!(is_delivered(&answer) && answer.attempts == 3, "{status} {answer:?}");
    }
}

#[test]
fn a_peer_that_refuses_is_not_asked_again() {
    for status in [400, 401, 403, 404, 410, 413, 422] {
        let receiver = Receiver::start(move |_, _| Reply {
            body: "invalid\r\n_payload.".to_owned(),
            ..reply(status)
        });
        let answer = deliver(&webhook(&receiver.url()), QUICK);
        assert_eq!((answer.attempts, answer.status), (1, Some(status)));
        assert_eq!(failure(&answer).kind, FailureKind::Refused);
        let message = format!("127.0.0.1 refused the message (HTTP {status}): invalid _payload");
        assert_eq!(failure(&answer).message, message);
    }
}

#[test]
fn a_peer_that_goes_on_failing_is_given_up() {
    let receiver = Receiver::start(|_, _| reply(503));
    let answer = deliver(&webhook(&receiver.url()), QUICK);
    assert_eq!((answer.attempts, answer.status), (3, Some(503)));
    assert_eq!(failure(&answer).kind, FailureKind::Unavailable);
    let message = "127.0.0.1 could not take the message (HTTP 503), after 3 attempts";
    assert_eq!(failure(&answer).message, message);
}

#[test]
fn a_peer_that_names_a_time_is_not_asked_before() {
    let receiver = Receiver::start(|before, _| match before {
        0 => Reply { headers: vec![("retry-after", "2".to_owned())], ..reply(429) },
        _ => reply(200),
    });
    assert!(is_delivered(&deliver(&webhook(&receiver.url()), QUICK)));
    let received = receiver.received();
    assert!(received[1].at - received[0].at >= Duration::from_secs(2));
}

#[test]
fn a_peer_that_is_not_there_is_tried_again() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = deliver(&webhook(&format!("http://{nobody}")), QUICK);
    assert_eq!((answer.attempts, answer.status), (3, None));
    assert_eq!(failure(&answer).kind, FailureKind::Network);
    let port = nobody.port();
    let message =
        format!("could not reach 127.0.0.1 at port {port}: connection refused, after 3 attempts");
    assert_eq!(failure(&answer).message, message);
}

#[test]
fn a_peer_that_does_not_answer_is_waited_for_only_so_long() {
    let receiver = Receiver::start(|_, _| Reply { after: Duration::from_secs(3600), ..reply(200) });
    let started = Instant::now();
    let settings = Settings { timeout: Duration::from_millis(200), ..QUICK };
    let answer = deliver(&webhook(&receiver.url()), settings);
    assert_eq!(answer.attempts, 3);
    assert!(answer.latency >= Duration::from_millis(600) && answer.latency <= started.elapsed());
    let message = "no answer from 127.0.0.1 within 0.2 s, after 3 attempts";
    assert_eq!(failure(&answer).message, message);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(|_, _| reply(200));
    let to = elsewhere.url();
    let receiver = Receiver::start(move |_, _| Reply {
        headers: vec![("location", to.clone())],
        ..reply(307)
    });
    let answer = deliver(&webhook(&receiver.url()), QUICK);
    assert_eq!((answer.attempts, answer.status), (1, Some(307)));
    assert!(elsewhere.received().is_empty());
}

#[test]
fn an_answer_without_end_is_read_to_a_bound() {
    let receiver = Receiver::start(|_, _| Reply { body: "x".repeat(64 << 20), ..reply(400) });
    let before = peak_memory();
    let answer = deliver(&webhook(&receiver.url()), QUICK);
    assert_eq!(answer.status, Some(400));
    assert!(failure(&answer).message.len() < 1000);
    // The receiver, in this process, has its own copy; a second one would be too many.
    assert!(peak_memory() - before < 104 << 20);
}

/// In bytes.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}
