use super::*;
use crate::mailbox::{Mailbox, Outcome, Report};
use crate::outgoing::Outgoing;

const RETRY_FOR: Duration = Duration::from_secs(60);

fn lane(one_per_group: bool) -> Lane {
    let settings = Settings {
        retry_for: RETRY_FOR,
        max_requests_in_flight: 4,
        one_per_group,
        one_queue: true,
        max_messages_per_second: None,
    };
    Lane::new("orders".into(), Address::Url("url".into()), &settings)
}

/// Adds a message of each of these groups; "" is none.
fn add(lane: &mut Lane, mailbox: &Arc<Mailbox>, first: i64, groups: &[&str]) {
    for (id, group) in (first..).zip(groups) {
        let outgoing = Outgoing {
            id,
            queue: "orders".into(),
            body: "x".to_owned(),
            attributes: Vec::new(),
            group_id: (!group.is_empty()).then(|| Arc::from(*group)),
            dedup_id: None,
            delay_seconds: None,
        };
        lane.add(Message::new(outgoing, Arc::clone(mailbox)), mailbox.epoch());
    }
}

fn take(lane: &mut Lane, now: Instant) -> Option<Batch> {
    match lane.next(now, usize::MAX)? {
        Step::Send(_, batch) => Some(batch),
        Step::Find => None,
    }
}

fn ids(batch: &Batch) -> Vec<i64> {
    batch.messages.iter().map(|message| message.outgoing.id).collect()
}

fn trouble(class: Class) -> Trouble {
    Trouble { class, certain: true, code: None, what: "it went wrong".to_owned(), hint: None }
}

/// Concludes a batch of which the messages of these ids fail for now.
fn conclude_but(lane: &mut Lane, batch: Batch, failing: &[i64], now: Instant) {
    let answer = |id: i64| match failing.contains(&id) {
        true => Err(trouble(Class::Service)),
        false => Ok("id".to_owned()),
    };
    let answers = ids(&batch).into_iter().map(answer).collect();
    assert!(lane.conclude(now, batch, Ok(answers), None, now).is_none());
}

/// Concludes a request that failed as a whole.
fn refuse(lane: &mut Lane, batch: Batch, class: Class, now: Instant) {
    assert!(lane.conclude(now, batch, Err(trouble(class)), None, now).is_none());
}

/// A second on: every retry of an early failure is due by then.
fn later(now: Instant) -> Instant {
    now + Duration::from_secs(1)
}

#[test]
fn a_retry_is_made_at_the_latest_when_its_time_is_over() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    add(&mut lane, &mailbox, 0, &[""]);
    let start = Instant::now();
    let mut now = start;
    let mut attempts = 0;
    while let Some(batch) = take(&mut lane, now) {
        attempts += 1;
        refuse(&mut lane, batch, Class::Throttled, now);
        now = lane.next_wake(usize::MAX).unwrap_or(now);
        assert!(now <= start + RETRY_FOR);
    }
    assert!(attempts > 3, "{attempts}");
    assert_eq!(now, start + RETRY_FOR);
    assert_eq!(mailbox.drain().len(), 1);
}

#[test]
fn a_retry_that_found_no_free_request_in_time_is_given_up() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    add(&mut lane, &mailbox, 0, &[""; 11]);
    let start = Instant::now();
    let batch = take(&mut lane, start).unwrap();
    refuse(&mut lane, batch, Class::Throttled, start);
    let late = start + RETRY_FOR + GRACE + Duration::from_millis(1);
    // What was never tried is not late.
    let fresh = take(&mut lane, late).unwrap();
    assert_eq!(ids(&fresh), [10]);
    let reports = mailbox.drain();
    assert_eq!(reports.len(), 10);
    for Report { outcome, .. } in reports {
        match outcome {
            Outcome::NotSent { failure } => {
                assert_eq!(failure.message, "it went wrong, after 1 attempt in 61 s");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_halves_of_a_batch_are_not_joined_again() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    add(&mut lane, &mailbox, 0, &[""; 12]);
    let now = Instant::now();
    let batch = take(&mut lane, now).unwrap();
    refuse(&mut lane, batch, Class::Row, now);
    let sizes = std::iter::from_fn(|| take(&mut lane, now)).map(|batch| batch.messages.len());
    assert_eq!(sizes.collect::<Vec<_>>(), [5, 5, 2]);
}

#[test]
fn a_batch_is_halved_between_groups() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    add(&mut lane, &mailbox, 0, &["a", "a", "b", "b", "b", "b", "b", "b"]);
    let now = Instant::now();
    let batch = take(&mut lane, now).unwrap();
    refuse(&mut lane, batch, Class::Row, now);
    assert_eq!(ids(&take(&mut lane, now).unwrap()), [0, 1]);
    assert_eq!(ids(&take(&mut lane, now).unwrap()), [2, 3, 4, 5, 6, 7]);
}

#[test]
fn parts_of_one_group_are_sent_one_after_the_other() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    add(&mut lane, &mailbox, 0, &["a"; 12]);
    let now = Instant::now();
    let batch = take(&mut lane, now).unwrap();
    refuse(&mut lane, batch, Class::Row, now);
    let first = take(&mut lane, now).unwrap();
    assert_eq!(ids(&first), [0, 1, 2, 3, 4]);
    assert!(take(&mut lane, now).is_none());
    refuse(&mut lane, first, Class::Row, now);
    let first = take(&mut lane, now).unwrap();
    assert_eq!(ids(&first), [0, 1]);
    // What fails for now holds the later parts too.
    conclude_but(&mut lane, first, &[1], now);
    let now = later(now);
    let retried = take(&mut lane, now).unwrap();
    assert_eq!(ids(&retried), [1]);
    assert!(take(&mut lane, now).is_none());
    conclude_but(&mut lane, retried, &[], now);
    for expected in [vec![2, 3, 4], vec![5, 6, 7, 8, 9], vec![10, 11]] {
        let part = take(&mut lane, now).unwrap();
        assert_eq!(ids(&part), expected);
        assert!(take(&mut lane, now).is_none());
        conclude_but(&mut lane, part, &[], now);
    }
    assert_eq!(mailbox.drain().len(), 12);
}

#[test]
fn with_one_per_group_a_request_has_one_message_of_a_group() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(true);
    add(&mut lane, &mailbox, 0, &["a", "a", "b", "a", "b", "c"]);
    let now = Instant::now();
    for expected in [vec![0, 2, 5], vec![1, 4], vec![3]] {
        let batch = take(&mut lane, now).unwrap();
        assert_eq!(ids(&batch), expected);
        assert!(take(&mut lane, now).is_none());
        conclude_but(&mut lane, batch, &[], now);
    }
}

#[test]
fn groups_and_messages_without_one_take_turns() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    add(&mut lane, &mailbox, 0, &[""; 20]);
    add(&mut lane, &mailbox, 20, &["a"; 20]);
    add(&mut lane, &mailbox, 40, &["b"]);
    let now = Instant::now();
    let batches: Vec<Batch> = std::iter::from_fn(|| take(&mut lane, now)).collect();
    let first: Vec<i64> = batches.iter().map(|batch| ids(batch)[0]).collect();
    assert_eq!(first, [0, 20, 40, 19]);
}

#[test]
fn nothing_is_kept_of_groups_that_are_done() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(false);
    let now = Instant::now();
    for id in 0..100 {
        add(&mut lane, &mailbox, id, &[&format!("group {id}")]);
        let batch = take(&mut lane, now).unwrap();
        conclude_but(&mut lane, batch, &[], now);
    }
    assert_eq!(lane.waiting.group_count(), 0);
    assert!(!lane.waiting.is_ready());
}

#[test]
fn what_waits_behind_a_message_that_is_given_up_is_given_up_too() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(true);
    let start = Instant::now();
    add(&mut lane, &mailbox, 0, &["a", "a", "b", "b"]);
    let batch = take(&mut lane, start).unwrap();
    assert_eq!(ids(&batch), [0, 2]);
    conclude_but(&mut lane, batch, &[0], start);
    let other = take(&mut lane, start).unwrap();
    assert_eq!(ids(&other), [3]);
    conclude_but(&mut lane, other, &[], start);
    let end = start + RETRY_FOR;
    let retried = take(&mut lane, end).unwrap();
    conclude_but(&mut lane, retried, &[0], end);
    // Handed over before the caller can know: it would overtake message 0.
    add(&mut lane, &mailbox, 4, &["a", "b"]);
    let reports = mailbox.drain();
    let failed = |report: &&Report| matches!(report.outcome, Outcome::NotSent { .. });
    let failed: Vec<i64> = reports.iter().filter(failed).map(|report| report.id).collect();
    assert_eq!(failed, [0, 1, 4]);
    // Now he knows.
    add(&mut lane, &mailbox, 6, &["a"]);
    let last = take(&mut lane, later(end)).unwrap();
    assert_eq!(ids(&last), [5, 6]);
}

#[test]
fn a_group_that_fails_alone_neither_holds_nor_slows_the_others() {
    let mailbox = Mailbox::open().unwrap();
    let mut lane = lane(true);
    let mut now = Instant::now();
    // Ten groups in one request: whoever shares a request with the first is refused with it.
    add(&mut lane, &mailbox, 0, &["slow", "a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    add(&mut lane, &mailbox, -1, &["slow"]);
    let mut others = 9;
    let mut rounds = 0;
    while others > 0 || rounds < 260 {
        let is_known = rounds >= 250;
        if is_known {
            add(&mut lane, &mailbox, 100 + 10 * rounds, &["a", "b", "c", "d", "slow"]);
            others += 4;
        }
        let batches: Vec<Batch> = std::iter::from_fn(|| take(&mut lane, now)).collect();
        for batch in batches {
            match batch.messages.iter().any(|message| message.group().unwrap().as_ref() == "slow") {
                true if is_known => {
                    assert_eq!(batch.messages.len(), 1);
                    refuse(&mut lane, batch, Class::Throttled, now);
                    assert!(!lane.pace.is_paused(now));
                }
                true => refuse(&mut lane, batch, Class::Throttled, now),
                false => conclude_but(&mut lane, batch, &[], now),
            }
        }
        others -= mailbox.drain().len();
        assert!(!is_known || others == 0, "{others} were not sent at once");
        now += Duration::from_millis(100);
        rounds += 1;
    }
}
