//! What conditions mean, and what is told of them.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::alert::News;
use crate::alert::tests::noon;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A run that went through, an hour times its distance from the newest ago.
fn run(id: i64) -> Run {
    let started = noon() - HOUR * u32::try_from(100 - id).unwrap();
    Run {
        id,
        state: RunState::Succeeded,
        requested_at: started,
        started_at: Some(started),
        finished_at: Some(started + MINUTE),
        added: 10,
        changed: 10,
        removed: 0,
        published: 20,
        rejected: 0,
        error: None,
        hint: None,
    }
}

fn failed(id: i64) -> Run {
    Run { state: RunState::Failed, error: Some("no queue".to_owned()), ..run(id) }
}

fn in_state(id: i64, state: RunState) -> Run {
    Run { state, finished_at: None, ..run(id) }
}

/// Newest first.
fn facts(runs: Vec<Run>) -> Facts {
    let success = runs.iter().find(|run| run.state.has_gone_through());
    Facts {
        created_at: noon() - HOUR * 1000,
        is_paused: false,
        last_success_at: success.and_then(|run| run.finished_at),
        runs,
        paused_queues: Vec::new(),
        worker_seen_at: Some(noon()),
    }
}

fn firing(condition: Condition, facts: &Facts) -> Option<Finding> {
    match judge(condition, facts, noon()) {
        Verdict::Firing(finding) => Some(finding),
        Verdict::Clear(_) | Verdict::Unknown => None,
    }
}

fn is_clear(condition: Condition, facts: &Facts) -> bool {
    matches!(judge(condition, facts, noon()), Verdict::Clear(_))
}

#[test]
fn failed_runs_fire_since_the_first_of_them() {
    let found =
        firing(Condition::RunFailed, &facts(vec![failed(99), failed(98), run(97)])).unwrap();
    assert_eq!(found.summary, "run 99 failed: no queue");
    assert_eq!(found.since, failed(98).finished_at.unwrap());
    assert!(found.details.contains(&("Failed in a row".to_owned(), "2".to_owned())));
}

#[test]
fn a_failed_run_is_over_when_one_goes_through_and_not_when_one_begins_or_is_cancelled() {
    for state in [RunState::Publishing, RunState::Queued, RunState::Cancelled] {
        let facts = facts(vec![in_state(99, state), failed(98)]);
        assert!(firing(Condition::RunFailed, &facts).is_some(), "{state:?}");
    }
    let partly = Run { state: RunState::PartlyFailed, ..run(99) };
    assert!(is_clear(Condition::RunFailed, &facts(vec![partly, failed(98)])));
    assert_eq!(judge(Condition::RunFailed, &facts(Vec::new()), noon()), Verdict::Unknown);
}

#[test]
fn rejections_fire_over_a_number_or_a_share_of_the_last_run_that_went_through() {
    let with = |rejected, published| {
        facts(vec![
            failed(99),
            Run { rejected, published, state: RunState::PartlyFailed, ..run(98) },
        ])
    };
    let rows = |most| Condition::Rejections { over: Over::Rows(most) };
    let share = |most| Condition::Rejections { over: Over::Share(most) };
    assert!(firing(rows(4), &with(5, 95)).is_some());
    assert!(is_clear(rows(5), &with(5, 95)));
    assert!(firing(share(0.04), &with(5, 95)).is_some());
    assert!(is_clear(share(0.05), &with(5, 95)));
    assert!(is_clear(share(0.0), &with(0, 0)));
}

#[test]
fn a_held_run_fires_until_it_is_no_longer_held() {
    let held = Run { error: Some("too many".to_owned()), ..in_state(99, RunState::Held) };
    let found = firing(Condition::RunHeld, &facts(vec![held])).unwrap();
    assert_eq!(found.summary, "run 99 is held: too many");
    assert!(is_clear(Condition::RunHeld, &facts(vec![in_state(99, RunState::Cancelled)])));
}

#[test]
fn no_success_counts_from_the_last_one_or_from_the_syncs_creation() {
    let condition = Condition::NoSuccess { within: HOUR * 3 };
    assert!(is_clear(condition, &facts(vec![failed(99), run(98)])));
    let found = firing(condition, &facts(vec![failed(99), run(95)])).unwrap();
    assert_eq!(found.since, run(95).finished_at.unwrap() + HOUR * 3);
    let never = firing(condition, &facts(vec![failed(99)])).unwrap();
    assert_eq!(never.summary, "no run has ever gone through");
    let young = Facts { created_at: noon() - HOUR, ..facts(Vec::new()) };
    assert!(is_clear(condition, &young));
    let paused = Facts { is_paused: true, ..facts(vec![run(90)]) };
    assert!(firing(condition, &paused).unwrap().summary.ends_with("; the sync is paused"));
}

#[test]
fn a_long_run_fires_while_it_is_under_way() {
    let condition = Condition::RunLong { over: HOUR };
    let found = firing(condition, &facts(vec![in_state(98, RunState::Publishing)])).unwrap();
    assert_eq!(found.summary, "run 98 has taken 2 h");
    assert_eq!(found.since, noon() - HOUR);
    assert!(is_clear(condition, &facts(vec![in_state(99, RunState::Publishing)])));
    assert!(is_clear(condition, &facts(vec![run(90)])));
    // One that waits behind it hides nothing.
    let queued = in_state(99, RunState::Queued);
    assert!(firing(condition, &facts(vec![queued, in_state(98, RunState::Diffing)])).is_some());
}

#[test]
fn queues_that_are_given_up_are_all_named() {
    let paused = |queue: &str, ago: Duration| PausedQueue {
        queue: queue.to_owned(),
        since: noon() - ago,
        reason: "AccessDenied".to_owned(),
    };
    let facts =
        Facts { paused_queues: vec![paused("a", MINUTE), paused("b", HOUR)], ..facts(Vec::new()) };
    let found = firing(Condition::QueuePaused, &facts).unwrap();
    assert_eq!(found.summary, "queue b takes no messages, and 1 more");
    assert_eq!((found.since, found.details.len()), (noon() - HOUR, 2));
}

#[test]
fn the_worker_is_down_when_it_was_not_seen_for_long_enough() {
    let condition = Condition::WorkerDown { within: MINUTE };
    let seen = |ago: Option<Duration>| Facts {
        worker_seen_at: ago.map(|ago| noon() - ago),
        ..facts(Vec::new())
    };
    assert!(is_clear(condition, &seen(Some(MINUTE))));
    assert!(firing(condition, &seen(Some(MINUTE * 2))).is_some());
    assert_eq!(judge(condition, &seen(None), noon()), Verdict::Unknown);
}

/// Runs that found so many removed rows, newest first.
fn removals(counts: &[u64]) -> Facts {
    let ids = (0..100).rev();
    facts(ids.zip(counts).map(|(id, removed)| Run { removed: *removed, ..run(id) }).collect())
}

#[test]
fn counts_are_unusual_over_three_times_the_median_and_a_hundred_rows() {
    let unusual = |counts: &[u64]| firing(Condition::Unusual, &removals(counts)).is_some();
    assert!(unusual(&[301, 100, 100, 100, 100, 100]));
    assert!(!unusual(&[300, 100, 100, 100, 100, 100]));
    assert!(unusual(&[101, 0, 0, 0, 0, 0]));
    assert!(!unusual(&[100, 0, 0, 0, 0, 0]));
    // The mean of the two in the middle: 150.
    assert!(!unusual(&[450, 100, 100, 100, 200, 200, 200]));
    assert!(unusual(&[451, 100, 100, 100, 200, 200, 200]));
    // One backfill among those before changes nothing.
    assert!(unusual(&[301, 100, 100, 100, 100, 1_000_000]));
    assert!(!unusual(&[u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX]));
}

#[test]
fn too_few_runs_say_nothing_of_what_is_usual() {
    let facts = removals(&[1_000_000, 1, 1, 1, 1]);
    assert_eq!(judge(Condition::Unusual, &facts, noon()), Verdict::Unknown);
}

#[test]
fn only_the_twenty_runs_before_are_compared_with() {
    let mut counts = vec![1000];
    counts.extend([10; 20]);
    counts.extend([100_000; 30]);
    let found = firing(Condition::Unusual, &removals(&counts)).unwrap();
    assert_eq!(
        found.summary,
        "run 99 found 1000 rows removed, and the median of the runs before is 10"
    );
}

#[test]
fn a_run_that_failed_before_it_compared_ends_no_unusual_counts() {
    let mut facts = removals(&[0, 1000, 1, 1, 1, 1, 1]);
    facts.runs[0] = Run { added: 0, changed: 0, removed: 0, ..failed(99) };
    assert!(firing(Condition::Unusual, &facts).is_some());
    facts.runs[0] = run(99);
    assert!(is_clear(Condition::Unusual, &facts));
}

fn verdict(is_firing: Option<bool>, now: SystemTime) -> Verdict {
    let found = Finding { since: now, summary: String::new(), details: Vec::new(), hint: None };
    match is_firing {
        Some(true) => Verdict::Firing(found),
        Some(false) => Verdict::Clear(found),
        None => Verdict::Unknown,
    }
}

#[derive(Clone, Debug)]
struct Step {
    is_firing: Option<bool>,
    /// Seconds since the step before.
    after: u64,
    is_silenced: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (prop::option::weighted(0.8, any::<bool>()), 0..200_u64, prop::bool::weighted(0.3));
    let step =
        step.prop_map(|(is_firing, after, is_silenced)| Step { is_firing, after, is_silenced });
    prop::collection::vec(step, 0..60)
}

/// What each step left and told.
fn walk(
    steps: &[Step],
    remind_every: Option<Duration>,
) -> Vec<(SystemTime, Standing, Option<News>)> {
    let (mut now, mut standing) = (noon(), Standing::new(noon()));
    let mut walked = Vec::new();
    for step in steps {
        now += Duration::from_secs(step.after);
        let silenced_until = step.is_silenced.then(|| now + MINUTE);
        let policy = Policy { remind_every, silenced_until };
        let news;
        (standing, news) = standing.step(&verdict(step.is_firing, now), &policy, now);
        walked.push((now, standing, news));
    }
    walked
}

const REMIND: Option<Duration> = Some(Duration::from_secs(300));

proptest! {
    #[test]
    fn the_channel_hears_that_it_began_and_ended_in_turns(steps in steps()) {
        let mut believes = false;
        for (_, _, news) in walk(&steps, REMIND) {
            match news {
                Some(News::Firing) => { prop_assert!(!believes); believes = true; }
                Some(News::Recovered) => { prop_assert!(believes); believes = false; }
                Some(News::Reminder) => prop_assert!(believes),
                Some(News::Test) => prop_assert!(false, "nobody asked for a test"),
                None => {}
            }
        }
    }

    #[test]
    fn silence_keeps_back_what_is_told_and_changes_nothing_of_the_state(steps in steps()) {
        let loud: Vec<Step> =
            steps.iter().map(|step| Step { is_silenced: false, ..step.clone() }).collect();
        let both = walk(&steps, REMIND).into_iter().zip(walk(&loud, REMIND));
        for (step, ((_, quiet, news), (_, loud, _))) in steps.iter().zip(both) {
            prop_assert!(!step.is_silenced || news.is_none());
            prop_assert_eq!((quiet.is_firing, quiet.since), (loud.is_firing, loud.since));
        }
    }

    #[test]
    fn unless_it_is_silenced_the_channel_knows_how_things_stand(steps in steps()) {
        for (step, (_, standing, _)) in steps.iter().zip(walk(&steps, REMIND)) {
            if !step.is_silenced && step.is_firing.is_some() {
                prop_assert_eq!(standing.told_at.is_some(), standing.is_firing);
            }
        }
    }

    #[test]
    fn what_goes_on_is_told_once_without_a_reminder_and_at_most_so_often_with_one(steps in steps()) {
        let mut last: Option<SystemTime> = None;
        for (now, _, news) in walk(&steps, REMIND) {
            if news == Some(News::Reminder) {
                prop_assert!(now.duration_since(last.unwrap()).unwrap() >= REMIND.unwrap());
            }
            last = if news.is_some() { Some(now) } else { last };
        }
        let without = walk(&steps, None);
        prop_assert!(without.iter().all(|(_, _, news)| *news != Some(News::Reminder)));
        let began = without.iter().filter(|(_, _, news)| *news == Some(News::Firing)).count();
        let mut states: Vec<bool> = steps.iter().filter_map(|step| step.is_firing).collect();
        states.insert(0, false);
        let changes = states.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        prop_assert!(began <= changes);
    }

    #[test]
    fn no_facts_break_a_judgement(
        counts in prop::collection::vec((any::<u64>(), any::<u64>(), 0..9_usize), 0..30),
        ago in 0..u64::from(u32::MAX), within in 0..u64::from(u32::MAX),
    ) {
        const STATES: [&str; 9] = ["queued", "diffing", "held", "publishing", "succeeded",
            "partly_failed", "failed", "cancelled", "discarded"];
        let runs = counts.iter().map(|(a, b, state)| Run {
            added: *a, changed: *b, removed: *a, published: *b, rejected: *a,
            state: RunState::named(STATES[*state]).unwrap(), ..run(1)
        });
        let facts = Facts { runs: runs.collect(), ..facts(Vec::new()) };
        let within = Duration::from_secs(within);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(ago);
        for condition in [
            Condition::RunFailed, Condition::RunHeld, Condition::QueuePaused, Condition::Unusual,
            Condition::NoSuccess { within }, Condition::RunLong { over: within },
            Condition::WorkerDown { within }, Condition::Rejections { over: Over::Share(0.5) },
            Condition::Rejections { over: Over::Rows(1) },
        ] {
            let _ = judge(condition, &facts, now);
        }
    }
}
