//! Which calls are kept, until the caller takes them, and how much of them.
//!
//! What is kept is bounded by [`MOST`]; a call that there is no room for is dropped, and counted
//! with the next one that is kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exchange::{About, Call, Exchange};
use crate::identity::Identity;

/// The most bytes of calls that are kept.
const MOST: usize = 16 << 20;

/// Which calls are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Level {
    #[default]
    Off,
    /// Those that failed, as a whole or for one of their messages.
    Errors,
    /// Those, and this share of the others.
    Sample(f64),
    All,
}

/// What is to be kept, and what from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recording {
    pub level: Level,
    /// So many calls are kept; None: all that the level says.
    pub calls: Option<u64>,
    /// What is kept after them.
    pub afterwards: Level,
}

#[derive(Debug, Default)]
struct State {
    recording: Recording,
    /// How much of a call the sample is behind.
    owed: f64,
    kept: Vec<Exchange>,
    bytes: usize,
    dropped: u64,
}

/// The calls that wait for the caller.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    state: Mutex<State>,
}

impl Journal {
    pub(crate) fn record(&self, recording: Recording) {
        self.lock().recording = recording;
    }

    /// Makes a call, and keeps what is seen of it, if that is asked for.
    pub(crate) async fn watch<T>(
        &self,
        identity: &Identity,
        call: impl Future<Output = T>,
        about: impl FnOnce(&T) -> About,
    ) -> T {
        if self.lock().recording.level == Level::Off {
            return call.await;
        }
        let (output, seen) = Call::watch(call).await;
        let about = about(&output);
        let is_wanted = self.lock().wants(about.went_well());
        if is_wanted {
            self.keep(seen.end(about, identity));
        }
        output
    }

    fn keep(&self, mut exchange: Exchange) {
        let mut state = self.lock();
        let bytes = exchange.size();
        if state.bytes + bytes > MOST {
            state.dropped += 1;
            return;
        }
        exchange.dropped = std::mem::take(&mut state.dropped);
        state.bytes += bytes;
        state.kept.push(exchange);
    }

    pub(crate) fn drain(&self) -> Vec<Exchange> {
        let mut state = self.lock();
        state.bytes = 0;
        std::mem::take(&mut state.kept)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wants(&mut self, went_well: bool) -> bool {
        let is_wanted = match self.recording.level {
            Level::Off => false,
            Level::Errors => !went_well,
            Level::All => true,
            Level::Sample(share) => {
                self.owed += share;
                // Ten times a tenth is a little less than one.
                let is_due = self.owed >= 1.0 - 1e-9;
                if is_due {
                    self.owed -= 1.0;
                }
                is_due || !went_well
            }
        };
        if is_wanted && let Some(left) = &mut self.recording.calls {
            *left = left.saturating_sub(1);
            if *left == 0 {
                let level = self.recording.afterwards;
                self.recording = Recording { level, calls: None, afterwards: level };
            }
        }
        is_wanted
    }
}
