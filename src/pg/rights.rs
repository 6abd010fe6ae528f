//! Whose rights are in force. A model, and whatever touches its owner's objects, runs as the
//! owner in a security-restricted operation; our own catalog is written with raised rights
//! around that statement only. Either way the search_path is pinned, and settings made inside
//! are rolled back at the end, so that nothing set by a user's function outlives it.

use std::ffi::{CStr, CString};

use pgrx::pg_sys;

use super::version::EXTENSION;
use super::{Error, Result};

/// The one superuser that always exists: owner of what the extension makes.
const BOOTSTRAP_SUPERUSER: u32 = 10;

/// What each internal statement finds unqualified names by.
pub const SAFE_SEARCH_PATH: &str = "pg_catalog, pg_temp";

/// Runs `work` as superuser, for a statement of ours on our own catalog.
pub fn as_superuser<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let raised = pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32;
    switched(pg_sys::Oid::from(BOOTSTRAP_SUPERUSER), raised, &[], work)
}

/// Runs `work` as the owner of a sync, with row-level security in force and these settings.
pub fn as_owner<T>(
    owner: pg_sys::Oid,
    settings: &[(&str, &str)],
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let restricted =
        (pg_sys::SECURITY_RESTRICTED_OPERATION | pg_sys::SECURITY_LOCAL_USERID_CHANGE) as i32;
    switched(owner, restricted, settings, work)
}

/// Runs `work` with the rights that are in force, for statements of ours that read what whoever
/// calls may read.
pub fn as_caller<T>(settings: &[(&str, &str)], work: impl FnOnce() -> Result<T>) -> Result<T> {
    switched(current_user(), 0, settings, work)
}

/// The role whose rights are in force now.
pub fn current_user() -> pg_sys::Oid {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetUserId() }
}

/// Whether `member` has the rights of `role` (as a member of it, or as superuser).
pub fn has_rights_of(member: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a catalog lookup inside a transaction; the oids need not exist.
    unsafe { pg_sys::has_privs_of_role(member, role) }
}

pub fn is_superuser(role: pg_sys::Oid) -> bool {
    // SAFETY: a catalog lookup inside a transaction.
    unsafe { pg_sys::superuser_arg(role) }
}

/// Whether the current user may drop our extension, in a database that has it.
pub(super) fn owns_extension() -> bool {
    let user = current_user();
    // SAFETY: catalog lookups inside a transaction; the extension's oid is checked first.
    unsafe {
        let extension = pg_sys::get_extension_oid(EXTENSION.as_ptr(), true);
        if extension == pg_sys::InvalidOid {
            return false;
        }
        #[cfg(feature = "pg15")]
        let owns = pg_sys::pg_extension_ownercheck(extension, user);
        #[cfg(not(feature = "pg15"))]
        let owns = pg_sys::object_ownercheck(pg_sys::ExtensionRelationId, extension, user);
        owns
    }
}

/// Whether a model, or other code of somebody's, is running in a security-restricted operation.
pub fn is_restricted() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::InSecurityRestrictedOperation() }
}

/// Changes a setting until the end of the current nest level of settings.
pub fn set_locally(name: &str, value: &str) -> Result<()> {
    let name = c_string(name)?;
    let value = c_string(value)?;
    set_config(&name, &value);
    Ok(())
}

/// Makes the text of values the same whatever the session's settings, until the end of the
/// current nest level of settings.
pub fn pin_output() {
    for (name, value) in super::hash::OUTPUT_SETTINGS {
        set_config(name, value);
    }
}

pub(super) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::internal("a text holds a zero byte"))
}

pub(super) fn set_config(name: &CStr, value: &CStr) {
    // SAFETY: both are C strings that outlive the call; an unfit value raises an ERROR.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_SUSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}

/// An ERROR inside leaves through unwinding: the abort of the (sub)transaction then restores
/// user and settings, as Postgres does for a SECURITY DEFINER function.
fn switched<T>(
    user: pg_sys::Oid,
    context: i32,
    settings: &[(&str, &str)],
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut outer_user = pg_sys::InvalidOid;
    let mut outer_context = 0;
    // SAFETY: reads and writes of the backend's own state, in a transaction.
    let nest = unsafe {
        pg_sys::GetUserIdAndSecContext(&mut outer_user, &mut outer_context);
        let nest = pg_sys::NewGUCNestLevel();
        pg_sys::SetUserIdAndSecContext(user, outer_context | context);
        nest
    };
    let result = pinned(settings).and_then(|()| work());
    // SAFETY: gives back what was taken above, in reverse order.
    unsafe {
        pg_sys::AtEOXact_GUC(false, nest);
        pg_sys::SetUserIdAndSecContext(outer_user, outer_context);
    }
    result
}

fn pinned(settings: &[(&str, &str)]) -> Result<()> {
    set_config(c"search_path", &c_string(SAFE_SEARCH_PATH)?);
    set_config(c"row_security", c"on");
    // Else foreign keys of our catalog would not hold in a session that is set to replica.
    if is_superuser(current_user()) {
        set_config(c"session_replication_role", c"origin");
    }
    settings.iter().try_for_each(|(name, value)| set_locally(name, value))
}
