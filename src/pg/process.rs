//! The life of a process: how a background worker begins, waits, and is told to end; and how
//! interrupts are held off where an ERROR must not be thrown.

use std::cell::RefCell;
use std::ffi::{CStr, c_int, c_long};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

use super::{Error, memory};

// pgrx binds these as guarded Rust functions, which cannot be signal handlers.
unsafe extern "C-unwind" {
    fn die(signal: c_int);
    fn SignalHandlerForConfigReload(signal: c_int);
    fn SetLatch(latch: *mut pg_sys::Latch);
}

static TOLD: AtomicBool = AtomicBool::new(false);

/// Begins a background worker in this database, as the bootstrap superuser, or in none.
/// SIGTERM then ends it at its next check for interrupts, also in the middle of a statement;
/// SIGINT stays what cancels a statement.
pub fn begin(database: Option<pg_sys::Oid>) {
    handle(pg_sys::SIGTERM, die);
    handle(pg_sys::SIGHUP, SignalHandlerForConfigReload);
    let none = pg_sys::InvalidOid;
    // SAFETY: called once, first thing in a background worker that asked for a connection.
    // Without a user the bootstrap superuser is meant, who then need not be able to log in.
    unsafe {
        pg_sys::BackgroundWorkerUnblockSignals();
        match database {
            Some(oid) => pg_sys::BackgroundWorkerInitializeConnectionByOid(oid, none, 0),
            None => {
                let null = std::ptr::null();
                pg_sys::BackgroundWorkerInitializeConnection(null, null, 0);
            }
        }
    }
    if database.is_some() {
        ignore_database_settings();
    }
}

/// What ALTER DATABASE or ALTER ROLE may have set for sessions is not meant for our processes:
/// it would keep them from writing, end them, or change what a transaction sees.
fn ignore_database_settings() {
    const OWN: &[(&CStr, &CStr)] = &[
        (c"default_transaction_read_only", c"off"),
        (c"default_transaction_isolation", c"read committed"),
        (c"default_transaction_deferrable", c"off"),
        (c"session_replication_role", c"origin"),
        (c"idle_in_transaction_session_timeout", c"0"),
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        (c"transaction_timeout", c"0"),
    ];
    for (name, value) in OWN {
        // SAFETY: C strings; outside a transaction, as a server's own settings are made.
        unsafe {
            pg_sys::SetConfigOption(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_SUSET,
                pg_sys::GucSource::PGC_S_OVERRIDE,
            );
        }
    }
}

thread_local! {
    static ACTIVITY: RefCell<Option<String>> = const { RefCell::new(None) };
    static LAST_ACT: std::cell::Cell<Option<fn()>> = const { std::cell::Cell::new(None) };
}

/// Has `act` done when this process ends, whichever way but a kill, or for want of memory. It must
/// not raise an ERROR.
pub fn at_exit(act: fn()) {
    if LAST_ACT.replace(Some(act)).is_none() {
        // SAFETY: registered once; the callback lives as long as the library.
        unsafe { pg_sys::before_shmem_exit(Some(run_last_act), pg_sys::Datum::null()) };
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn run_last_act(_code: c_int, _nothing: pg_sys::Datum) {
    if memory::is_out() {
        memory::leave_threads_alone();
    } else if let Some(act) = LAST_ACT.get() {
        act();
    }
}

/// Lets this process be told something by SIGUSR2: see `was_told`.
pub fn listen() {
    handle(pg_sys::SIGUSR2, note_told);
}

/// Whether the process was told since it was asked last.
pub fn was_told() -> bool {
    TOLD.swap(false, Ordering::Relaxed)
}

/// For a background worker outside a transaction: waits for its latch, for the descriptor to
/// become readable, or for the time to pass, and returns whether the latch was set. Ends the
/// process when the postmaster died or SIGTERM came. A cancel stays pending, see
/// `cancel_requested`. Reads the configuration again when asked to.
pub fn wait(readable: Option<RawFd>, timeout: Duration) -> bool {
    let event = if readable.is_some() { WaitEvent::Answers } else { WaitEvent::Work };
    let woken = wait_latch(readable, timeout, event);
    // SAFETY: the counter is the backend's own; what a check raises while cancels are held is
    // FATAL, which ends the process without coming back here.
    unsafe {
        pg_sys::QueryCancelHoldoffCount += 1;
        check_for_interrupts();
        pg_sys::QueryCancelHoldoffCount -= 1;
        if pg_sys::ConfigReloadPending != 0 {
            pg_sys::ConfigReloadPending = 0;
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
    }
    woken
}

/// For a function that a session calls: waits until the time has passed or something woke the
/// session. A cancel, a timeout or the end of the session is raised.
pub fn sleep_interruptibly(timeout: Duration) {
    wait_latch(None, timeout, WaitEvent::Run);
    check_for_interrupts();
}

/// The same, until the descriptor is readable.
pub fn wait_interruptibly(readable: RawFd, timeout: Duration) {
    wait_latch(Some(readable), timeout, WaitEvent::Answers);
    check_for_interrupts();
}

/// Whether a cancel (`pg_cancel_backend`, `sqs_sync_cancel`) came since this was asked last.
pub fn cancel_requested() -> bool {
    // SAFETY: reads and clears a flag that a signal handler sets; a cancel that comes between
    // the two is one with this one.
    unsafe {
        let requested = pg_sys::QueryCancelPending != 0;
        pg_sys::QueryCancelPending = 0;
        requested
    }
}

/// Whether there is a cancel, or an end of the process, that has not taken effect. To be asked in
/// the middle of long work that knows nothing of Postgres.
pub fn is_interrupted() -> bool {
    // SAFETY: reads flags that signal handlers set.
    unsafe { pg_sys::QueryCancelPending != 0 || pg_sys::ProcDiePending != 0 }
}

/// Has a cancel that was taken back take effect at the next occasion.
pub fn request_cancel() {
    // SAFETY: sets the flags that the signal's handler sets.
    unsafe {
        pg_sys::QueryCancelPending = 1;
        pg_sys::InterruptPending = 1;
    }
}

/// Runs `work` so that no pending interrupt is acted upon inside it. What came stays pending.
pub fn holding_interrupts<T>(work: impl FnOnce() -> T) -> T {
    let _held = Held::new();
    work()
}

/// Writes an error that ends nothing to the log (or to the client, in a session).
pub fn log_warning(error: &Error) {
    report(PgLogLevel::WARNING, ErrorReport::from(error.clone()));
}

/// Tells the client something.
pub fn notice(message: impl Into<String>) {
    let code = PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION;
    report(PgLogLevel::NOTICE, ErrorReport::new(code, message.into(), "sqs_sync"));
}

/// What this process is at, as pg_stat_activity tells it. For a background worker outside a
/// transaction.
pub fn report_activity(what: &str) {
    report_as(pg_sys::BackendState::STATE_IDLE, what);
    ACTIVITY.replace(Some(what.to_owned()));
}

/// Adds to what this process is at how many rows it has read of what runs now. Says nothing for a
/// process that has not told what it is at, such as a session.
pub fn report_rows_read(rows: u64) {
    ACTIVITY.with_borrow(|activity| {
        if let Some(activity) = activity {
            let what = format!("{activity}, {rows}{ROWS_READ}");
            report_as(pg_sys::BackendState::STATE_RUNNING, &what);
        }
    });
}

/// How many rows that text says to have been read.
pub fn rows_read(activity: &str) -> Option<i64> {
    activity.strip_suffix(ROWS_READ)?.rsplit(' ').next()?.parse().ok()
}

const ROWS_READ: &str = " rows read";

fn report_as(state: pg_sys::BackendState::Type, what: &str) {
    if let Ok(what) = std::ffi::CString::new(what) {
        // SAFETY: Postgres copies the text.
        unsafe { pg_sys::pgstat_report_activity(state, what.as_ptr()) };
    }
}

/// Keeps the statement that is running out of the log, where an error would repeat it.
pub fn hide_statement() {
    // SAFETY: Postgres takes null as no statement, and sets it anew for the next one.
    unsafe { pg_sys::debug_query_string = std::ptr::null() };
}

/// Writes a line to the server's log.
pub fn log(message: impl Into<String>) {
    let code = PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION;
    report(PgLogLevel::LOG, ErrorReport::new(code, message.into(), "sqs_sync"));
}

/// A report below ERROR ends with a check for interrupts, which must not leap over our frames.
fn report(level: PgLogLevel, report: ErrorReport) {
    holding_interrupts(|| report.report(level));
}

struct Held;

impl Held {
    fn new() -> Held {
        // SAFETY: the backend's own counter, on its own thread.
        unsafe { pg_sys::InterruptHoldoffCount += 1 };
        Held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: as above. An ERROR inside has set the counter to zero already.
        unsafe {
            pg_sys::InterruptHoldoffCount = pg_sys::InterruptHoldoffCount.saturating_sub(1);
        }
    }
}

/// What is waited for, as pg_stat_activity names it from Postgres 17 on.
#[derive(Clone, Copy)]
enum WaitEvent {
    /// SQS's answers.
    Answers,
    /// Something to do.
    Work,
    /// A run that a session waits for.
    Run,
}

impl WaitEvent {
    /// Before 17 there is one for all extensions.
    #[cfg(not(any(feature = "pg17", feature = "pg18")))]
    fn number(self) -> u32 {
        pg_sys::PG_WAIT_EXTENSION
    }

    #[cfg(any(feature = "pg17", feature = "pg18"))]
    fn number(self) -> u32 {
        thread_local! {
            static NUMBERS: std::cell::Cell<[u32; 3]> = const { std::cell::Cell::new([0; 3]) };
        }
        let name = match self {
            WaitEvent::Answers => c"SqsSyncAnswers",
            WaitEvent::Work => c"SqsSyncWork",
            WaitEvent::Run => c"SqsSyncRun",
        };
        let mut numbers = NUMBERS.get();
        let number = &mut numbers[self as usize];
        if *number == 0 {
            // SAFETY: copies the name, and gives the same number for it in every process.
            *number = unsafe { pg_sys::WaitEventExtensionNew(name.as_ptr()) };
        }
        let number = *number;
        NUMBERS.set(numbers);
        number
    }
}

fn wait_latch(readable: Option<RawFd>, timeout: Duration, event: WaitEvent) -> bool {
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    if readable.is_some() {
        events |= pg_sys::WL_SOCKET_READABLE;
    }
    let milliseconds = timeout.as_millis().min(i32::MAX as u128) as c_long;
    // SAFETY: waits on the latch of this process, and on a descriptor that the caller has open.
    unsafe {
        let happened = pg_sys::WaitLatchOrSocket(
            pg_sys::MyLatch,
            events as c_int,
            readable.unwrap_or(-1),
            milliseconds,
            event.number(),
        ) as u32;
        let woken = happened & pg_sys::WL_LATCH_SET != 0;
        if woken {
            pg_sys::ResetLatch(pg_sys::MyLatch);
        }
        woken
    }
}

fn check_for_interrupts() {
    // SAFETY: an ERROR raised by this unwinds from here as from any call into Postgres.
    unsafe {
        if pg_sys::InterruptPending != 0 {
            pg_sys::ProcessInterrupts();
        }
    }
}

fn handle(signal: u32, handler: unsafe extern "C-unwind" fn(c_int)) {
    // SAFETY: installs a handler that does only what a signal handler may do.
    #[cfg(not(feature = "pg18"))]
    unsafe {
        pg_sys::pqsignal(signal as c_int, Some(handler));
    }
    // SAFETY: as above.
    #[cfg(feature = "pg18")]
    unsafe {
        pg_sys::pqsignal_be(signal as c_int, Some(handler));
    }
}

unsafe extern "C-unwind" fn note_told(_: c_int) {
    TOLD.store(true, Ordering::Relaxed);
    // SAFETY: Postgres's own, unguarded, and safe in a signal handler; MyLatch always points
    // to a latch. It signals this process at most, which leaves errno alone.
    unsafe { SetLatch(pg_sys::MyLatch) };
}
