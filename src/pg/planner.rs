//! How the diff's join is planned: as a merge join, always.
//!
//! The receiver of the diff finds duplicate keys by comparing neighbours, so equal keys must
//! come out side by side. A merge join promises that and a hash join does not; asking for it
//! by `enable_hashjoin` would slow the joins inside the model down. So the planner's hook for
//! the order of joins turns hash joins off around the one join of the diff: the model, being
//! an ordered subquery, has been planned before.

use std::cell::Cell;
use std::ffi::{CStr, c_int};

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::{Error, Result};

/// The alias by which the hook knows the diff's join.
pub const MODEL_ALIAS: &str = "sqs_sync_model";

thread_local! {
    static PLANNED_AS_MERGE: Cell<bool> = const { Cell::new(false) };
    static OUTER_HOOK: Cell<pg_sys::join_search_hook_type> = const { Cell::new(None) };
    static INSTALLED: Cell<bool> = const { Cell::new(false) };
}

/// Runs the diff, and makes sure that it was planned as promised.
pub fn as_merge_join<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    install();
    PLANNED_AS_MERGE.set(false);
    let result = work()?;
    if !PLANNED_AS_MERGE.get() {
        return Err(Error::internal("the diff was not planned as a merge join"));
    }
    Ok(result)
}

fn install() {
    if !INSTALLED.replace(true) {
        // SAFETY: hooks are plain variables of this process, set on its only Postgres thread.
        unsafe {
            OUTER_HOOK.set(pg_sys::join_search_hook);
            pg_sys::join_search_hook = Some(search_joins);
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn search_joins(
    root: *mut pg_sys::PlannerInfo,
    levels: c_int,
    relations: *mut pg_sys::List,
) -> *mut pg_sys::RelOptInfo {
    // SAFETY: called by the planner with a root of its own.
    unsafe {
        if !is_the_diff(root) {
            return next(root, levels, relations);
        }
        let joined = {
            let _chosen = MergeJoins::choose();
            next(root, levels, relations)
        };
        let best = (*joined).cheapest_total_path;
        PLANNED_AS_MERGE.set(!best.is_null() && (*best).type_ == pg_sys::NodeTag::T_MergePath);
        joined
    }
}

/// The planner's settings while the diff's join is planned, whatever the database has. They are
/// given back on every way out, an ERROR included.
struct MergeJoins {
    hash: bool,
    merge: bool,
    sort: bool,
}

impl MergeJoins {
    fn choose() -> MergeJoins {
        // SAFETY: the planner reads these variables on this thread only.
        unsafe {
            let before = MergeJoins {
                hash: pg_sys::enable_hashjoin,
                merge: pg_sys::enable_mergejoin,
                sort: pg_sys::enable_sort,
            };
            pg_sys::enable_hashjoin = false;
            pg_sys::enable_mergejoin = true;
            pg_sys::enable_sort = true;
            before
        }
    }
}

impl Drop for MergeJoins {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe {
            pg_sys::enable_hashjoin = self.hash;
            pg_sys::enable_mergejoin = self.merge;
            pg_sys::enable_sort = self.sort;
        }
    }
}

/// # Safety
/// As `search_joins`.
unsafe fn next(
    root: *mut pg_sys::PlannerInfo,
    levels: c_int,
    relations: *mut pg_sys::List,
) -> *mut pg_sys::RelOptInfo {
    // SAFETY: passes on what the planner gave.
    unsafe {
        match OUTER_HOOK.get() {
            // A raw pointer: an ERROR must become a panic before it meets our frames.
            Some(hook) => pg_sys::ffi::pg_guard_ffi_boundary(|| hook(root, levels, relations)),
            None => pg_sys::standard_join_search(root, levels, relations),
        }
    }
}

/// # Safety
/// `root` is the planner's.
unsafe fn is_the_diff(root: *mut pg_sys::PlannerInfo) -> bool {
    // SAFETY: a query's range table holds range table entries.
    unsafe {
        let table = (*(*root).parse).rtable;
        if (*root).query_level != 1 || table.is_null() || (*table).length < 1 {
            return false;
        }
        let first = pg_sys::list_nth(table, 0).cast::<pg_sys::RangeTblEntry>();
        let alias = (*first).alias;
        !alias.is_null() && CStr::from_ptr((*alias).aliasname).to_bytes() == MODEL_ALIAS.as_bytes()
    }
}
