//! `sqs_sync_run`, `wait` and `cancel`, and what `CALL sqs_sync_run_and_wait` is made of.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::{readable_sync, sync_of_run};
use crate::catalog::progress::Progress;
use crate::catalog::{self, Run, State};
use crate::home;
use crate::pg::commit::{self, AtCommit, at_commit};
use crate::pg::rights::{self, as_superuser};
use crate::pg::transaction::{keeps_its_snapshot, with_latest_snapshot};
use crate::pg::{Error, Result, process};
use crate::run::grouped;

type Answer<T> = std::result::Result<T, ErrorReport>;

/// How long a call waits for another session that has queued a run and not committed.
const QUEUE_PATIENCE: &str = "10s";
/// How long a waiting function sleeps between two looks.
const POLL: Duration = Duration::from_millis(50);
/// How long a run stays queued before the worker is woken again.
const NUDGE_AFTER: Duration = Duration::from_secs(1);
/// How often the waiting procedure tells how much is published, at the most.
const TELL_EVERY: Duration = Duration::from_secs(3);
/// How long `watch` waits before it lets the procedure commit.
const WATCH_FOR: Duration = Duration::from_secs(1);

#[pg_extern(sql = false)]
fn sqs_sync_run(name: &str) -> Answer<i64> {
    run(name).map_err(ErrorReport::from)
}

fn run(name: &str) -> Result<i64> {
    let own = readable_sync(name)?;
    own.owner()?;
    home::check()?;
    if own.sync.paused {
        return Err(Error::not_in_state(format!("sync \"{name}\" is paused"))
            .hint("Let it run again by sqs_sync_resume."));
    }
    let run_id = as_superuser(|| queue(own.sync.id)).map_err(|error| explain_queue(name, error))?;
    at_commit(AtCommit::WakeWorker);
    Ok(run_id)
}

/// The run that waits already, or a new one.
fn queue(sync_id: i32) -> Result<i64> {
    rights::set_locally("lock_timeout", QUEUE_PATIENCE)?;
    loop {
        if let Some(run_id) = with_latest_snapshot(|| catalog::run::waiting(sync_id))? {
            return Ok(run_id);
        }
        let queue = AssertUnwindSafe(|| catalog::run::queue(sync_id));
        let queued = PgTryBuilder::new(queue)
            .catch_others(|caught| Err(Error::from_caught(caught)))
            .execute()?;
        if let Some(run_id) = queued {
            commit::note_created(run_id);
            return Ok(run_id);
        }
        process::sleep_interruptibly(Duration::from_millis(1));
    }
}

fn explain_queue(name: &str, error: Error) -> Error {
    match error.code {
        PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE => {}
        PgSqlErrorCode::ERRCODE_FOREIGN_KEY_VIOLATION => {
            return catalog::sync::does_not_exist(name);
        }
        _ => return error,
    }
    Error::new(
        error.code,
        format!("another transaction has queued a run of sync \"{name}\", or is dropping it, and has not ended"),
    )
    .hint("Commit soon after sqs_sync_run: until then, other calls for the same sync wait.")
}

#[pg_extern(sql = false)]
fn sqs_sync_wait(run_id: Option<i64>, timeout: Option<Interval>) -> Answer<Option<String>> {
    let wait = || {
        let Some(run_id) = run_id else { return Ok(None) };
        let timeout =
            timeout.map(|t| Duration::from_micros(u64::try_from(t.as_micros()).unwrap_or(0)));
        Ok(Some(wait(run_id, timeout)?.as_str().to_owned()))
    };
    wait().map_err(|error: Error| error.into())
}

fn wait(run_id: i64, timeout: Option<Duration>) -> Result<State> {
    check_can_wait(run_id)?;
    let since = Instant::now();
    let mut nudged = since;
    loop {
        let run = look(run_id)?;
        if run.state.has_ended() || run.state == State::Held {
            return Ok(run.state);
        }
        if timeout.is_some_and(|timeout| since.elapsed() >= timeout) {
            return Err(Error::new(
                PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
                format!("run {run_id} is still {} when the timeout has passed", run.state.as_str()),
            )
            .hint("The run goes on: wait again, or look at sqs_sync.progress."));
        }
        nudge(&run, &mut nudged);
        process::sleep_interruptibly(POLL);
    }
}

/// A wake-up can be missed, by a worker that was about to end or that had no slot to start in:
/// who waits for a run that is queued wakes it again.
fn nudge(run: &Run, nudged: &mut Instant) {
    if run.state == State::Queued && nudged.elapsed() >= NUDGE_AFTER {
        *nudged = Instant::now();
        commit::wake_worker();
    }
}

fn check_can_wait(run_id: i64) -> Result<()> {
    sync_of_run(run_id)?;
    if commit::created_in_this_transaction(run_id) {
        return Err(Error::not_in_state(format!(
            "run {run_id} was queued by this transaction, and begins when that is committed"
        ))
        .hint("Commit before you wait, or use CALL sqs_sync_run_and_wait."));
    }
    if keeps_its_snapshot() {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
            format!("cannot wait for run {run_id} in a transaction that keeps its snapshot"),
        )
        .hint("Wait under READ COMMITTED, or use CALL sqs_sync_run_and_wait."));
    }
    Ok(())
}

fn look(run_id: i64) -> Result<Run> {
    with_latest_snapshot(|| as_superuser(|| catalog::run::by_id(run_id)))
}

#[pg_extern(sql = false)]
fn sqs_sync_cancel(run_id: i64) -> Answer<()> {
    cancel(run_id).map_err(ErrorReport::from)
}

fn cancel(run_id: i64) -> Result<()> {
    sync_of_run(run_id)?;
    home::check_primary()?;
    if as_superuser(|| catalog::run::cancel_waiting(run_id))? {
        return Ok(());
    }
    let run = look(run_id)?;
    if run.state.has_ended() {
        process::notice(format!("run {run_id} has ended: it is {}", run.state.as_str()));
        return Ok(());
    }
    as_superuser(|| catalog::cancellation::request(run_id))?;
    if let Some(pid) = look(run_id)?.runner_pid {
        at_commit(AtCommit::Cancel { pid });
    }
    Ok(())
}

/// What `watch` has told of a run, so that it tells only what is new, and that not too often.
#[derive(Default)]
struct Told {
    run_id: i64,
    found: bool,
    text: String,
    at: Option<Instant>,
}

thread_local! {
    static TOLD: RefCell<Told> = RefCell::default();
}

#[pg_extern(sql = false)]
fn watch(run_id: i64) -> Answer<bool> {
    watch_once(run_id).map_err(ErrorReport::from)
}

fn watch_once(run_id: i64) -> Result<bool> {
    check_can_wait(run_id)?;
    let since = Instant::now();
    loop {
        let run = look(run_id)?;
        if run.state.has_ended() || run.state == State::Held {
            return tell_end(&run).map(|()| false);
        }
        if since.elapsed() >= WATCH_FOR {
            nudge(&run, &mut since.clone());
            tell(&run)?;
            return Ok(true);
        }
        process::sleep_interruptibly(POLL);
    }
}

/// Tells how a run goes: what it is at, what the diff has found, and from time to time how much of
/// that is published.
fn tell(run: &Run) -> Result<()> {
    let progress = with_latest_snapshot(|| as_superuser(|| catalog::progress::find(run.id)))?;
    TOLD.with_borrow_mut(|told| {
        if told.run_id != run.id {
            *told = Told { run_id: run.id, ..Told::default() };
        }
        if run.state == State::Publishing && !told.found {
            told.found = true;
            process::notice(what_was_found(run));
        }
        let text = how_it_goes(run, progress.as_ref());
        let is_early = told.at.is_some_and(|at| at.elapsed() < TELL_EVERY);
        let is_number = run.state == State::Publishing;
        if told.text != text && !(is_early && is_number) {
            process::notice(text.clone());
            told.text = text;
            told.at = Some(Instant::now());
        }
    });
    Ok(())
}

fn what_was_found(run: &Run) -> String {
    let silent = match run.silent {
        0 => String::new(),
        silent => format!("; no message is due for {} of these", grouped(silent)),
    };
    format!(
        "run {}: the diff found {} added, {} changed, {} removed{silent}",
        run.id,
        grouped(run.added),
        grouped(run.changed),
        grouped(run.removed)
    )
}

fn how_it_goes(run: &Run, progress: Option<&Progress>) -> String {
    match (run.state, progress) {
        (State::Publishing, Some(progress)) => {
            let done = run.published + run.rejected;
            let rate = progress.rate.filter(|rate| *rate >= 0.5);
            let pace = rate.map_or(String::new(), |rate| {
                let left = (progress.total - done).max(0) as f64 / rate;
                format!(", {} a second, about {} left", grouped(rate as i64), duration(left))
            });
            format!(
                "run {}: {} of {} published, {} rejected{pace}",
                run.id,
                grouped(run.published),
                grouped(progress.total),
                grouped(run.rejected)
            )
        }
        (State::Queued, _) => {
            let why = run.waiting_for.as_deref().unwrap_or("the worker");
            format!("run {}: queued, waits for {why}", run.id)
        }
        (state, progress) => {
            let phase = progress.map_or(state.as_str(), |progress| progress.phase.as_str());
            format!("run {}: {phase}", run.id)
        }
    }
}

/// Seconds as people read them.
fn duration(seconds: f64) -> String {
    let whole = seconds.ceil() as i64;
    match whole {
        ..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Tells how a run ended; an error if it did not go through.
fn tell_end(run: &Run) -> Result<()> {
    let took = run.took.map_or(String::new(), |seconds| format!(", in {seconds:.1} s"));
    let why = run.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
    let summary = format!(
        "run {} {}: {} published, {} rejected, {} in doubt{took}{why}",
        run.id,
        run.state.as_str().replace('_', " "),
        grouped(run.published),
        grouped(run.rejected),
        grouped(run.in_doubt)
    );
    let code = match run.state {
        State::Succeeded => {
            process::notice(summary);
            return Ok(());
        }
        State::PartlyFailed => {
            process::log_warning(
                &Error::new(PgSqlErrorCode::ERRCODE_WARNING, summary)
                    .hint("The view sqs_sync.rejections says which rows, and why."),
            );
            return Ok(());
        }
        State::Cancelled | State::Discarded => PgSqlErrorCode::ERRCODE_QUERY_CANCELED,
        State::Held => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        _ => Error::code_of(run.sqlstate.as_deref()),
    };
    let error = Error::new(code, summary);
    Err(match &run.hint {
        Some(hint) => error.hint(hint.clone()),
        None => error,
    })
}
