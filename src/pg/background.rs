//! Our background processes as others see them: started, looked for, woken and ended. They
//! find one another through Postgres's own tables of processes; there is no shared memory of
//! ours that could disagree with them.

use std::collections::HashSet;
use std::ffi::{CStr, c_char, c_int};
use std::time::{Duration, Instant};

use pgrx::{IntoDatum, pg_sys};

use super::{database, process};

unsafe extern "C" {
    fn kill(pid: pg_sys::pid_t, signal: c_int) -> c_int;
}

const LIBRARY: &str = "sqs_sync";

/// What a worker finds as its extra argument when a session started it, not the launcher.
pub const ON_DEMAND: &str = "on demand";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Launcher,
    Worker,
    Runner,
}

impl Kind {
    /// As in pg_stat_activity.backend_type.
    fn name(self) -> &'static str {
        match self {
            Kind::Launcher => "sqs_sync launcher",
            Kind::Worker => "sqs_sync worker",
            Kind::Runner => "sqs_sync runner",
        }
    }

    /// The C function in this library that it runs.
    fn entry(self) -> &'static str {
        match self {
            Kind::Launcher => "sqs_sync_launcher_main",
            Kind::Worker => "sqs_sync_worker_main",
            Kind::Runner => "sqs_sync_runner_main",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Starting,
    Running(i32),
    Stopped,
}

/// A background worker that this process started, and whose start and end wake it.
pub struct Handle(*mut pg_sys::BackgroundWorkerHandle);

impl Handle {
    pub fn status(&self) -> Status {
        let mut pid = 0;
        // SAFETY: the handle is valid for as long as it is not freed, which `drop` does.
        match unsafe { pg_sys::GetBackgroundWorkerPid(self.0, &mut pid) } {
            pg_sys::BgwHandleStatus::BGWH_NOT_YET_STARTED => Status::Starting,
            pg_sys::BgwHandleStatus::BGWH_STARTED => Status::Running(pid),
            _ => Status::Stopped,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: allocated by RegisterDynamicBackgroundWorker in a context that lives on.
        unsafe { pg_sys::pfree(self.0.cast()) };
    }
}

/// Starts a process in a database; None if no slot is free (max_worker_processes).
pub fn start(kind: Kind, database: pg_sys::Oid, extra: &str) -> Option<Handle> {
    let mut handle = std::ptr::null_mut();
    // SAFETY: the description is complete and copied by the call; the handle is allocated in a
    // context that lives as long as the process.
    let registered = unsafe {
        let mut description = describe(kind, database, extra);
        description.bgw_notify_pid = pg_sys::MyProcPid;
        let outer = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
        let registered = pg_sys::RegisterDynamicBackgroundWorker(&mut description, &mut handle);
        pg_sys::MemoryContextSwitchTo(outer);
        registered
    };
    // Not `then_some`: a handle that is null must not come to be, since it would be freed.
    registered.then(|| Handle(handle))
}

/// Starts a worker for this database that nobody waits for; false if no slot is free. Raises
/// no ERROR and allocates nothing, so that it can be called at commit.
pub(super) fn start_on_demand() -> bool {
    let mut description = describe(Kind::Worker, database::current(), ON_DEMAND);
    // SAFETY: the description is complete and copied by the call.
    unsafe { pg_sys::RegisterDynamicBackgroundWorker(&mut description, std::ptr::null_mut()) }
}

/// Has the launcher start with the server, on a standby too. Only while libraries are preloaded.
pub fn register_launcher() {
    let mut description = describe(Kind::Launcher, pg_sys::InvalidOid, "");
    description.bgw_restart_time = 5;
    description.bgw_start_time = pg_sys::BgWorkerStartTime::BgWorkerStart_ConsistentState;
    // SAFETY: called by the postmaster, or by whatever else loads preloaded libraries.
    unsafe { pg_sys::RegisterBackgroundWorker(&mut description) };
}

/// The ids of our processes of a kind in a database (none for the launcher).
pub fn running(kind: Kind, database: pg_sys::Oid) -> Vec<i32> {
    let mut found = Vec::new();
    for_each(kind, database, |pid, _| found.push(pid));
    found
}

/// Sets the latch of our processes of a kind in a database, and returns whether there was one.
pub fn wake(kind: Kind, database: pg_sys::Oid) -> bool {
    let mut woken = false;
    for_each(kind, database, |_, latch| {
        // SAFETY: a latch in shared memory; to set one of a process that just ended is harmless.
        unsafe { pg_sys::SetLatch(latch) };
        woken = true;
    });
    woken
}

/// Has the launcher look again at databases where it found no extension; false if there is none.
pub fn tell_launcher() -> bool {
    let mut told = false;
    for_each(Kind::Launcher, pg_sys::InvalidOid, |pid, _| {
        told = signal(pid, pg_sys::SIGUSR2);
    });
    told
}

/// Cancels what a runner of this database does, if this is one.
pub(super) fn cancel_runner(pid: i32) {
    if is_ours(pid, Kind::Runner, database::current()).is_some() {
        signal(pid, pg_sys::SIGINT);
    }
}

/// Ends our processes in a database and waits until they are gone, but not for ever: a command
/// that they are in the way of then fails as it would have.
pub(super) fn end_all(database: pg_sys::Oid) {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut signalled = Vec::new();
    loop {
        let mut left = running(Kind::Worker, database);
        left.extend(running(Kind::Runner, database));
        if left.is_empty() || Instant::now() > deadline {
            return;
        }
        for pid in left {
            if !signalled.contains(&pid) {
                signal(pid, pg_sys::SIGTERM);
                signalled.push(pid);
            }
        }
        process::sleep_interruptibly(Duration::from_millis(10));
    }
}

fn describe(kind: Kind, database: pg_sys::Oid, extra: &str) -> pg_sys::BackgroundWorker {
    let mut worker = pg_sys::BackgroundWorker {
        bgw_flags: (pg_sys::BGWORKER_SHMEM_ACCESS | pg_sys::BGWORKER_BACKEND_DATABASE_CONNECTION)
            as c_int,
        bgw_start_time: pg_sys::BgWorkerStartTime::BgWorkerStart_RecoveryFinished,
        bgw_restart_time: pg_sys::BGW_NEVER_RESTART,
        bgw_main_arg: database.into_datum().unwrap_or(pg_sys::Datum::null()),
        ..Default::default()
    };
    copy(&mut worker.bgw_name, kind.name());
    copy(&mut worker.bgw_type, kind.name());
    copy(&mut worker.bgw_library_name, LIBRARY);
    copy(&mut worker.bgw_function_name, kind.entry());
    copy(&mut worker.bgw_extra, extra);
    worker
}

/// Copies a text that is shorter than its place, which is all zeroes.
fn copy(place: &mut [c_char], text: &str) {
    for (to, from) in place.iter_mut().zip(text.bytes()) {
        *to = from as c_char;
    }
}

/// Databases that some process is connected to.
pub fn databases_in_use() -> HashSet<pg_sys::Oid> {
    processes().map(|(_, connected)| connected).collect()
}

/// Called at commit too, so nothing here raises an ERROR or, but for `found`, allocates.
fn for_each(kind: Kind, database: pg_sys::Oid, mut found: impl FnMut(i32, *mut pg_sys::Latch)) {
    for (pid, connected) in processes() {
        if connected == database
            && let Some(latch) = is_ours(pid, kind, database)
        {
            found(pid, latch);
        }
    }
}

/// Pid and database of each entry in Postgres's array of processes. They are read without a
/// lock, and may be those of a process that just ended.
fn processes() -> impl Iterator<Item = (i32, pg_sys::Oid)> {
    // SAFETY: the array is in shared memory, and its entries are never freed.
    let (all, count) = unsafe {
        let header = pg_sys::ProcGlobal;
        ((*header).allProcs, (*header).allProcCount as usize)
    };
    (0..count)
        .map(move |index| {
            // SAFETY: within the array; integers that are read whole.
            unsafe {
                let entry = all.add(index);
                let pid = (&raw const (*entry).pid).read_volatile();
                (pid, (&raw const (*entry).databaseId).read_volatile())
            }
        })
        .filter(|(pid, _)| *pid != 0)
}

/// The latch of a process, if it is a live one of this kind in this database.
fn is_ours(pid: i32, kind: Kind, database: pg_sys::Oid) -> Option<*mut pg_sys::Latch> {
    // SAFETY: the name is in a buffer of this process; the entry is in shared memory that is
    // never freed.
    unsafe {
        let name = pg_sys::GetBackgroundWorkerTypeByPid(pid);
        if name.is_null() || CStr::from_ptr(name).to_bytes() != kind.name().as_bytes() {
            return None;
        }
        let entry = pg_sys::BackendPidGetProc(pid);
        (!entry.is_null() && (*entry).databaseId == database).then(|| &raw mut (*entry).procLatch)
    }
}

fn signal(pid: i32, signal: u32) -> bool {
    // SAFETY: a system call without memory.
    unsafe { kill(pid, signal as c_int) == 0 }
}
