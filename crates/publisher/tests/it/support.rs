//! A publisher for a test, and its reports.

use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use publisher::{
    Attribute, AttributeValue, Connection, Credentials, Failure, Inquiry, Outcome, Outgoing,
    Publisher, Report, Secret, Settings,
};

/// Longer than any test needs to wait for anything.
const LONG: Duration = Duration::from_secs(15);

pub const SECRET: &str = "wJalrXUtnFEMI/SECRETKEY";
pub const TOKEN: &str = "FwoGZXIvYXdzEB/SESSIONTOKEN";

pub fn connection(endpoint: &str) -> Connection {
    Connection {
        region: "eu-west-1".to_owned(),
        endpoint_url: Some(endpoint.to_owned()),
        sts_endpoint_url: None,
        identity: Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: Secret::new(SECRET.to_owned()),
            session_token: Some(Secret::new(TOKEN.to_owned())),
        }
        .into(),
    }
}

pub fn start(endpoint: &str, retry_for: Duration, max_requests_in_flight: usize) -> Publisher {
    limited(endpoint, retry_for, max_requests_in_flight, None)
}

/// One that sends no more messages a second.
pub fn limited(
    endpoint: &str,
    retry_for: Duration,
    max_requests_in_flight: usize,
    max_messages_per_second: Option<f64>,
) -> Publisher {
    let settings = Settings {
        retry_for,
        max_requests_in_flight,
        one_per_group: false,
        one_queue: false,
        max_messages_per_second,
    };
    Publisher::start(connection(endpoint), settings).unwrap()
}

/// A patient one that sends at most one message of a group in a request.
pub fn one_per_group(endpoint: &str) -> Publisher {
    let settings = Settings {
        retry_for: Duration::from_secs(600),
        max_requests_in_flight: 8,
        one_per_group: true,
        one_queue: false,
        max_messages_per_second: None,
    };
    Publisher::start(connection(endpoint), settings).unwrap()
}

/// A publisher that retries for longer than any test lasts.
pub fn patient(endpoint: &str) -> Publisher {
    start(endpoint, Duration::from_secs(600), 8)
}

/// One that gives up soon.
pub fn hasty(endpoint: &str) -> Publisher {
    start(endpoint, Duration::from_millis(400), 8)
}

/// By ARN, so that no queue has to be found first.
pub fn arn(queue: &str) -> Arc<str> {
    format!("arn:aws:sqs:eu-west-1:123456789012:{queue}").into()
}

pub fn message(id: i64, queue: &Arc<str>, body: impl Into<String>) -> Outgoing {
    Outgoing {
        id,
        queue: Arc::clone(queue),
        body: body.into(),
        attributes: Vec::new(),
        group_id: None,
        dedup_id: None,
        delay_seconds: None,
    }
}

pub fn text(name: &str, data_type: &str, value: &str) -> Attribute {
    Attribute {
        name: name.into(),
        data_type: data_type.into(),
        value: AttributeValue::Text(value.to_owned()),
    }
}

pub fn bytes(name: &str, data_type: &str, value: &[u8]) -> Attribute {
    Attribute {
        name: name.into(),
        data_type: data_type.into(),
        value: AttributeValue::Bytes(value.to_owned()),
    }
}

pub fn of_group(group: &str, outgoing: Outgoing) -> Outgoing {
    Outgoing { group_id: Some(group.into()), ..outgoing }
}

/// Messages 0 to `count`, with bodies "m0", "m1", ...
pub fn messages(count: i64, queue: &Arc<str>) -> Vec<Outgoing> {
    (0..count).map(|id| message(id, queue, format!("m{id}"))).collect()
}

/// Waits until the notifier says that reports wait.
pub fn is_readable(publisher: &Publisher, timeout: Duration) -> bool {
    rings(publisher.notifier(), timeout)
}

/// Waits for a notifier of something that is still there.
#[allow(unsafe_code)]
fn rings(notifier: RawFd, timeout: Duration) -> bool {
    // SAFETY: the notifier is open for as long as what it belongs to, which outlives this.
    let fd = unsafe { BorrowedFd::borrow_raw(notifier) };
    let mut polled = [PollFd::new(fd, PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(timeout).unwrap();
    poll(&mut polled, timeout).unwrap() == 1
}

/// Waits for the answer to a question.
pub fn answer<T>(inquiry: &Inquiry<T>) -> Result<T, Failure> {
    assert!(rings(inquiry.notifier(), LONG), "no answer came");
    let answer = inquiry.answer().unwrap();
    assert!(!rings(inquiry.notifier(), Duration::ZERO));
    assert!(inquiry.answer().is_none());
    answer
}

/// Waits for `count` reports, which must be of different messages.
pub fn collect(publisher: &Publisher, count: usize) -> BTreeMap<i64, Outcome> {
    let end = Instant::now() + LONG;
    let mut outcomes = BTreeMap::new();
    while outcomes.len() < count {
        let left = end.saturating_duration_since(Instant::now());
        assert!(
            is_readable(publisher, left),
            "only {} of {count} reports came: {outcomes:?}",
            outcomes.len()
        );
        gather(&mut outcomes, publisher.reports());
    }
    outcomes
}

pub fn gather(outcomes: &mut BTreeMap<i64, Outcome>, reports: Vec<Report>) {
    for Report { id, outcome } in reports {
        assert!(outcomes.insert(id, outcome).is_none(), "message {id} was reported twice");
    }
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[track_caller]
pub fn assert_acknowledged(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Acknowledged { .. }), "{outcome:?}");
}

#[track_caller]
pub fn not_sent(outcome: &Outcome) -> &Failure {
    match outcome {
        Outcome::NotSent { failure } => failure,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn in_doubt(outcome: &Outcome) -> &Failure {
    match outcome {
        Outcome::InDoubt { failure } => failure,
        other => panic!("{other:?}"),
    }
}
