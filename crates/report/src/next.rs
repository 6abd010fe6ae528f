//! What to do next: what the states of syncs, the errors of runs and the reasons of rejections ask
//! for. The same for several syncs is said once.

use crate::data::{Alert, Process, Reason, Report, Run, State, Sync, SyncState};
use crate::health::Health;
use crate::number::counted;
use crate::text::{Text, sql_literal};
use crate::time::{Duration, Time};

/// How long a run may be queued before somebody should look.
const PATIENCE: Duration = Duration::MINUTE;

/// The most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It does not go on by itself.
    Act,
    /// It goes on, and something is left out.
    Look,
    /// Good to know.
    Know,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    pub urgency: Urgency,
    /// A sentence of ours.
    pub what: String,
    /// Why, in the words of an error or a reason.
    pub why: Option<Text>,
    pub hint: Option<Text>,
    /// Of the first of the syncs: one of these.
    pub commands: Vec<Text>,
    pub syncs: Vec<Text>,
}

impl Advice {
    fn new(urgency: Urgency, what: impl Into<String>) -> Advice {
        let what = what.into();
        Advice { urgency, what, why: None, hint: None, commands: Vec::new(), syncs: Vec::new() }
    }

    /// By what the run says. That it is a run of this sync is said beside it, for all that say the same.
    fn because(mut self, run: &Run) -> Advice {
        let of_sync = format!("sync \"{}\": ", run.sync.as_str());
        self.why = run.error.as_ref().map(|error| {
            error.as_str().strip_prefix(of_sync.as_str()).unwrap_or(error.as_str()).into()
        });
        self.hint = run.hint.clone();
        self
    }

    fn command(mut self, command: impl Into<Text>) -> Advice {
        self.commands.push(command.into());
        self
    }

    fn says_the_same(&self, other: &Advice) -> bool {
        self.urgency == other.urgency && self.what == other.what && self.why == other.why
    }
}

/// All that there is to do, the most urgent first.
pub fn advice(report: &Report) -> Vec<Advice> {
    let mut all: Vec<Advice> = Vec::new();
    all.extend(of_processes(report));
    for sync in &report.syncs {
        for mut one in of_sync(sync, report.processes.copy.is_some()) {
            match all.iter_mut().find(|said| said.says_the_same(&one)) {
                Some(said) => said.syncs.push(sync.name.clone()),
                None => {
                    one.syncs.push(sync.name.clone());
                    all.push(one);
                }
            }
        }
    }
    all.extend(of_alerts(report));
    all.extend(of_rejections(report));
    all.sort_by_key(|one| one.urgency);
    all
}

fn of_sync(sync: &Sync, in_copy: bool) -> Vec<Advice> {
    let mut all = Vec::new();
    let run_again = format!("SELECT sqs_sync_run({});", sql_literal(&sync.name));
    if sync.state == SyncState::Paused && !in_copy {
        let resume = format!("SELECT sqs_sync_resume({});", sql_literal(&sync.name));
        all.push(Advice::new(Urgency::Look, "It is paused: no run of it starts.").command(resume));
    }
    let Some(run) = &sync.last else {
        if sync.state != SyncState::Paused {
            let what = "It has not run yet: nothing of it is told.";
            all.push(Advice::new(Urgency::Look, what).command(run_again));
        }
        return all;
    };
    match run.state {
        State::Held => {
            let what = "A run is held until somebody decides, and no other one starts. \
                        sqs_sync.held shows what it would announce. Approve it by sqs_sync_approve \
                        if that is right; mend the cause and discard the run if it is not.";
            let held = Advice::new(Urgency::Act, what).because(run);
            all.push(
                held.command(format!("SELECT * FROM sqs_sync.held WHERE run_id = {};", run.id))
                    .command(format!("SELECT sqs_sync_approve({});", run.id))
                    .command(format!("SELECT sqs_sync_discard({});", run.id)),
            );
        }
        State::Failed => {
            let what = "The last run failed. Mend the cause, and run again: the next run finds \
                        what this one did not tell.";
            all.push(Advice::new(Urgency::Act, what).because(run).command(run_again.clone()));
        }
        State::Cancelled if Health::of(sync) == Health::Cancelled => {
            let what = "The last run was cancelled. The next one finds what it did not tell.";
            all.push(Advice::new(Urgency::Look, what).because(run).command(run_again.clone()));
        }
        State::PartlyFailed if sync.rejected.is_none() => {
            let what = "The last run left rows out. Why is in sqs_sync.rejections, for who has the \
                        rights of the sync's owner.";
            all.push(Advice::new(Urgency::Look, what));
        }
        _ => {}
    }
    if run.in_doubt > 0 && !run.state.is_open() {
        let what = "Messages may have been sent, and SQS has not said so. The next run begins by \
                    sending them again, unchanged.";
        all.push(Advice::new(Urgency::Know, what).command(run_again));
    }
    all
}

fn of_processes(report: &Report) -> Vec<Advice> {
    let (at, processes) = (report.about.at, &report.processes);
    if processes.on_standby {
        let what = "This server is a standby: runs begin when it is promoted.";
        return vec![Advice::new(Urgency::Know, what)];
    }
    if let Some(why) = &processes.copy {
        let what = "This database is a copy, and its syncs are paused: nothing is sent from here.";
        let mut one = Advice::new(Urgency::Look, what).command("SELECT sqs_sync_take_over();");
        one.why = Some(why.clone());
        one.hint = Some(
            "For a superuser or the database's owner, if the copy is to send: with moved => true if \
             it takes the place of the original."
                .into(),
        );
        return vec![one];
    }
    let late = |p: &&Process| p.since.is_some_and(|since| at.since(since) > PATIENCE);
    let waiting: Vec<_> = processes.queued.iter().filter(late).collect();
    let Some(first) = waiting.first() else { return Vec::new() };
    let count = counted(waiting.len() as i64, "run is", "runs are");
    let works = processes.running.iter().any(|process| process.kind.as_str() == "worker");
    let mut one = Advice::new(
        if works { Urgency::Look } else { Urgency::Act },
        match works {
            true => format!("{count} queued for more than a minute."),
            false => format!("{count} queued for more than a minute, and no worker is there."),
        },
    );
    one.why = first.activity.clone();
    if !works {
        one.hint = Some(
            "The server's log says why. A worker is there as long as the server is where sqs_sync \
             is in shared_preload_libraries; otherwise the session that asks for a run starts it."
                .into(),
        );
    }
    one.syncs = waiting.iter().filter_map(|process| process.sync.clone()).collect();
    vec![one]
}

/// Those that are firing. Of an alert that is for several syncs what was found first stands for all.
fn of_alerts(report: &Report) -> Vec<Advice> {
    let mut all: Vec<Advice> = Vec::new();
    for alert in report.alerts.iter().filter(|alert| alert.is_firing) {
        let mut one = of_alert(alert, report.about.at);
        match all.iter_mut().find(|said| said.what == one.what) {
            Some(said) => said.syncs.extend(alert.sync.clone()),
            None => {
                one.syncs.extend(alert.sync.clone());
                all.push(one);
            }
        }
    }
    all
}

fn of_alert(alert: &Alert, now: Time) -> Advice {
    let name = &alert.name;
    let failed = alert.delivery.as_ref().filter(|delivery| delivery.state.as_str() == "failed");
    let mut one = if alert.silenced_until.is_some_and(|until| until > now) {
        Advice::new(Urgency::Know, format!("The alert \"{name}\" is firing, and silenced."))
    } else if let Some(failed) = failed {
        let what = format!("The alert \"{name}\" is firing, and its channel has not been told.");
        let test = format!("SELECT * FROM sqs_sync_alert_test({});", sql_literal(name));
        Advice { hint: failed.answer.clone(), ..Advice::new(Urgency::Act, what).command(test) }
    } else {
        Advice::new(Urgency::Look, format!("The alert \"{name}\" is firing."))
    };
    one.why = alert.summary.clone();
    one
}

fn of_rejections(report: &Report) -> Vec<Advice> {
    let of_reason = |reason: &Reason| {
        let keys = counted(reason.keys, "key is", "keys are");
        let what = format!("{keys} not told. Each run tries again.");
        let example = reason.examples.first();
        Advice {
            why: example.map(|rejection| rejection.reason.clone()),
            hint: example.and_then(|rejection| rejection.hint.clone()),
            syncs: reason.syncs.iter().map(|(sync, _)| sync.clone()).collect(),
            ..Advice::new(Urgency::Look, what)
        }
    };
    report.rejections.reasons.iter().map(of_reason).collect()
}
