//! A thread of its own for work that waits for the network.
//!
//! The thread and its children are born with every signal blocked: Postgres's signals, SIGURG
//! with its latch wake-ups included, must reach the backend's own thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};

/// How long a destructor waits for its thread.
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// The SDK's calls go deep where nothing is optimized, in builds for tests: two in one another come near
/// the usual two MiB.
const STACK_BYTES: usize = 4 << 20;

/// Runs what `work` makes, on a thread, to its end. A panic ends it early.
///
/// # Errors
///
/// What the system says when it gives no epoll or thread.
pub fn spawn<F: Future<Output = ()>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        let _ = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { work().await })));
        // Not a plain drop: that would wait for a name lookup that hangs.
        runtime.shutdown_background();
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    with_signals_blocked(|| thread.spawn(run))
}

/// Waits for a thread that was told to end, but not for long: a destructor must not hang, and the
/// thread ends by itself.
pub fn leave(thread: JoinHandle<()>) {
    let since = Instant::now();
    while !thread.is_finished() {
        if since.elapsed() >= DROP_LIMIT {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // An error is a panic that was already caught: nothing to add.
    let _ = thread.join();
}

/// A thread inherits the mask of the one that spawns it.
fn with_signals_blocked<T>(spawn: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let spawned = spawn();
    before.thread_set_mask()?;
    spawned
}
