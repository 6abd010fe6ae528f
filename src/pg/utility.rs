//! Gets our processes out of the way of commands that need a database, or the extension, to
//! itself: a connected worker would have them wait, and fail after five seconds. And has changes of
//! user mappings approved before they are made.

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgList, PgLogLevel, pg_sys};

use super::version::EXTENSION;
use super::{Result, background, database, rights};

/// Refuses the change of a user mapping of this server and role, 0 for PUBLIC.
type Approve = fn(&str, pg_sys::Oid) -> Result<()>;

static APPROVE: OnceLock<Approve> = OnceLock::new();
static PREVIOUS: OnceLock<pg_sys::ProcessUtility_hook_type> = OnceLock::new();

/// Watches commands from here on. Called when the library is loaded.
pub fn watch(approve: Approve) {
    // SAFETY: the hook is the backend's own variable; `before` lives as long as the library.
    let previous = unsafe { pg_sys::ProcessUtility_hook };
    if PREVIOUS.set(previous).is_ok() && APPROVE.set(approve).is_ok() {
        // SAFETY: as above.
        unsafe { pg_sys::ProcessUtility_hook = Some(before) };
    }
}

#[pgrx::pg_guard]
#[allow(clippy::too_many_arguments)] // Postgres's signature
unsafe extern "C-unwind" fn before(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    params: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: Postgres hands a statement, and the rest as the next in line takes it.
    unsafe {
        if let Some((server, user)) = changed_mapping((*statement).utilityStmt)
            && let Some(Err(error)) = APPROVE.get().map(|approve| approve(&server, user))
        {
            ErrorReport::from(error).report(PgLogLevel::ERROR);
        }
        if let Some(database) = in_the_way((*statement).utilityStmt) {
            background::end_all(database);
        }
        match PREVIOUS.get().copied().flatten() {
            // A raw pointer: an ERROR must become a panic before it meets our frames.
            Some(next) => pg_sys::ffi::pg_guard_ffi_boundary(|| {
                next(
                    statement,
                    text,
                    read_only_tree,
                    context,
                    params,
                    environment,
                    receiver,
                    completion,
                )
            }),
            None => pg_sys::standard_ProcessUtility(
                statement,
                text,
                read_only_tree,
                context,
                params,
                environment,
                receiver,
                completion,
            ),
        }
    }
}

/// The server and the role of the user mapping that the statement would change or drop. None for
/// any other statement, and for a role that does not exist: Postgres says so.
///
/// # Safety
/// The statement is a valid node, or null.
unsafe fn changed_mapping(statement: *mut pg_sys::Node) -> Option<(String, pg_sys::Oid)> {
    // SAFETY: the tag says which struct a node is; both have a role and the name of a server.
    let (role, server) = unsafe {
        match statement.as_ref()?.type_ {
            pg_sys::NodeTag::T_AlterUserMappingStmt => {
                let alter = &*statement.cast::<pg_sys::AlterUserMappingStmt>();
                (alter.user, alter.servername)
            }
            pg_sys::NodeTag::T_DropUserMappingStmt => {
                let drop = &*statement.cast::<pg_sys::DropUserMappingStmt>();
                (drop.user, drop.servername)
            }
            _ => return None,
        }
    };
    // SAFETY: parts of a parse tree, of which the name is a C string; the lookup is in a
    // transaction, and told that the role may be missing.
    unsafe {
        let is_public = (*role).roletype == pg_sys::RoleSpecType::ROLESPEC_PUBLIC;
        let user = match is_public {
            true => pg_sys::InvalidOid,
            false => Some(pg_sys::get_rolespec_oid(role, true))
                .filter(|user| *user != pg_sys::InvalidOid)?,
        };
        Some((CStr::from_ptr(server).to_str().ok()?.to_owned(), user))
    }
}

/// The database whose processes of ours the statement cannot have around. None if the user may
/// not do this to it: then nothing of ours ends, and Postgres says no.
///
/// # Safety
/// The statement is a valid node, or null.
unsafe fn in_the_way(statement: *mut pg_sys::Node) -> Option<pg_sys::Oid> {
    // SAFETY: the tag says which struct a node is.
    let name = unsafe {
        match statement.as_ref()?.type_ {
            pg_sys::NodeTag::T_DropStmt => {
                let drops_us = drops_extension(&*statement.cast::<pg_sys::DropStmt>());
                return drops_us.then(database::current);
            }
            pg_sys::NodeTag::T_AlterExtensionStmt => {
                let update = &*statement.cast::<pg_sys::AlterExtensionStmt>();
                let is_ours = CStr::from_ptr(update.extname) == EXTENSION;
                return (is_ours && rights::owns_extension()).then(database::current);
            }
            pg_sys::NodeTag::T_DropdbStmt => (*statement.cast::<pg_sys::DropdbStmt>()).dbname,
            pg_sys::NodeTag::T_RenameStmt => {
                let rename = &*statement.cast::<pg_sys::RenameStmt>();
                if rename.renameType != pg_sys::ObjectType::OBJECT_DATABASE {
                    return None;
                }
                rename.subname
            }
            pg_sys::NodeTag::T_AlterDatabaseStmt => {
                let alter = &*statement.cast::<pg_sys::AlterDatabaseStmt>();
                option(alter.options, c"tablespace")?;
                alter.dbname
            }
            pg_sys::NodeTag::T_CreatedbStmt => {
                let create = &*statement.cast::<pg_sys::CreatedbStmt>();
                match option(create.options, c"template") {
                    Some(template) if !(*template).arg.is_null() => pg_sys::defGetString(template),
                    _ => c"template1".as_ptr().cast_mut(),
                }
            }
            _ => return None,
        }
    };
    if name.is_null() {
        return None;
    }
    // SAFETY: names in a parse tree are C strings.
    let database = database::named(unsafe { CStr::from_ptr(name) })?;
    (database != database::current() && database::is_ours(database)).then_some(database)
}

/// # Safety
/// A valid list of DefElem, as the options of a statement are.
unsafe fn option(options: *mut pg_sys::List, name: &CStr) -> Option<*mut pg_sys::DefElem> {
    // SAFETY: as promised by the caller; an option always has a name.
    unsafe {
        PgList::<pg_sys::DefElem>::from_pg(options)
            .iter_ptr()
            .find(|&option| CStr::from_ptr((*option).defname) == name)
    }
}

/// # Safety
/// A valid statement.
unsafe fn drops_extension(statement: &pg_sys::DropStmt) -> bool {
    if statement.removeType != pg_sys::ObjectType::OBJECT_EXTENSION {
        return false;
    }
    // SAFETY: a DROP EXTENSION lists names.
    let named = unsafe {
        PgList::<pg_sys::String>::from_pg(statement.objects)
            .iter_ptr()
            .any(|name| CStr::from_ptr((*name).sval) == EXTENSION)
    };
    named && rights::owns_extension()
}
