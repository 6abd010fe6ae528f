//! Order, bounds and the end.

use std::time::{Duration, Instant};

use notifier::{Channel, FailureKind, Fate, Notifier};

use crate::support::receiver::{Receiver, Reply, reply};
use crate::support::{QUICK, answers, channel, delivery, failure, is_delivered};

fn webhook(name: &str, receiver: &Receiver) -> Channel {
    channel(
        name,
        &[("channel", "webhook"), ("url", &receiver.url()), ("internal_network", "true")],
        &[("signing_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    )
}

fn hanging() -> Receiver {
    Receiver::start(|_, _| Reply { after: Duration::from_secs(3600), ..reply(200) })
}

#[test]
fn a_channel_is_told_in_order_through_retries() {
    // Every second request fails.
    let receiver = Receiver::start(|before, _| reply(if before % 2 == 0 { 503 } else { 200 }));
    let channel = webhook("hook", &receiver);
    let notifier = Notifier::start(QUICK).unwrap();
    for id in 0..10 {
        notifier.deliver(delivery(id, &channel)).unwrap();
    }
    assert!(answers(&notifier, 10).iter().all(is_delivered));
    let ids: Vec<String> =
        receiver.received().iter().map(|r| r.header("webhook-id").to_owned()).collect();
    let twice = |id| [format!("message-{id}"), format!("message-{id}")];
    assert_eq!(ids, (0..10).flat_map(twice).collect::<Vec<_>>());
}

#[test]
fn a_channel_that_hangs_holds_up_no_other() {
    let (hanging, working) = (hanging(), Receiver::start(|_, _| reply(200)));
    let notifier = Notifier::start(QUICK).unwrap();
    for id in 0..20 {
        notifier.deliver(delivery(id, &webhook("hanging", &hanging))).unwrap();
    }
    notifier.deliver(delivery(99, &webhook("working", &working))).unwrap();
    let answers = answers(&notifier, 1);
    assert!(answers.len() == 1 && answers[0].id == 99 && is_delivered(&answers[0]));
}

#[test]
fn what_there_is_no_room_for_is_given_back_until_answers_are_taken() {
    let receiver = Receiver::start(|_, _| reply(200));
    let channel = webhook("hook", &receiver);
    let notifier = Notifier::start(QUICK).unwrap();
    let mut taken = 0;
    let returned = loop {
        match notifier.deliver(delivery(taken, &channel)) {
            Ok(()) => taken += 1,
            Err(delivery) => break delivery,
        }
        assert!(taken < 10_000);
    };
    assert_eq!(returned.id, taken);
    assert!(!answers(&notifier, 1).is_empty());
    notifier.deliver(*returned).unwrap();
}

#[test]
fn stopping_answers_everything_and_waits_no_longer_than_it_may() {
    let receiver = hanging();
    let notifier = Notifier::start(QUICK).unwrap();
    for id in 0..5 {
        notifier.deliver(delivery(id, &webhook("hook", &receiver))).unwrap();
    }
    while receiver.received().is_empty() {
        std::thread::yield_now();
    }
    let started = Instant::now();
    let mut answers = notifier.stop(Duration::from_millis(100));
    assert!(started.elapsed() < Duration::from_secs(10));
    answers.sort_by_key(|answer| answer.id);
    assert_eq!(answers.iter().map(|a| a.id).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(answers.iter().all(|answer| failure(answer).kind == FailureKind::Cancelled));
}

#[test]
fn stopping_waits_for_what_is_in_flight() {
    let receiver =
        Receiver::start(|_, _| Reply { after: Duration::from_millis(300), ..reply(200) });
    let notifier = Notifier::start(QUICK).unwrap();
    notifier.deliver(delivery(1, &webhook("hook", &receiver))).unwrap();
    while receiver.received().is_empty() {
        std::thread::yield_now();
    }
    let answers = notifier.stop(Duration::from_secs(30));
    assert!(matches!(&answers[..], [answer] if matches!(answer.fate, Fate::Delivered { .. })));
}
