//! That there are never two: one worker a database, one runner a sync, whatever started them.
//! Each holds a lock for as long as it lives, on a tag that no SQL function can name.
//!
//! The lock is a session's, and of the method that advisory locks use: a session's lock of
//! the default method goes at each abort. What is left is `pg_advisory_unlock_all()` in a
//! model, which would drop it; so each transaction holds it too, and gives it back to the
//! session at its end.
//!
//! Everything here raises an ERROR when the lock table is full, so call it in a transaction.

use std::cell::Cell;
use std::ffi::c_void;

use pgrx::pg_sys;

const WORKER: u16 = 1;
const RUNNER: u16 = 2;

/// Keeps a second holder away. A look, which takes `LOOK`, does not: else a look just when the
/// holder comes would turn it away.
const MUTEX: u32 = pg_sys::ShareUpdateExclusiveLock;
/// Is what a look runs into.
const PRESENCE: u32 = pg_sys::AccessExclusiveLock;
const LOOK: u32 = pg_sys::AccessShareLock;

thread_local! {
    static HELD: Cell<Option<pg_sys::LOCKTAG>> = const { Cell::new(None) };
}

/// Makes this process the worker of its database; false if there is one.
pub fn try_hold_worker() -> bool {
    try_hold(tag(super::database::current(), pg_sys::InvalidOid.to_u32(), WORKER))
}

/// Makes this process the runner of a sync; false if it has one.
pub fn try_hold_runner(sync_id: i32) -> bool {
    try_hold(tag(super::database::current(), sync_id.cast_unsigned(), RUNNER))
}

pub fn has_worker(database: pg_sys::Oid) -> bool {
    is_held(tag(database, pg_sys::InvalidOid.to_u32(), WORKER))
}

pub fn has_runner(sync_id: i32) -> bool {
    is_held(tag(super::database::current(), sync_id.cast_unsigned(), RUNNER))
}

/// At the start of a transaction: holds what the process holds in the transaction's name too.
pub(super) fn hold_in_transaction() {
    if let Some(tag) = HELD.get() {
        acquire(&tag, MUTEX, Owner::Transaction, Wait::No);
        acquire(&tag, PRESENCE, Owner::Transaction, Wait::No);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Session,
    Transaction,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    No,
    Yes,
}

fn try_hold(tag: pg_sys::LOCKTAG) -> bool {
    if !acquire(&tag, MUTEX, Owner::Session, Wait::No) {
        return false;
    }
    acquire(&tag, PRESENCE, Owner::Session, Wait::Yes);
    if HELD.replace(Some(tag)).is_none() {
        // SAFETY: the callback lives as long as the library, which is never unloaded.
        unsafe { pg_sys::RegisterXactCallback(Some(at_end), std::ptr::null_mut()) };
    }
    true
}

fn is_held(tag: pg_sys::LOCKTAG) -> bool {
    if !acquire(&tag, LOOK, Owner::Session, Wait::No) {
        return true;
    }
    // SAFETY: releases the lock acquired above.
    unsafe { pg_sys::LockRelease(&tag, LOOK as i32, true) };
    false
}

/// A lock that is held already, in whichever name, is only counted: nothing can fail then.
fn acquire(tag: &pg_sys::LOCKTAG, mode: u32, owner: Owner, wait: Wait) -> bool {
    // SAFETY: the tag outlives the call; a transaction's lock is asked for inside one only.
    let result =
        unsafe { pg_sys::LockAcquire(tag, mode as i32, owner == Owner::Session, wait == Wait::No) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}

fn tag(database: pg_sys::Oid, object: u32, what: u16) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        locktag_field1: database.to_u32(),
        locktag_field2: pg_sys::ExtensionRelationId.to_u32(),
        locktag_field3: object,
        locktag_field4: what,
        locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}

/// Runs while the transaction's locks are still held.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn at_end(event: pg_sys::XactEvent::Type, _nothing: *mut c_void) {
    let ends = event == pg_sys::XactEvent::XACT_EVENT_PRE_COMMIT
        || event == pg_sys::XactEvent::XACT_EVENT_ABORT;
    if let (true, Some(tag)) = (ends, HELD.get()) {
        acquire(&tag, MUTEX, Owner::Session, Wait::No);
        acquire(&tag, PRESENCE, Owner::Session, Wait::No);
    }
}
