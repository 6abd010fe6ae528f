//! Alerts: what the notifier's crate judges and delivers, with the catalog between. It promises:
//!
//! * **Each change of state is told once.** It is written in the transaction that queues the
//!   message ([`judging`]). A message may arrive twice, if its answer is lost; it is then the same.
//! * **No run waits for an alert**, nor does the worker that starts runs: it judges a bounded number
//!   at a time, waits for no lock, and sends from a thread of its own, outside of any transaction
//!   ([`outbox`]).
//! * **An alert sees what its owner may see**, and uses the channels that he may use: asked each
//!   time, not when it was created ([`channel`]).
//! * **Secrets stay in the user mapping**: what is read of it goes to the thread and nowhere else.

pub mod channel;
mod facts;
mod judging;
mod options;
mod outbox;
mod thread;
pub mod trial;

use std::collections::BTreeSet;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::catalog::delivery;
use crate::pg::transaction::transaction_in_passing;
use crate::pg::{Error, Result, process};
use judging::Sweep;
use outbox::Outbox;

pub use options::known as known_options;

/// Between two looks at everything.
const EVERY: Duration = Duration::from_secs(5);
/// Between two parts of one look: runs are started meanwhile.
const PART: Duration = Duration::from_millis(1);
/// Between two times that old deliveries are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// The alerts of a database, as its worker looks after them.
pub struct Alerts {
    sweep: Option<Sweep>,
    next_sweep: Instant,
    next_tidy: Instant,
    /// Syncs of which a run has ended since they were looked at.
    ended: BTreeSet<i32>,
    outbox: Outbox,
    last_error: Option<String>,
}

impl Alerts {
    pub fn new() -> Alerts {
        let now = Instant::now();
        Alerts {
            sweep: None,
            next_sweep: now,
            next_tidy: now + TIDY_EVERY,
            ended: BTreeSet::new(),
            outbox: Outbox::default(),
            last_error: None,
        }
    }

    /// Something is new of this sync.
    pub fn note_end(&mut self, sync_id: i32) {
        self.ended.insert(sync_id);
    }

    /// Readable when a channel has answered.
    pub fn notifier(&self) -> Option<RawFd> {
        self.outbox.notifier()
    }

    /// Whether messages are under way.
    pub fn is_busy(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Judges and sends what is due, and returns how long there is nothing more to do. What goes
    /// wrong is logged once, and tried again: it is no reason to start no runs.
    pub fn look(&mut self) -> Duration {
        match self.advance() {
            Ok(()) => self.last_error = None,
            Err(error) => {
                self.sweep = None;
                self.next_sweep = Instant::now() + EVERY;
                if self.last_error.as_ref() != Some(&error.message) {
                    let message = format!("alerts: {}", error.message);
                    process::log_warning(&Error { message, ..error.clone() });
                    self.last_error = Some(error.message);
                }
            }
        }
        match self.sweep {
            Some(_) => PART,
            None => self.next_sweep.saturating_duration_since(Instant::now()),
        }
    }

    fn advance(&mut self) -> Result<()> {
        self.outbox.collect()?;
        let is_due = self.sweep.is_none() && self.next_sweep <= Instant::now();
        if self.sweep.is_none() && !is_due && self.ended.is_empty() && self.outbox.is_empty() {
            return Ok(());
        }
        if !judging::is_needed()? {
            self.ended.clear();
            self.sweep = None;
            self.next_sweep = Instant::now() + EVERY;
            return Ok(());
        }
        let ended: Vec<i32> = std::mem::take(&mut self.ended).into_iter().collect();
        if !ended.is_empty() {
            judging::look_at(&ended)?;
        }
        if is_due {
            self.next_sweep = Instant::now() + EVERY;
            self.sweep = Some(judging::begin()?);
        } else if let Some(sweep) = self.sweep {
            self.sweep = judging::go_on(sweep)?;
        }
        self.outbox.send()?;
        if self.next_tidy <= Instant::now() {
            self.next_tidy = Instant::now() + TIDY_EVERY;
            transaction_in_passing(delivery::tidy)?;
        }
        Ok(())
    }
}
