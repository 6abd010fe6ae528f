//! Deletes runs that are older than `sqs_sync.run_max_age`: now and then all of them are gone
//! through, some at a time, and runs that are due are started between.

use std::time::{Duration, Instant};

use crate::catalog;
use crate::pg::rights::set_locally;
use crate::pg::transaction::transaction_in_passing;
use crate::pg::{Result, process};
use crate::settings;

/// Between the beginnings of two passes.
const EVERY: Duration = Duration::from_secs(600);
/// Between two parts of a pass.
const PART: Duration = Duration::from_millis(1);

pub struct Retention {
    /// The age by which runs go: one that is changed is gone by at once.
    minutes: Option<i32>,
    next_pass: Instant,
    /// The run that a pass has come to.
    place: Option<i64>,
    last_error: Option<String>,
}

impl Retention {
    pub fn new() -> Retention {
        Retention { minutes: None, next_pass: Instant::now(), place: None, last_error: None }
    }

    /// Whether a pass goes on.
    pub fn is_busy(&self) -> bool {
        self.place.is_some()
    }

    /// Does some of what is due, and returns how long there is nothing more to do. What goes wrong
    /// is logged once, and tried again at the next pass.
    pub fn look(&mut self) -> Duration {
        let minutes = settings::run_max_minutes();
        if minutes != self.minutes {
            self.minutes = minutes;
            self.place = None;
            self.next_pass = Instant::now();
        }
        let Some(minutes) = minutes else { return EVERY };
        if self.place.is_none() && self.next_pass <= Instant::now() {
            self.next_pass = Instant::now() + EVERY;
            self.place = Some(0);
        }
        let Some(place) = self.place else {
            return self.next_pass.saturating_duration_since(Instant::now());
        };
        match delete_some(place, minutes) {
            Ok(place) => self.place = place,
            Err(error) => {
                self.place = None;
                if !error.is_passing() && self.last_error.as_ref() != Some(&error.message) {
                    process::log_warning(&error);
                    self.last_error = Some(error.message);
                }
            }
        }
        PART
    }
}

/// What a crash brings back goes at the next pass: nothing waits for the disk or a standby.
fn delete_some(after: i64, minutes: i32) -> Result<Option<i64>> {
    transaction_in_passing(|| {
        set_locally("synchronous_commit", "off")?;
        catalog::outdated::delete_some(after, minutes)
    })
}
