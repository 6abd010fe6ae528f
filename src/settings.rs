//! The extension's settings (GUCs).

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static MAX_RUNNERS: GucSetting<i32> = GucSetting::<i32>::new(2);

/// Runs at once in each database.
pub fn max_runners() -> usize {
    usize::try_from(MAX_RUNNERS.get()).unwrap_or(1)
}

pub fn define() {
    GucRegistry::define_int_guc(
        c"sqs_sync.max_runners",
        c"Sets how many runs go on at once in each database.",
        c"Further runs stay queued. Each run takes one of max_worker_processes. The default is 2.",
        &MAX_RUNNERS,
        1,
        64,
        GucContext::Sighup,
        GucFlags::default(),
    );
    crate::pg::library::reserve_settings();
}
