//! What a process has used.

use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;

/// What this process has used of the machine so far.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Usage {
    /// User and system time, of all threads.
    pub cpu_seconds: f64,
    /// The most memory that was resident at once.
    pub peak_rss_kb: i64,
}

impl Usage {
    /// Asks the kernel.
    ///
    /// # Errors
    ///
    /// None that a Linux is known to give.
    pub fn now() -> nix::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let seconds = |time: nix::sys::time::TimeVal| {
            time.tv_sec() as f64 + time.tv_usec() as f64 / 1_000_000.0
        };
        Ok(Self {
            cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
            peak_rss_kb: usage.max_rss(),
        })
    }
}
