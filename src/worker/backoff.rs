//! How long to wait before something that died is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A life this long was a good one: the next wait is the first again.
const GOOD_LIFE: Duration = Duration::from_secs(60);

/// A second at first, then twice as long each time, up to a minute.
#[derive(Clone, Copy, Default)]
pub struct Backoff {
    last: Option<Duration>,
}

impl Backoff {
    /// The wait after a death that ended a life of this length.
    pub fn after(&mut self, life: Duration) -> Duration {
        let next = match self.last {
            Some(last) if life < GOOD_LIFE => (last * 2).min(LONGEST),
            _ => FIRST,
        };
        self.last = Some(next);
        next
    }
}
