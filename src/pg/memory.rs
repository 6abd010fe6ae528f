//! Rust's memory, where the system gives no more of it: by `vm.overcommit_memory = 2`, or a limit.
//!
//! Rust then aborts, and for a process that aborts Postgres restarts all others. So the process ends
//! here, as by any FATAL error: the server and its sessions go on, and so does a run, in another
//! process. (It cannot be an ERROR: an allocator must not unwind.)
//!
//! A thread of ours may call nothing of Postgres's. It has the process's own thread end it. That one
//! may be waiting for what this one has locked, so that it goes on meanwhile, with a [`Reserve`], and
//! stands still when that is used up.

mod reserve;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_char, c_int};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pgrx::{PgSqlErrorCode, pg_sys};

use super::failpoint;
use reserve::Reserve;

// Guarded, as pgrx binds them, they could not be called where there is no memory.
unsafe extern "C-unwind" {
    fn errstart(level: c_int, domain: *const c_char) -> bool;
    fn errcode(code: c_int) -> c_int;
    fn errmsg(format: *const c_char, ...) -> c_int;
    fn errdetail(format: *const c_char, ...) -> c_int;
    fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
    fn on_proc_exit(act: unsafe extern "C-unwind" fn(c_int, pg_sys::Datum), nothing: pg_sys::Datum);
}

/// How long a thread waits for the process's own to begin to end.
const PATIENCE: Duration = Duration::from_secs(10);

static IS_OUT: AtomicBool = AtomicBool::new(false);

/// Whether this process ends for want of memory. Then it waits for no thread.
pub(super) fn is_out() -> bool {
    IS_OUT.load(Ordering::Relaxed)
}

/// For threads that find no more.
static RESERVE: Reserve = Reserve::new();

#[global_allocator]
static MEMORY: Memory = Memory;

struct Memory;

// SAFETY: it is the system's allocator. What that does not give is of the reserve, which is told from
// it wherever memory comes back, or null, as the trait has it.
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_refused(layout.size()) {
            return end(layout);
        }
        // SAFETY: as the caller promises.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { end(layout) } else { memory }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_refused(layout.size()) {
            return end(layout);
        }
        // SAFETY: as the caller promises.
        let memory = unsafe { System.alloc_zeroed(layout) };
        // The reserve is all zeroes.
        if memory.is_null() { end(layout) } else { memory }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_refused(size) && !RESERVE.has(memory) {
            // SAFETY: as the caller promises.
            let moved = unsafe { System.realloc(memory, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: as the caller promises.
        unsafe { self.moved(memory, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if !RESERVE.has(memory) {
            // SAFETY: as the caller promises.
            unsafe { System.dealloc(memory, layout) }
        }
    }
}

impl Memory {
    /// # Safety
    /// That of `realloc`.
    #[cold]
    unsafe fn moved(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that there is such a layout, and that the old one was given.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(memory, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            moved
        }
    }
}

/// Whether a test wants threads to get no more, and this is one.
#[inline]
fn is_refused(bytes: usize) -> bool {
    failpoint::starves_threads(bytes, || !is_own_thread())
}

fn is_own_thread() -> bool {
    // SAFETY: system calls without memory.
    unsafe { libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) }
}

/// Comes back on a thread for which there is a reserve, or, with null, where the process cannot be
/// ended in order: then it is aborted.
#[cold]
fn end(layout: Layout) -> *mut u8 {
    if is_own_thread() {
        end_here(layout.size());
        return null_mut();
    }
    have_it_ended();
    let reserved = RESERVE.take(layout);
    if reserved.is_null() {
        await_end();
    }
    reserved
}

fn end_here(size: usize) {
    // SAFETY: reads variables of the process.
    let is_ordinary = unsafe {
        pg_sys::IsUnderPostmaster && !pg_sys::proc_exit_inprogress && pg_sys::CritSectionCount == 0
    };
    if !is_ordinary {
        return;
    }
    IS_OUT.store(true, Ordering::Relaxed);
    // SAFETY: on the process's own thread, with texts that live for ever. A FATAL error ends the
    // process, and unwinds nothing; its report has memory that Postgres has set aside.
    unsafe {
        leave_threads_alone();
        if errstart(pg_sys::FATAL as c_int, std::ptr::null()) {
            errcode(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as c_int);
            errmsg(c"out of memory".as_ptr());
            errdetail(c"Failed on request of size %zu by sqs_sync.".as_ptr(), size);
            errfinish(c"memory.rs".as_ptr(), 0, c"end_here".as_ptr());
        }
    }
}

/// Has the process end without `exit`, which waits for threads, once all has been given back.
pub(super) fn leave_threads_alone() {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    if !IS_SAID.swap(true, Ordering::Relaxed) {
        // SAFETY: on the process's own thread; the callback lives as long as the library.
        unsafe { on_proc_exit(end_at_once, pg_sys::Datum::null()) };
    }
}

/// When all has been given back: a thread may be at work, and nothing that `exit` takes down may go
/// from under it.
unsafe extern "C-unwind" fn end_at_once(code: c_int, _nothing: pg_sys::Datum) {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}

fn have_it_ended() {
    const WORDS: &[u8] = b"sqs_sync: out of memory on a thread: this process ends\n";
    if IS_OUT.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: system calls with memory that lives for ever. All signals are blocked on threads of
    // ours, so that this one comes to the process's own.
    unsafe {
        libc::write(libc::STDERR_FILENO, WORDS.as_ptr().cast(), WORDS.len());
        libc::kill(libc::getpid(), libc::SIGTERM);
    }
}

fn await_end() {
    std::thread::sleep(PATIENCE);
    // It may take long to give back all that a diff had.
    // SAFETY: reads a variable of the process, which only ever becomes true.
    while unsafe { std::ptr::read_volatile(&raw const pg_sys::proc_exit_inprogress) } {
        std::thread::sleep(PATIENCE);
    }
}
