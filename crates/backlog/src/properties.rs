//! Arbitrary lanes, batches, faults and times: what a backlog promises, whatever happens.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use message::Event;
use proptest::prelude::*;
use publisher::Outgoing;

use super::*;
use crate::lane::GROUP_SHARE;

#[derive(Clone, Debug)]
struct Change {
    queue: u8,
    group: Option<u8>,
    was_in_doubt: bool,
    /// Until when its deduplication id is another's: seconds from the beginning.
    held: Option<u64>,
}

#[derive(Clone, Debug)]
enum Step {
    /// A batch is read, and what lanes want of what they have set aside, as far as so many changes.
    Read { fresh: usize, set_aside: usize },
    /// There is memory for so many messages.
    Render(usize),
    /// What is parked keeps other lanes from being read.
    Stuck,
    /// The publisher reports so many messages, beginning with one of its own choice.
    Report { first: usize, count: usize },
    /// The publisher gives a message up, or its queue.
    Fail { which: usize, whole_queue: bool },
    /// Seconds pass.
    Wait(u64),
}

fn change() -> impl Strategy<Value = Change> {
    let group = prop_oneof![1 => Just(None), 4 => (0..3_u8).prop_map(Some)];
    let held = prop_oneof![30 => Just(None), 1 => (0..300_u64).prop_map(Some)];
    let was_in_doubt = prop::bool::weighted(0.2);
    (0..2_u8, group, was_in_doubt, held).prop_map(|(queue, group, was_in_doubt, held)| Change {
        queue,
        group,
        was_in_doubt,
        held,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..60_usize, 0..60_usize).prop_map(|(fresh, set_aside)| Step::Read { fresh, set_aside }),
        8 => (1..40_usize).prop_map(Step::Render),
        6 => Just(Step::Stuck),
        8 => (any::<usize>(), 1..30_usize).prop_map(|(first, count)| Step::Report { first, count }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, whole_queue)| Step::Fail { which, whole_queue }),
        2 => (1..100_u64).prop_map(Step::Wait),
    ]
}

type LaneName = (u8, Option<u8>);

/// A run as the pipeline drives it: the change set, the table of what is set aside, the publisher.
struct Run {
    changes: Vec<Change>,
    backlog: Backlog,
    after: usize,
    waiting: BTreeMap<(i64, i64), Waiting>,
    unrendered: VecDeque<i64>,
    with_publisher: BTreeSet<i64>,
    sent: BTreeSet<i64>,
    last_sent: HashMap<LaneName, i64>,
    failed_lanes: BTreeSet<LaneName>,
    failed_queues: BTreeSet<u8>,
    beginning: Instant,
    seconds: u64,
}

impl Run {
    fn of(changes: Vec<Change>) -> Run {
        Run {
            changes,
            backlog: Backlog::new(false, false),
            after: 0,
            waiting: BTreeMap::new(),
            unrendered: VecDeque::new(),
            with_publisher: BTreeSet::new(),
            sent: BTreeSet::new(),
            last_sent: HashMap::new(),
            failed_lanes: BTreeSet::new(),
            failed_queues: BTreeSet::new(),
            beginning: Instant::now(),
            seconds: 0,
        }
    }

    fn now(&self) -> Instant {
        self.beginning + Duration::from_secs(self.seconds)
    }

    fn change(&self, id: i64) -> &Change {
        &self.changes[id as usize - 1]
    }

    fn lane(&self, id: i64) -> LaneName {
        let Change { queue, group, .. } = self.change(id);
        (*queue, *group)
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Read { fresh, set_aside } => self.read(fresh, set_aside),
            Step::Render(most) => self.render(most),
            Step::Stuck => self.backlog.set_parked_aside(self.now()),
            Step::Report { first, count } => {
                let some: Vec<i64> = self.with_publisher.iter().copied().collect();
                let first = first.checked_rem(some.len()).unwrap_or(0);
                some.into_iter().skip(first).take(count).for_each(|id| drop(self.report(id)));
            }
            Step::Fail { which, whole_queue } => self.fail(which, whole_queue),
            Step::Wait(seconds) => self.seconds += seconds,
        }
        self.release();
    }

    /// Nothing is read before all that was read is made into messages.
    fn read(&mut self, fresh: usize, most_set_aside: usize) {
        if !self.unrendered.is_empty() {
            return;
        }
        let wanted = self.backlog.wanted(1000, 0, self.now());
        for one in self.backlog.overflow() {
            let before = self.waiting.insert((one.lane, one.change_id), *one);
            assert!(before.is_none(), "{one:?} is set aside twice");
        }
        self.backlog.overflow_is_set_aside();
        let mut taken: Vec<Waiting> = Vec::new();
        for one in &wanted {
            let after = (one.lane, one.after + 1)..=(one.lane, i64::MAX);
            taken.extend(self.waiting.range(after).take(one.changes as usize).map(|(_, w)| w));
        }
        taken.iter().for_each(|w| assert!(self.waiting.remove(&(w.lane, w.change_id)).is_some()));
        let mut in_order = taken.clone();
        in_order.sort_by_key(|w| w.change_id);
        let put_back = in_order.split_off(in_order.len().min(most_set_aside.max(1)));
        self.waiting.extend(put_back.iter().map(|w| ((w.lane, w.change_id), *w)));
        wanted.iter().for_each(|one| self.backlog.refilled(one, &taken, &put_back));
        self.unrendered.extend(in_order.iter().map(|w| w.change_id));
        let through = self.changes.len().min(self.after + fresh);
        self.unrendered.extend((self.after as i64 + 1)..=(through as i64));
        self.after = through;
    }

    fn render(&mut self, most: usize) {
        for id in self.unrendered.drain(..most.min(self.unrendered.len())) {
            let Change { queue, group, was_in_doubt, held } = &self.changes[id as usize - 1];
            self.backlog.add(Entry {
                message: Outgoing {
                    id,
                    queue: format!("queue-{queue}.fifo").into(),
                    body: "{}".to_owned(),
                    attributes: Vec::new(),
                    group_id: group.map(|group| format!("group-{group}").into()),
                    dedup_id: None,
                    delay_seconds: None,
                },
                about: Sent { event: Event::Changed, was_in_doubt: *was_in_doubt },
                message_id: None,
                key: None,
                not_before: held.map(|seconds| self.beginning + Duration::from_secs(seconds)),
            });
        }
    }

    fn release(&mut self) {
        for Outgoing { id, .. } in self.backlog.release(self.now()) {
            let lane = self.lane(id);
            assert!(self.sent.insert(id), "{id} is sent twice");
            let before = self.last_sent.insert(lane, id);
            assert!(before < Some(id), "{id} is sent after {before:?}, in one lane");
            assert!(!self.has_failed(id), "{id} is sent after one that was given up");
            let held = self.change(id).held.unwrap_or(0);
            assert!(held <= self.seconds, "{id} is sent before its time");
            self.with_publisher.insert(id);
        }
        assert!(self.with_publisher.len() <= MAX_OUTSTANDING);
        let of_group = |id: &&i64| self.lane(**id) == (0, Some(0));
        assert!(self.with_publisher.iter().filter(of_group).count() <= GROUP_SHARE);
    }

    fn has_failed(&self, id: i64) -> bool {
        let lane = self.lane(id);
        self.failed_lanes.contains(&lane) || self.failed_queues.contains(&lane.0)
    }

    fn report(&mut self, id: i64) -> Reported {
        self.with_publisher.remove(&id);
        let reported = self.backlog.reported(id).expect("it is with the publisher");
        assert_eq!(reported.about.was_in_doubt, self.change(id).was_in_doubt, "{id}");
        reported
    }

    /// What waits behind it in its group, or its queue, goes with it.
    fn fail(&mut self, which: usize, whole_queue: bool) {
        let some: Vec<i64> = self.with_publisher.iter().copied().collect();
        let Some(first) = which.checked_rem(some.len()).map(|place| some[place]) else { return };
        let (queue, group) = self.lane(first);
        self.failed_lanes.insert((queue, group));
        if whole_queue {
            self.failed_queues.insert(queue);
        }
        for id in some {
            let is_behind = self.lane(id) == (queue, group) && id >= first;
            if is_behind || (whole_queue && self.lane(id).0 == queue) {
                let Reported { about, place, .. } = self.report(id);
                self.backlog.fail(id, about, &place, whole_queue);
                self.sent.remove(&id);
            }
        }
    }

    /// All goes well from now on.
    fn finish(&mut self) {
        self.seconds += 1000;
        for _ in 0..1000 {
            self.render(usize::MAX);
            self.release();
            self.backlog.set_parked_aside(self.now());
            let some: Vec<i64> = self.with_publisher.iter().copied().collect();
            some.into_iter().for_each(|id| drop(self.report(id)));
            self.read(20, 20);
            let is_read = self.after == self.changes.len() && self.unrendered.is_empty();
            if is_read && self.backlog.is_empty() {
                return;
            }
        }
        panic!("the run comes to no end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn each_lane_is_sent_in_order_and_nothing_is_lost(
        changes in prop::collection::vec(change(), 1..400),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut run = Run::of(changes);
        steps.iter().for_each(|step| run.take(step));
        run.finish();
        let waiting: BTreeSet<i64> = run.waiting.values().map(|w| w.change_id).collect();
        for id in 1..=run.changes.len() as i64 {
            let is_known = run.sent.contains(&id) != waiting.contains(&id);
            prop_assert!(is_known, "{} is neither sent nor set aside, or both", id);
            prop_assert!(!waiting.contains(&id) || run.has_failed(id), "{} waits for nothing", id);
        }
        for one in run.waiting.values() {
            prop_assert_eq!(one.in_doubt, run.change(one.change_id).was_in_doubt);
        }
    }
}
