//! The worker of a database: sees to it that each run that is due has a runner, and looks after
//! alerts and old runs between.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use pgrx::bgworkers::BackgroundWorker;
use pgrx::pg_sys;

use super::backoff::Backoff;
use super::queue::{self, Due, Found, Queue};
use super::retention::Retention;
use crate::alerts::Alerts;
use crate::home;
use crate::pg::background::{self, Handle, Kind, Status};
use crate::pg::rights::as_superuser;
use crate::pg::transaction::transaction;
use crate::pg::{Result, database, failpoint, lock, process};
use crate::settings;

/// Between two looks at the queue when nothing wakes the worker.
const POLL: Duration = Duration::from_secs(5);
/// The same while there are runs that could not be started.
const RETRY: Duration = Duration::from_secs(1);
/// A worker that a session started ends after this long with nothing to do.
const IDLE: Duration = Duration::from_secs(60);
/// A run that this many runners in a row took up and died over, without progress, is given up.
/// The run's row counts them, since one that brings the server down takes this worker along.
const MOST_DEATHS: i32 = 5;

const NEEDS_SLOT: &str = "a free background worker slot (max_worker_processes)";
const NEEDS_TURN: &str = "another run to end (sqs_sync.max_runners)";

/// Started by name by Postgres.
#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn sqs_sync_worker_main(argument: pg_sys::Datum) {
    process::begin(Some(super::database_argument(argument)));
    match transaction(|| Ok(queue::look()?.is_ready() && lock::try_hold_worker())) {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return process::log_warning(&error),
    }
    background::wake(Kind::Launcher, pg_sys::InvalidOid);
    let on_demand = BackgroundWorker::get_extra() == background::ON_DEMAND;
    Worker::new().work(on_demand.then_some(IDLE));
}

impl Found {
    /// Whether this is a database for us; one of another version is told of in the log.
    fn is_ready(&self) -> bool {
        if let Found::OtherVersion(differs) = self {
            let hint = differs.hint.as_deref().unwrap_or_default();
            process::log(format!("sqs_sync is idle in this database: {differs}. {hint}"));
        }
        matches!(self, Found::Runs(_))
    }
}

struct Runner {
    run_id: i64,
    handle: Handle,
    since: Instant,
}

/// When the next runner of a run that lost one may start.
#[derive(Default)]
struct Deaths {
    backoff: Backoff,
    again_at: Option<Instant>,
}

struct Worker {
    /// By sync.
    runners: HashMap<i32, Runner>,
    /// By run.
    deaths: HashMap<i64, Deaths>,
    alerts: Alerts,
    retention: Retention,
    /// As far as is known yet: a copy tells nobody, and keeps what it has.
    is_home: bool,
    last_busy: Instant,
    last_error: Option<String>,
    /// Why nothing runs here, as was logged.
    told_why_not: Option<&'static str>,
}

/// What came of a run that is due.
enum Outcome {
    /// It runs, or its sync is at another run.
    UnderWay,
    Started,
    Waits(Option<&'static str>),
    GivenUp(i32),
}

impl Worker {
    fn new() -> Worker {
        let last_busy = Instant::now();
        Worker {
            runners: HashMap::new(),
            deaths: HashMap::new(),
            alerts: Alerts::new(),
            retention: Retention::new(),
            is_home: false,
            last_busy,
            last_error: None,
            told_why_not: None,
        }
    }

    fn work(&mut self, ends_after_idle: Option<Duration>) {
        loop {
            // A cancel of this process means nothing: what can be cancelled is a run.
            process::cancel_requested();
            let pause = match self.look_after_runs() {
                Ok(None) => return,
                Ok(Some(pause)) => pause,
                Err(error) => {
                    self.complain(&error);
                    POLL
                }
            };
            let pause = match self.is_home {
                true => pause.min(self.alerts.look()).min(self.retention.look()),
                false => pause,
            };
            if self.alerts.is_busy() || self.retention.is_busy() {
                self.last_busy = Instant::now();
            }
            let idle = ends_after_idle.is_some_and(|limit| self.last_busy.elapsed() >= limit);
            let pause = if idle { Duration::ZERO } else { pause };
            if !process::wait(self.alerts.notifier(), pause) && idle {
                return;
            }
        }
    }

    /// Starts what is due, and returns how long to wait before the next look; None when this is
    /// no database for us any more.
    fn look_after_runs(&mut self) -> Result<Option<Duration>> {
        self.reap();
        let mut found = transaction(queue::look)?;
        if !found.is_ready() {
            return Ok(None);
        }
        if self.is_elsewhere()? {
            return Ok(Some(POLL));
        }
        if queue::follow_on()? {
            found = transaction(queue::look)?;
        }
        let Found::Runs(queue) = found else { return Ok(None) };
        self.last_error = None;
        self.tell(&queue);
        let due: HashSet<i64> = queue.first.iter().map(|run| run.run_id).collect();
        self.deaths.retain(|run_id, _| due.contains(run_id));
        if !(due.is_empty() && self.runners.is_empty()) {
            self.last_busy = Instant::now();
        }
        let waiting = self.attend_all(&queue)?;
        Ok(Some(if waiting { RETRY } else { POLL }))
    }

    /// Starts what can be started, and writes why the rest waits. Returns whether there is any.
    fn attend_all(&mut self, queue: &Queue) -> Result<bool> {
        let (mut syncs, mut news) = (HashSet::new(), News::default());
        let (mut waiting, mut no_more) = (false, None);
        for run in queue.first.iter().filter(|run| syncs.insert(run.sync_id)) {
            let outcome = self.attend(run, &mut no_more);
            waiting |= matches!(outcome, Outcome::Waits(_));
            news.note(run, &outcome)?;
        }
        news.write()?;
        let is_all = queue.first.len() as i64 >= queue.total;
        if let (Some(reason), Some(last)) = (no_more, queue.first.last())
            && !is_all
        {
            transaction(|| queue::set_waiting_behind(last.run_id, reason))?;
        }
        Ok(waiting)
    }

    /// Whether this database is a copy, in which no run begins. After a promotion it is home.
    fn is_elsewhere(&mut self) -> Result<bool> {
        let why_not = transaction(home::why_not)?;
        if why_not.is_none() && transaction(|| as_superuser(home::follow))? {
            process::log(
                "sqs_sync goes on in this database after the promotion; what only the old primary knew of, if replication was asynchronous, is not taken back",
            );
        }
        if let Some(why) = why_not
            && why_not != self.told_why_not
        {
            process::log(format!(
                "sqs_sync is paused in this database, which is a copy: {why}; sqs_sync_take_over() starts it"
            ));
        }
        self.told_why_not = why_not;
        self.is_home = why_not.is_none();
        Ok(why_not.is_some())
    }

    /// Says in pg_stat_activity how many runs there are.
    fn tell(&self, queue: &Queue) {
        let under_way = queue.first.iter().filter(|run| run.is_under_way).count();
        let waiting = queue.total - under_way as i64;
        process::report_activity(&format!("runs: {under_way} under way, {waiting} waiting"));
    }

    /// `no_more`: why no other run can start at this look.
    fn attend(&mut self, run: &Due, no_more: &mut Option<&'static str>) -> Outcome {
        if self.runners.contains_key(&run.sync_id) || run.has_runner {
            return Outcome::UnderWay;
        }
        if run.attempts >= MOST_DEATHS {
            return Outcome::GivenUp(run.attempts);
        }
        let rests = |deaths: &Deaths| deaths.again_at.is_some_and(|time| time > Instant::now());
        if self.deaths.get(&run.run_id).is_some_and(rests) {
            return Outcome::Waits(None);
        }
        if no_more.is_none() && self.runners_alive() >= settings::max_runners() {
            *no_more = Some(NEEDS_TURN);
        }
        if no_more.is_some() {
            return Outcome::Waits(*no_more);
        }
        let Due { run_id, sync_id, .. } = *run;
        let extra = format!("{run_id} {sync_id}");
        failpoint::reach("runner_due");
        let Some(handle) = background::start(Kind::Runner, database::current(), &extra) else {
            *no_more = Some(NEEDS_SLOT);
            return Outcome::Waits(*no_more);
        };
        failpoint::reach("runner_started");
        self.runners.insert(sync_id, Runner { run_id, handle, since: Instant::now() });
        Outcome::Started
    }

    /// Our own, and those that an earlier worker of this database started.
    fn runners_alive(&self) -> usize {
        let ours: Vec<i32> = self
            .runners
            .values()
            .filter_map(|runner| match runner.handle.status() {
                Status::Running(pid) => Some(pid),
                _ => None,
            })
            .collect();
        let all = background::running(Kind::Runner, database::current());
        self.runners.len() + all.iter().filter(|pid| !ours.contains(pid)).count()
    }

    /// Forgets runners that ended. If the run did not end with its runner, this was a death.
    fn reap(&mut self) {
        let Worker { runners, deaths, alerts, .. } = self;
        runners.retain(|sync_id, runner| {
            if runner.handle.status() != Status::Stopped {
                return true;
            }
            alerts.note_end(*sync_id);
            let deaths = deaths.entry(runner.run_id).or_default();
            deaths.again_at = Some(Instant::now() + deaths.backoff.after(runner.since.elapsed()));
            false
        });
    }

    /// Logs an error once, not at each look.
    fn complain(&mut self, error: &crate::pg::Error) {
        if self.last_error.as_ref() != Some(&error.message) {
            process::log_warning(error);
            self.last_error = Some(error.message.clone());
        }
    }
}

/// Why runs wait, where that differs from what their rows say.
#[derive(Default)]
struct News(HashMap<Option<&'static str>, Vec<i64>>);

impl News {
    fn note(&mut self, run: &Due, outcome: &Outcome) -> Result<()> {
        let reason = match outcome {
            Outcome::UnderWay => return Ok(()),
            Outcome::GivenUp(deaths) => return transaction(|| queue::give_up(run.run_id, *deaths)),
            Outcome::Started => None,
            Outcome::Waits(reason) => *reason,
        };
        if reason != run.waiting_for.as_deref() {
            self.0.entry(reason).or_default().push(run.run_id);
        }
        Ok(())
    }

    fn write(self) -> Result<()> {
        let mut told = self.0.into_iter();
        told.try_for_each(|(reason, runs)| transaction(|| queue::set_waiting_for(&runs, reason)))
    }
}
