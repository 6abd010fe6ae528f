//! What is set aside, taken again and made anew, step by step.

use std::time::{Duration, Instant};

use message::Event;
use publisher::Outgoing;

use super::*;
use crate::lane::GROUP_SHARE;

/// A message of the group `a`, in whose lane all of these tests are.
fn entry(id: i64) -> Entry {
    Entry {
        message: Outgoing {
            id,
            queue: "orders.fifo".into(),
            body: "{}".to_owned(),
            attributes: Vec::new(),
            group_id: Some("a".into()),
            dedup_id: None,
            delay_seconds: None,
        },
        about: Sent { event: Event::Changed, was_in_doubt: false },
        message_id: None,
        key: None,
        not_before: None,
    }
}

fn ids(messages: &[Outgoing]) -> Vec<i64> {
    messages.iter().map(|message| message.id).collect()
}

/// Puts what is to be set aside where the caller keeps it.
fn set_aside(backlog: &mut Backlog) -> Vec<Waiting> {
    let overflow = backlog.overflow().to_vec();
    backlog.overflow_is_set_aside();
    overflow
}

fn ids_of(waiting: &[Waiting]) -> Vec<i64> {
    waiting.iter().map(|w| w.change_id).collect()
}

/// A lane whose share is with the publisher, and that has set aside what follows: so many changes.
fn full_lane(aside: i64, now: Instant) -> (Backlog, i64, Vec<Waiting>) {
    let mut backlog = Backlog::new(false, false);
    let full = GROUP_SHARE as i64;
    (1..=full + aside).for_each(|id| backlog.add(entry(id)));
    assert_eq!(ids(&backlog.release(now)), (1..=full).collect::<Vec<_>>());
    backlog.set_parked_aside(now);
    let waiting = set_aside(&mut backlog);
    assert_eq!(ids_of(&waiting), (full + 1..=full + aside).collect::<Vec<_>>());
    (backlog, full, waiting)
}

/// Takes all that a lane has set aside, in answer to what it wants.
fn take_all(backlog: &mut Backlog, waiting: &[Waiting], now: Instant) {
    let wanted = backlog.wanted(1000, 0, now);
    let [wanted] = &wanted[..] else { panic!("the lane wants what it has set aside: {wanted:?}") };
    assert!(wanted.changes > waiting.len() as i64, "{wanted:?}");
    backlog.refilled(wanted, waiting, &[]);
}

#[test]
fn what_is_read_of_a_lane_that_has_set_something_aside_is_set_aside_behind_it() {
    let now = Instant::now();
    let (mut backlog, full, _) = full_lane(5, now);
    backlog.add(entry(full + 6));
    assert_eq!(ids_of(&set_aside(&mut backlog)), [full + 6]);
}

#[test]
fn what_a_lane_takes_again_in_parts_keeps_its_order_when_the_first_part_is_set_aside_once_more() {
    let now = Instant::now();
    let (mut backlog, full, waiting) = full_lane(3, now);
    (1..=full / 2).for_each(|id| drop(backlog.reported(id)));
    take_all(&mut backlog, &waiting, now);
    // There is memory for the first message alone, and no room for it with the publisher: other lanes
    // have taken that meanwhile.
    backlog.add(Entry { not_before: Some(now + Duration::from_secs(60)), ..entry(full + 1) });
    assert_eq!(ids(&backlog.release(now)), [0; 0]);
    backlog.set_parked_aside(now);
    // Now there is memory for the rest.
    backlog.add(entry(full + 2));
    backlog.add(entry(full + 3));
    assert_eq!(ids(&backlog.release(now)), [0; 0], "nothing goes before the first");
    assert_eq!(ids_of(&set_aside(&mut backlog)), [full + 1, full + 2, full + 3]);
}

#[test]
fn what_is_taken_again_and_may_not_be_sent_yet_is_set_aside_again_with_what_follows() {
    let now = Instant::now();
    let (mut backlog, full, waiting) = full_lane(30, now);
    (1..=full).for_each(|id| drop(backlog.reported(id)));
    let wanted = backlog.wanted(1000, 0, now);
    let taken = &waiting[..wanted[0].changes as usize];
    backlog.refilled(&wanted[0], taken, &[]);
    let later = now + Duration::from_secs(60);
    for Waiting { change_id, .. } in taken {
        let not_before = (*change_id == taken[0].change_id).then_some(later);
        backlog.add(Entry { not_before, ..entry(*change_id) });
    }
    assert_eq!(ids(&backlog.release(now)), [0; 0]);
    backlog.set_parked_aside(now);
    assert_eq!(
        ids_of(&set_aside(&mut backlog)),
        ids_of(taken),
        "it keeps no other lane from being read"
    );
    assert!(backlog.wanted(1000, 0, now).is_empty(), "it is not taken before its time");
    let again = backlog.wanted(1000, 0, later);
    assert_eq!(again[0].after, full, "from the first on");
}

#[test]
fn what_was_put_back_for_want_of_room_in_the_batch_is_taken_first_the_next_time() {
    let now = Instant::now();
    let (mut backlog, full, waiting) = full_lane(5, now);
    (1..=full).for_each(|id| drop(backlog.reported(id)));
    let wanted = backlog.wanted(1000, 0, now);
    backlog.refilled(&wanted[0], &waiting, &waiting[2..]);
    (full + 1..=full + 2).for_each(|id| backlog.add(entry(id)));
    backlog.add(entry(full + 6));
    assert_eq!(ids(&backlog.release(now)), [full + 1, full + 2]);
    assert_eq!(ids_of(&set_aside(&mut backlog)), [full + 6], "it is read for the first time");
    assert_eq!(backlog.wanted(1000, 0, now)[0].after, full + 2);
}

#[test]
fn what_follows_a_message_that_was_given_up_is_set_aside_whenever_it_comes() {
    let now = Instant::now();
    let (mut backlog, full, _) = full_lane(0, now);
    backlog.add(entry(full + 1));
    let Reported { about, place, .. } = backlog.reported(1).unwrap();
    backlog.fail(1, about, &place, false);
    backlog.add(entry(full + 2));
    (2..=full).for_each(|id| drop(backlog.reported(id)));
    assert_eq!(ids(&backlog.release(now)), [0; 0]);
    assert_eq!(ids_of(&set_aside(&mut backlog)), [1, full + 1, full + 2]);
    assert!(backlog.is_empty(), "the run does not wait for it");
}

#[test]
fn what_is_given_back_is_all_that_the_publisher_has_not_but_for_what_is_in_doubt() {
    let now = Instant::now();
    let (mut backlog, full, _) = full_lane(0, now);
    let doubtful =
        |id| Entry { about: Sent { event: Event::Changed, was_in_doubt: true }, ..entry(id) };
    backlog.add(entry(full + 1));
    backlog.add(doubtful(full + 2));
    backlog.set_parked_aside(now);
    backlog.add(entry(full + 3));
    backlog.add(doubtful(full + 4));
    assert_eq!(backlog.give_back(), [full + 1, full + 3]);
    assert!(!backlog.is_empty() && backlog.unanswered() == full as usize);
}
