//! Transactions of a background worker, with an error boundary: an ERROR or a panic inside
//! becomes a value, the transaction is rolled back, and the process goes on. And the same inside
//! of a session's transaction, which goes on.

use std::panic::AssertUnwindSafe;

use pgrx::pg_sys;
use pgrx::prelude::PgTryBuilder;

use super::rights::{as_superuser, set_locally};
use super::{Error, Result};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    ReadCommitted,
    /// One picture for everything in the transaction, as a diff needs.
    RepeatableRead,
}

/// Runs `work` in a transaction of its own and commits it; rolls back if it fails.
pub fn transaction<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    transaction_at(Isolation::ReadCommitted, work)
}

/// How long the worker, which has runs to start, waits for a lock.
const PATIENCE: &str = "50ms";

/// A short transaction of a worker on our own catalog, that waits for nobody.
pub fn transaction_in_passing<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    transaction(|| {
        as_superuser(|| {
            set_locally("lock_timeout", PATIENCE)?;
            work()
        })
    })
}

pub fn transaction_at<T>(isolation: Isolation, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let whole = AssertUnwindSafe(|| {
        begin(isolation);
        let value = work()?;
        commit();
        Ok(value)
    });
    let result = PgTryBuilder::new(whole)
        .catch_others(|caught| Err(Error::from_caught(caught)))
        .catch_rust_panic(|caught| Err(Error::from_caught(caught)))
        .execute();
    if result.is_err() {
        // SAFETY: ends a transaction in any state, as the main loop of a backend does.
        unsafe { pg_sys::AbortCurrentTransaction() };
    }
    report_idle();
    result
}

/// Runs `work` in a subtransaction, so that an ERROR inside becomes a value and the session's
/// transaction can go on. What `work` has done is kept if it succeeds.
pub fn attempt<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: begun and ended in pairs; memory context and resource owner are those of before
    // afterwards, as PL/pgSQL has it for a block with an exception handler.
    let (memory, resources) = unsafe {
        let before = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(before.0);
        before
    };
    let result = PgTryBuilder::new(AssertUnwindSafe(work))
        .catch_others(|caught| Err(Error::from_caught(caught)))
        .catch_rust_panic(|caught| Err(Error::from_caught(caught)))
        .execute();
    // SAFETY: as above; the subtransaction is the one begun above, since all inside were ended
    // or go with it.
    unsafe {
        match &result {
            Ok(_) => pg_sys::ReleaseCurrentSubTransaction(),
            Err(_) => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
        }
        pg_sys::MemoryContextSwitchTo(memory);
        pg_sys::CurrentResourceOwner = resources;
    }
    result
}

/// Whether the current transaction keeps one snapshot, and so never sees another's commit.
pub fn keeps_its_snapshot() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Runs `work` with a snapshot taken now, so that it sees what was committed meanwhile.
pub fn with_latest_snapshot<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: pushed and popped in pairs; an ERROR inside lets the abort pop it.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    let result = work();
    // SAFETY: the snapshot pushed above is on top again.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}

/// The timeline that WAL is written on: rises at each promotion.
pub fn timeline() -> u32 {
    // SAFETY: reads shared memory. (On a standby there is none: 0.)
    unsafe { pg_sys::GetWALInsertionTimeLine() }
}

/// Makes this transaction's commit wait until it is on disk, whatever the session is set to.
pub fn flush_at_commit() -> Result<()> {
    // SAFETY: reads a variable of the backend.
    let level = unsafe { pg_sys::synchronous_commit };
    let on = pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_REMOTE_FLUSH as i32;
    if level < on { set_locally("synchronous_commit", "on") } else { Ok(()) }
}

/// More cancels of one piece of work than anybody sends: something in it raises them.
const MOST_CANCELS: u32 = 20;

/// Does `work` again if a cancel has rolled it back, and lets the cancel take effect afterwards.
/// (Holding cancels off would hold off the lock timeout too, which comes by the same signal.)
pub fn despite_cancel<T>(work: impl Fn() -> Result<T>) -> Result<T> {
    let mut cancelled = super::process::cancel_requested();
    let mut rounds = 0;
    let result = loop {
        match work() {
            Err(error) if error.is_cancel() && rounds < MOST_CANCELS => cancelled = true,
            result => break result,
        }
        rounds += 1;
    };
    if cancelled {
        super::process::request_cancel();
    }
    result
}

fn begin(isolation: Isolation) {
    // SAFETY: called outside a transaction, on the main thread of a process that is connected.
    unsafe {
        pg_sys::SetCurrentStatementStartTimestamp();
        pg_sys::StartTransactionCommand();
        if isolation == Isolation::RepeatableRead {
            pg_sys::XactIsoLevel = pg_sys::XACT_REPEATABLE_READ as i32;
        }
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, std::ptr::null());
    }
    super::lock::hold_in_transaction();
}

fn commit() {
    // SAFETY: the snapshot pushed in `begin` is on top; the transaction is ours.
    unsafe {
        pg_sys::PopActiveSnapshot();
        pg_sys::CommitTransactionCommand();
    }
}

fn report_idle() {
    // SAFETY: outside a transaction, as these two ask for.
    unsafe {
        pg_sys::pgstat_report_stat(false);
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_IDLE, std::ptr::null());
    }
}
