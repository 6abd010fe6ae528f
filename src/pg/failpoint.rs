//! Places where a test has a process end, as a crash would: each step of a run is one.
//!
//! Only in builds with the feature `failpoints`, which those that are released do not have. The
//! file `sqs_sync.failpoint` in the data directory says where and how: `POINT ACTION COUNT`, and for
//! the action `starve_threads` how many bytes at once threads get no more of. It is removed before the action, so that a process which goes on from there does not meet it again.

/// Ends this process if a test wants it to end here.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub fn reach(_point: &str) {}

/// Whether a test wants threads to get no memory of so many bytes, and this is one.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(super) fn starves_threads(_bytes: usize, _is_thread: impl Fn() -> bool) -> bool {
    false
}

#[cfg(feature = "failpoints")]
pub use wanted::reach;
#[cfg(feature = "failpoints")]
pub(super) use wanted::starves_threads;

#[cfg(feature = "failpoints")]
mod wanted {
    use std::cell::Cell;
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use pgrx::pg_sys;

    /// A process of a server is in its data directory.
    const FILE: &str = "sqs_sync.failpoint";

    unsafe extern "C" {
        fn kill(process: c_int, signal: c_int) -> c_int;
        fn getpid() -> c_int;
    }

    thread_local! {
        static TIMES: Cell<u64> = const { Cell::new(0) };
    }

    pub fn reach(point: &str) {
        let Ok(wish) = std::fs::read_to_string(FILE) else { return };
        let mut words = wish.split_whitespace();
        if words.next() != Some(point) {
            return;
        }
        let (action, count) = (words.next(), words.next().and_then(|count| count.parse().ok()));
        TIMES.set(TIMES.get() + 1);
        if TIMES.get() < count.unwrap_or(1) || std::fs::remove_file(FILE).is_err() {
            return;
        }
        match action {
            Some("exit") => exit(),
            Some("kill") => signal_to(own_pid(), 9),
            Some("stop") => signal_to(postmaster(), pg_sys::SIGQUIT as c_int),
            // No machine has so much.
            Some("starve") => drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 60))),
            Some("starve_threads") => {
                return starve_threads(words.next().and_then(|bytes| bytes.parse().ok()));
            }
            _ => return,
        }
        // A signal to oneself is there at once; the postmaster's comes soon.
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Threads get nothing that is as large.
    static TOO_LARGE: AtomicUsize = AtomicUsize::new(usize::MAX);
    static HAVE_ASKED: AtomicBool = AtomicBool::new(false);

    /// Goes on when a thread has asked for that, or if none does.
    fn starve_threads(bytes: Option<usize>) {
        TOO_LARGE.store(bytes.unwrap_or(0), Ordering::Relaxed);
        let since = Instant::now();
        while !HAVE_ASKED.load(Ordering::Relaxed) && since.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(in crate::pg) fn starves_threads(bytes: usize, is_thread: impl Fn() -> bool) -> bool {
        let is_starved = bytes >= TOO_LARGE.load(Ordering::Relaxed) && is_thread();
        if is_starved {
            HAVE_ASKED.store(true, Ordering::Relaxed);
        }
        is_starved
    }

    fn exit() {
        // SAFETY: what a FATAL error ends with. Nothing of this process runs after it.
        unsafe { pg_sys::proc_exit(1) }
    }

    fn own_pid() -> c_int {
        // SAFETY: asks nothing of its caller.
        unsafe { getpid() }
    }

    fn postmaster() -> c_int {
        // SAFETY: set before this process began, and never again.
        unsafe { pg_sys::PostmasterPid }
    }

    fn signal_to(process: c_int, signal: c_int) {
        // SAFETY: takes two numbers; that it may end this process is what it is for.
        unsafe { kill(process, signal) };
    }
}
