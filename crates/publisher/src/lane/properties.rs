//! Arbitrary messages, answers and delays: what a lane promises, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::mailbox::{Mailbox, Outcome, Report};
use crate::outgoing::Outgoing;

const RETRY_FOR: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
struct Row {
    group: Option<u8>,
    bytes: usize,
    /// SQS refuses it whenever it sees it.
    is_bad: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug)]
enum Answer {
    /// Each entry's fate, in a circle. A bad one is rejected all the same.
    Each(Vec<Fate>),
    Throttled,
    /// Cut off: `true` after the messages were taken.
    Cut(bool),
    /// Refused if there is a bad one in it.
    Picky,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Taken,
    Throttled,
    /// `true`: it was taken all the same.
    Failed(bool),
}

#[derive(Clone, Debug)]
enum Step {
    HandOver(usize),
    Answer(usize, Answer),
    Wait(u64),
    TakeReports,
}

fn row() -> impl Strategy<Value = Row> {
    let group = prop_oneof![1 => Just(None), 4 => (0..4_u8).prop_map(Some)];
    let bytes = prop_oneof![20 => 1..1000_usize, 1 => 100_000..1_048_577_usize];
    (group, bytes, prop::bool::weighted(0.1)).prop_map(|(group, bytes, is_bad)| Row {
        group,
        bytes,
        is_bad,
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let fate = prop_oneof![
        6 => Just(Fate::Taken),
        1 => Just(Fate::Throttled),
        1 => any::<bool>().prop_map(Fate::Failed),
    ];
    prop_oneof![
        4 => prop::collection::vec(fate, 1..5).prop_map(Answer::Each),
        1 => Just(Answer::Throttled),
        1 => any::<bool>().prop_map(Answer::Cut),
        2 => Just(Answer::Picky),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![10 => 0..500_u64, 2 => 500..10_000_u64, 1 => 10_000..40_000_u64];
    prop_oneof![
        2 => (1..30_usize).prop_map(Step::HandOver),
        6 => (any::<usize>(), answer()).prop_map(|(which, answer)| Step::Answer(which, answer)),
        3 => wait.prop_map(Step::Wait),
        1 => Just(Step::TakeReports),
    ]
}

struct World {
    lane: Lane,
    mailbox: Arc<Mailbox>,
    one_per_group: bool,
    now: Instant,
    rows: Vec<Row>,
    /// How many of them have been handed over, and what was reported and taken at that time.
    known: Vec<BTreeSet<i64>>,
    in_flight: Vec<(Instant, Batch)>,
    taken: BTreeSet<i64>,
    reported: BTreeMap<i64, Outcome>,
    /// Of those the ones whose report the caller has taken.
    told: BTreeSet<i64>,
}

impl World {
    fn new(rows: Vec<Row>, one_per_group: bool, most_in_flight: usize) -> Self {
        let settings = Settings {
            retry_for: RETRY_FOR,
            max_requests_in_flight: most_in_flight,
            one_per_group,
            one_queue: true,
            max_messages_per_second: None,
        };
        Self {
            lane: Lane::new("orders".into(), Address::Url("url".into()), &settings),
            mailbox: Mailbox::open().unwrap(),
            one_per_group,
            now: Instant::now(),
            rows,
            known: Vec::new(),
            in_flight: Vec::new(),
            taken: BTreeSet::new(),
            reported: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    fn row(&self, id: i64) -> &Row {
        &self.rows[id as usize]
    }

    fn hand_over(&mut self, count: usize) {
        for id in (self.known.len()..self.rows.len()).take(count) {
            let row = &self.rows[id];
            let outgoing = Outgoing {
                id: id as i64,
                queue: "orders".into(),
                body: "x".repeat(row.bytes),
                attributes: Vec::new(),
                group_id: row.group.map(|group| group.to_string().into()),
                dedup_id: None,
                delay_seconds: None,
            };
            let message = Message::new(outgoing, Arc::clone(&self.mailbox));
            self.known.push(self.told.clone());
            self.lane.add(message, self.mailbox.epoch());
        }
    }

    /// Looks at the reports that have been made since, without the caller's taking them.
    fn look(&mut self) {
        for Report { id, outcome } in self.mailbox.peek() {
            self.reported.entry(id).or_insert(outcome);
        }
    }

    fn take_reports(&mut self) {
        self.look();
        for Report { id, .. } in self.mailbox.drain() {
            assert!(self.told.insert(id), "{id} was reported twice");
        }
    }

    fn start_requests(&mut self) {
        self.look();
        while let Some(step) = self.lane.next(self.now, usize::MAX) {
            let super::Step::Send(_, batch) = step else { panic!("it knows where the queue is") };
            self.look();
            self.check(&batch);
            self.in_flight.push((self.now, batch));
        }
    }

    fn check(&self, batch: &Batch) {
        let ids: Vec<i64> = batch.messages.iter().map(|message| message.outgoing.id).collect();
        let bytes: usize = ids.iter().map(|id| self.row(*id).bytes).sum();
        assert!((1..=10).contains(&ids.len()) && (bytes <= 1_048_576 || ids.len() == 1));
        for (at, id) in ids.iter().enumerate() {
            let group = self.row(*id).group;
            assert!(!self.reported.contains_key(id), "{id} is sent after its report");
            if group.is_none() {
                continue;
            }
            let others = self.in_flight.iter().flat_map(|(_, other)| &other.messages);
            let of_group = |m: &Message| self.row(m.outgoing.id).group == group;
            assert_eq!(others.filter(|m| of_group(m)).count(), 0, "two requests of a group");
            for earlier in (0..*id).filter(|earlier| self.row(*earlier).group == group) {
                self.check_order(earlier, *id, ids[..at].contains(&earlier));
            }
        }
    }

    /// Whether `later` of the same group may be sent.
    fn check_order(&self, earlier: i64, later: i64, is_together: bool) {
        let is_known = self.known[later as usize].contains(&earlier);
        match self.reported.get(&earlier) {
            None => assert!(is_together && !self.one_per_group, "{later} overtakes {earlier}"),
            Some(Outcome::Acknowledged { .. } | Outcome::Rejected { .. }) => {}
            Some(_) => assert!(is_known, "{later} overtakes {earlier}, which is given up"),
        }
    }

    fn answer(&mut self, which: usize, answer: &Answer) {
        if self.in_flight.is_empty() {
            return;
        }
        let (started, batch) = self.in_flight.swap_remove(which % self.in_flight.len());
        let ids: Vec<i64> = batch.messages.iter().map(|message| message.outgoing.id).collect();
        let answers = self.answers(&ids, answer);
        let failure = self.lane.conclude(started, batch, answers, None, self.now);
        assert!(failure.is_none());
    }

    fn answers(
        &mut self,
        ids: &[i64],
        answer: &Answer,
    ) -> Result<Vec<crate::sqs::Answer>, Trouble> {
        let good: Vec<i64> = ids.iter().copied().filter(|id| !self.row(*id).is_bad).collect();
        match answer {
            Answer::Throttled => Err(trouble(Class::Throttled, true)),
            Answer::Cut(taken) => {
                self.taken.extend(good.iter().filter(|_| *taken));
                Err(trouble(Class::Network, false))
            }
            Answer::Picky if good.len() < ids.len() => Err(trouble(Class::Row, true)),
            Answer::Picky => Ok(ids.iter().map(|id| self.fate(*id, Fate::Taken)).collect()),
            Answer::Each(fates) => {
                let fates = fates.iter().cycle();
                Ok(ids.iter().zip(fates).map(|(id, fate)| self.fate(*id, *fate)).collect())
            }
        }
    }

    fn fate(&mut self, id: i64, fate: Fate) -> crate::sqs::Answer {
        if self.row(id).is_bad {
            return Err(trouble(Class::Row, true));
        }
        match fate {
            Fate::Taken => {
                self.taken.insert(id);
                Ok("id".to_owned())
            }
            Fate::Throttled => Err(trouble(Class::Throttled, true)),
            Fate::Failed(taken) => {
                self.taken.extend(taken.then_some(id));
                Err(trouble(Class::Service, false))
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::HandOver(count) => self.hand_over(*count),
            Step::Answer(which, answer) => self.answer(*which, answer),
            Step::Wait(milliseconds) => self.now += Duration::from_millis(*milliseconds),
            Step::TakeReports => self.take_reports(),
        }
        self.start_requests();
    }

    /// From now on SQS takes everything.
    fn finish(mut self) {
        self.step(&Step::HandOver(usize::MAX));
        for _ in 0..10_000 {
            if let Some(wake) = self.lane.next_wake(usize::MAX) {
                self.now = self.now.max(wake);
            }
            self.step(&Step::Answer(0, Answer::Each(vec![Fate::Taken])));
            if self.in_flight.is_empty() && self.lane.next_wake(usize::MAX).is_none() {
                break;
            }
        }
        self.take_reports();
        assert_eq!(self.told.len(), self.rows.len(), "reports are missing");
        assert_eq!(self.lane.waiting.group_count(), 0);
        for (id, outcome) in &self.reported {
            let (taken, is_bad) = (self.taken.contains(id), self.row(*id).is_bad);
            match outcome {
                Outcome::Acknowledged { .. } => assert!(taken),
                Outcome::Rejected { .. } => assert!(is_bad && !taken),
                Outcome::NotSent { .. } => assert!(!taken),
                Outcome::InDoubt { .. } => {}
            }
        }
    }
}

fn trouble(class: Class, certain: bool) -> Trouble {
    Trouble { class, certain, code: None, what: "no".to_owned(), hint: None }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_order_limits_and_reports_are_kept(
        rows in prop::collection::vec(row(), 1..80),
        one_per_group: bool,
        most_in_flight in 1..5_usize,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut world = World::new(rows, one_per_group, most_in_flight);
        steps.iter().for_each(|step| world.step(step));
        world.finish();
    }
}
