//! What is done when the current transaction commits, and only then: waking and telling other
//! processes. Nothing is done before others can see what was committed.

use std::cell::RefCell;
use std::ffi::c_void;

use pgrx::{PgSqlErrorCode, pg_sys};

use super::{Error, background, database, process, server};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AtCommit {
    /// Have this database's worker look for runs; with none, have one started.
    WakeWorker,
    /// Have the launcher look at this database.
    WakeLauncher,
    /// Cancel the run that this runner of this database is at.
    Cancel { pid: i32 },
}

struct Transaction {
    registered: bool,
    /// Each with the subtransaction that asked for it.
    actions: Vec<(pg_sys::SubTransactionId, AtCommit)>,
    created_runs: Vec<(pg_sys::SubTransactionId, i64)>,
}

thread_local! {
    static CURRENT: RefCell<Transaction> = const {
        RefCell::new(Transaction { registered: false, actions: Vec::new(), created_runs: Vec::new() })
    };
}

/// Does this when the current transaction commits, unless a subtransaction that asked for it is
/// rolled back.
pub fn at_commit(action: AtCommit) {
    with_current(|current| {
        current.actions.push((current_subtransaction(), action));
    });
}

/// Remembers until the end of the current transaction that it queued this run.
pub fn note_created(run_id: i64) {
    with_current(|current| current.created_runs.push((current_subtransaction(), run_id)));
}

/// Whether the current transaction queued this run, so that nobody else can see it yet.
pub fn created_in_this_transaction(run_id: i64) -> bool {
    CURRENT.with_borrow(|current| current.created_runs.iter().any(|(_, id)| *id == run_id))
}

/// Has this database's worker look for runs now. Without one the launcher is told to start it,
/// and without a launcher it is started from here. A standby has none. Raises no ERROR.
pub fn wake_worker() {
    if server::is_standby() {
        return;
    }
    let reached = background::wake(background::Kind::Worker, database::current())
        || background::tell_launcher();
    if !reached && !background::start_on_demand() {
        let code = PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
        process::log_warning(
            &Error::new(code, "no background worker slot is free: the run stays queued").hint(
                "Raise max_worker_processes. The next call of sqs_sync_run in this database tries again.",
            ),
        );
    }
}

fn with_current(change: impl FnOnce(&mut Transaction)) {
    CURRENT.with_borrow_mut(|current| {
        if !current.registered {
            // SAFETY: the callbacks live as long as the library, which is never unloaded.
            unsafe {
                pg_sys::RegisterXactCallback(Some(at_end), std::ptr::null_mut());
                pg_sys::RegisterSubXactCallback(Some(at_subtransaction_end), std::ptr::null_mut());
            }
            current.registered = true;
        }
        change(current);
    });
}

/// A transaction that is prepared does nothing: the worker's slow poll finds its runs.
///
/// Needs no memory: once a transaction is committed, to want for it would be a PANIC; and one that
/// ends for want of it in the midst of a change here is aborted.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn at_end(event: pg_sys::XactEvent::Type, _nothing: *mut c_void) {
    use pg_sys::XactEvent::*;
    match event {
        XACT_EVENT_COMMIT => {
            let asked_for = forget();
            for (i, (_, action)) in asked_for.iter().enumerate() {
                if asked_for[..i].iter().all(|(_, before)| before != action) {
                    act(*action);
                }
            }
        }
        XACT_EVENT_ABORT | XACT_EVENT_PREPARE => drop(forget()),
        _ => {}
    }
}

fn forget() -> Vec<(pg_sys::SubTransactionId, AtCommit)> {
    CURRENT.with(|current| match current.try_borrow_mut() {
        Ok(mut current) => {
            current.created_runs.clear();
            std::mem::take(&mut current.actions)
        }
        Err(_) => Vec::new(),
    })
}

/// What a subtransaction that is rolled back asked for is not done, nor what those inside it
/// did, whose ids are higher.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn at_subtransaction_end(
    event: pg_sys::SubXactEvent::Type,
    ended: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _nothing: *mut c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        CURRENT.with_borrow_mut(|current| {
            current.actions.retain(|(id, _)| *id < ended);
            current.created_runs.retain(|(id, _)| *id < ended);
        });
    }
}

fn current_subtransaction() -> pg_sys::SubTransactionId {
    // SAFETY: reads a variable of the backend, inside a transaction.
    unsafe { pg_sys::GetCurrentSubTransactionId() }
}

/// The transaction is committed: an ERROR would be a PANIC, so nothing here raises one.
fn act(action: AtCommit) {
    match action {
        AtCommit::WakeWorker => wake_worker(),
        AtCommit::WakeLauncher => {
            background::tell_launcher();
        }
        AtCommit::Cancel { pid } => background::cancel_runner(pid),
    }
}
