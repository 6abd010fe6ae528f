//! The launcher: keeps a worker alive in each database that has the extension.
//!
//! It is connected to no database, so it cannot know which ones those are. It starts a worker
//! in each, one at a time: one that finds no extension ends at once, and the database is left
//! alone until a CREATE EXTENSION or a session with a run to do tells the launcher.
//!
//! On a standby it starts nothing, but notes that the server streams from a primary.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use pgrx::{PgSqlErrorCode, pg_sys};

use super::backoff::Backoff;
use crate::home;
use crate::pg::background::{self, Handle, Kind, Status};
use crate::pg::transaction::transaction;
use crate::pg::{Error, Result, database, lock, process, server};

/// Between two looks at the list of databases, and at workers that we did not start.
const POLL: Duration = Duration::from_secs(5);
/// Between two looks at whether a standby still is one.
const STANDBY_POLL: Duration = Duration::from_secs(1);
/// Before a worker is started the list must be this fresh: the database may be gone.
const FRESH: Duration = Duration::from_millis(200);
/// A worker that has not said by then whether its database has the extension (it may wait for
/// a lock, or the machine be busy) no longer holds up the next.
const PATIENCE: Duration = Duration::from_secs(10);
/// A worker may have ended for another reason than that there is no extension: looked at once
/// more after this.
const SECOND_LOOK: Duration = Duration::from_secs(60);

/// Started by name by Postgres.
#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn sqs_sync_launcher_main(_nothing: pg_sys::Datum) {
    process::listen();
    process::begin(None);
    let mut launcher = Launcher::default();
    loop {
        process::cancel_requested();
        let pause = launcher.look().unwrap_or_else(|error| {
            process::log_warning(&error);
            POLL
        });
        process::wait(None, pause);
    }
}

enum State {
    /// In the line of those to be looked at.
    InLine,
    /// Has no extension, as far as we know.
    Without { look_again_at: Option<Instant> },
    /// A worker is there, or is finding out whether it is needed; `doubted` if we were told of
    /// an extension meanwhile, which it may have come too early for.
    Started { handle: Handle, since: Instant, needed: bool, doubted: bool },
    /// Its worker ended, or is not ours.
    Resting { until: Instant },
}

struct Database {
    state: State,
    looked_twice: bool,
    backoff: Backoff,
}

#[derive(Default)]
struct Launcher {
    databases: HashMap<pg_sys::Oid, Database>,
    line: VecDeque<pg_sys::Oid>,
    listed_at: Option<Instant>,
    told_no_slot: bool,
    /// That it cannot note what a standby does.
    told_blind: bool,
}

impl Launcher {
    /// Returns how long to wait before the next look. On a standby there is nothing to start.
    fn look(&mut self) -> Result<Duration> {
        match home::watch() {
            Ok(()) => self.told_blind = false,
            Err(error) if !std::mem::replace(&mut self.told_blind, true) => {
                process::log_warning(&error);
            }
            Err(_) => {}
        }
        match server::is_standby() {
            true => Ok(STANDBY_POLL),
            false => self.look_after_workers(),
        }
    }

    /// The same.
    fn look_after_workers(&mut self) -> Result<Duration> {
        let told = process::was_told();
        if told || self.list_is_older_than(POLL) {
            self.list()?;
        }
        if told {
            self.doubt();
        }
        for (oid, database) in &mut self.databases {
            if database.review(*oid)? {
                self.line.push_back(*oid);
            }
        }
        if !self.line.is_empty() && self.list_is_older_than(FRESH) {
            self.list()?;
        }
        self.start_next()
    }

    fn list_is_older_than(&self, age: Duration) -> bool {
        self.listed_at.is_none_or(|time| time.elapsed() >= age)
    }

    /// Learns of databases that are new, and of those that are gone.
    fn list(&mut self) -> Result<()> {
        let listed = transaction(|| Ok(database::list()))?;
        self.databases.retain(|oid, _| listed.contains(oid));
        self.line.retain(|oid| listed.contains(oid));
        for oid in listed {
            self.databases.entry(oid).or_insert_with(|| {
                self.line.push_back(oid);
                Database { state: State::InLine, looked_twice: false, backoff: Backoff::default() }
            });
        }
        self.listed_at = Some(Instant::now());
        Ok(())
    }

    /// Looks again where there was no extension; first where someone is connected, since it was
    /// most likely there that it was created.
    fn doubt(&mut self) {
        for (oid, database) in &mut self.databases {
            match &mut database.state {
                State::Without { .. } => {
                    database.state = State::InLine;
                    self.line.push_back(*oid);
                }
                State::Started { doubted, .. } => *doubted = true,
                State::InLine | State::Resting { .. } => {}
            }
        }
        let in_use = background::databases_in_use();
        let (first, rest) = self.line.drain(..).partition::<Vec<_>, _>(|oid| in_use.contains(oid));
        self.line = first.into_iter().chain(rest).collect();
    }

    /// Starts the worker of the first database in line, unless one is still finding out.
    fn start_next(&mut self) -> Result<Duration> {
        while let Some(&oid) = self.line.front() {
            if self.databases.values().any(Database::is_finding_out) {
                return Ok(POLL);
            }
            let Some(database) = self.databases.get_mut(&oid) else {
                self.line.pop_front();
                continue;
            };
            let now = Instant::now();
            if transaction(|| Ok(lock::has_worker(oid)))? {
                database.state = State::Resting { until: now + POLL };
            } else if let Some(handle) = background::start(Kind::Worker, oid, "") {
                database.state =
                    State::Started { handle, since: now, needed: false, doubted: false };
                self.told_no_slot = false;
            } else {
                self.complain_of_slots();
                return Ok(POLL);
            }
            self.line.pop_front();
        }
        let next = self.databases.values().filter_map(Database::due_at).min();
        let now = Instant::now();
        Ok(next.map_or(POLL, |time| time.saturating_duration_since(now).min(POLL)))
    }

    fn complain_of_slots(&mut self) {
        if !self.told_no_slot {
            self.told_no_slot = true;
            let code = PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
            let message = "no background worker slot is free for sqs_sync";
            let hint = "Raise max_worker_processes: each database with the extension takes one, and each run one more.";
            process::log_warning(&Error::new(code, message).hint(hint));
        }
    }
}

impl Database {
    /// Notices what became of the worker, and returns whether it is time to start one.
    fn review(&mut self, oid: pg_sys::Oid) -> Result<bool> {
        let now = Instant::now();
        match &mut self.state {
            State::Started { handle, since, needed, doubted } => {
                *needed = *needed || transaction(|| Ok(lock::has_worker(oid)))?;
                if handle.status() == Status::Stopped {
                    self.state = if *needed {
                        State::Resting { until: now + self.backoff.after(since.elapsed()) }
                    } else if *doubted {
                        State::Without { look_again_at: Some(now) }
                    } else {
                        let look_again_at = (!self.looked_twice).then(|| now + SECOND_LOOK);
                        self.looked_twice = true;
                        State::Without { look_again_at }
                    };
                }
            }
            State::InLine => {}
            State::Without { .. } | State::Resting { .. } => {
                if self.due_at().is_some_and(|time| time <= now) {
                    self.state = State::InLine;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn due_at(&self) -> Option<Instant> {
        match self.state {
            State::Without { look_again_at } => look_again_at,
            State::Resting { until } => Some(until),
            State::InLine | State::Started { .. } => None,
        }
    }

    fn is_finding_out(&self) -> bool {
        matches!(&self.state, State::Started { since, needed: false, .. } if since.elapsed() < PATIENCE)
    }
}
