//! The extension's settings (GUCs).

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};

static MAX_RUNNERS: GucSetting<i32> = GucSetting::<i32>::new(2);

/// Runs at once in each database.
pub fn max_runners() -> usize {
    usize::try_from(MAX_RUNNERS.get()).unwrap_or(1)
}

static RUN_MAX_AGE: GucSetting<i32> = GucSetting::<i32>::new(90 * 24 * 60);

/// How old a run may become after its end; None: it is kept.
pub fn run_max_minutes() -> Option<i32> {
    Some(RUN_MAX_AGE.get()).filter(|minutes| *minutes >= 0)
}

static LOG_MAX_AGE: GucSetting<i32> = GucSetting::<i32>::new(7 * 24 * 60);
static LOG_MAX_SIZE: GucSetting<i32> = GucSetting::<i32>::new(100);

/// How old a call in the request log may become.
pub fn log_max_minutes() -> i32 {
    LOG_MAX_AGE.get()
}

/// How much a sync's request log may hold.
pub fn log_max_bytes() -> usize {
    usize::try_from(LOG_MAX_SIZE.get()).unwrap_or(1) << 20
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
    GucRegistry::define_int_guc(
        c"sqs_sync.run_max_age",
        c"Sets how long a run is kept after its end.",
        c"Older ones are deleted by the worker of their database, within ten minutes. Of each sync those always stay that have not ended, the latest 30, the last that succeeded, the last that succeeded or failed in part, and the one that filled the change set. -1 keeps all. The unit is minutes. The default is 90 days.",
        &RUN_MAX_AGE,
        -1,
        i32::MAX / 60,
        GucContext::Sighup,
        GucFlags::UNIT_MIN,
    );
    GucRegistry::define_int_guc(
        c"sqs_sync.log_max_age",
        c"Sets how long the request log keeps a call.",
        c"Older ones are deleted when a run of their sync ends. The unit is minutes. The default is 7 days.",
        &LOG_MAX_AGE,
        1,
        i32::MAX / 60,
        GucContext::Sighup,
        GucFlags::UNIT_MIN,
    );
    GucRegistry::define_int_guc(
        c"sqs_sync.log_max_size",
        c"Sets how much the request log keeps of each sync.",
        c"Beyond it the oldest calls are deleted: when a run of the sync ends, and on the way of one that writes much. The unit is megabytes. The default is 100 MB.",
        &LOG_MAX_SIZE,
        1,
        1 << 20,
        GucContext::Sighup,
        GucFlags::UNIT_MB,
    );
    crate::pg::library::reserve_settings();
}
