//! What Postgres knows of types and names.

use std::ffi::{CStr, CString};

use pgrx::pg_sys::{self, Oid};

/// The equality of a type's default btree operator class; none if it has no such class.
pub fn btree_equality(of: Oid) -> Option<Oid> {
    // SAFETY: the type cache looks an existing type up and keeps what it gives.
    unsafe {
        let wanted =
            pg_sys::TYPECACHE_LT_OPR | pg_sys::TYPECACHE_EQ_OPR | pg_sys::TYPECACHE_CMP_PROC;
        let entry = pg_sys::lookup_type_cache(of, wanted as i32);
        let comparable = (*entry).lt_opr != pg_sys::InvalidOid
            && (*entry).cmp_proc != pg_sys::InvalidOid
            && (*entry).eq_opr != pg_sys::InvalidOid;
        comparable.then_some((*entry).eq_opr)
    }
}

/// Splits `a, "B c"` as Postgres does: folds what is not quoted to lower case. None if it is
/// not such a list.
pub fn split_identifiers(list: &str) -> Option<Vec<String>> {
    let list = CString::new(list).ok()?;
    // SAFETY: the function writes into the copy that it is given, and its list points there.
    unsafe {
        let mut names = std::ptr::null_mut();
        if !pg_sys::SplitIdentifierString(pg_sys::pstrdup(list.as_ptr()), b',' as i8, &mut names) {
            return None;
        }
        let length = if names.is_null() { 0 } else { (*names).length };
        (0..length)
            .map(|i| {
                CStr::from_ptr(pg_sys::list_nth(names, i).cast()).to_str().ok().map(str::to_owned)
            })
            .collect()
    }
}

/// The only statement in `text`, if there is exactly one and it is a plain SELECT (or VALUES,
/// or TABLE): none otherwise. A syntax error raises an ERROR.
pub fn single_select(text: &str) -> Option<&str> {
    let source = CString::new(text).ok()?;
    // SAFETY: raw parsing allocates in the current memory context and looks nothing up.
    let (start, length) = unsafe {
        let list = pg_sys::raw_parser(source.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        if list.is_null() || (*list).length != 1 {
            return None;
        }
        let raw = pg_sys::list_nth(list, 0).cast::<pg_sys::RawStmt>();
        let statement = (*raw).stmt;
        if (*statement).type_ != pg_sys::NodeTag::T_SelectStmt {
            return None;
        }
        let select = statement.cast::<pg_sys::SelectStmt>();
        if !(*select).intoClause.is_null() {
            return None;
        }
        ((*raw).stmt_location, (*raw).stmt_len)
    };
    let start = usize::try_from(start).ok()?;
    let rest = text.get(start..)?;
    match length {
        0 => Some(rest),
        length => rest.get(..usize::try_from(length).ok()?),
    }
}

/// Whether `text` is one expression, and nothing that could stand behind or beside one. A syntax
/// error raises an ERROR.
pub fn is_one_expression(text: &str) -> bool {
    let Ok(source) = CString::new(format!("SELECT ({text}\n)")) else { return false };
    // SAFETY: raw parsing allocates in the current memory context and looks nothing up.
    unsafe {
        let list = pg_sys::raw_parser(source.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        if list.is_null() || (*list).length != 1 {
            return false;
        }
        let statement = (*pg_sys::list_nth(list, 0).cast::<pg_sys::RawStmt>()).stmt;
        if (*statement).type_ != pg_sys::NodeTag::T_SelectStmt {
            return false;
        }
        let select = &*statement.cast::<pg_sys::SelectStmt>();
        let clauses = [
            select.distinctClause,
            select.fromClause,
            select.groupClause,
            select.windowClause,
            select.valuesLists,
            select.sortClause,
            select.lockingClause,
        ];
        let parts =
            [select.whereClause, select.havingClause, select.limitOffset, select.limitCount];
        !select.targetList.is_null()
            && (*select.targetList).length == 1
            && clauses.iter().all(|clause| clause.is_null())
            && parts.iter().all(|part| part.is_null())
            && select.intoClause.is_null()
            && select.withClause.is_null()
            && select.op == pg_sys::SetOperation::SETOP_NONE
    }
}

/// Keeps a relation from being dropped or altered until the end of the transaction.
pub fn lock_for_reading(relation: Oid) {
    // SAFETY: takes a lock by oid, in a transaction; the relation need not exist any more.
    unsafe { pg_sys::LockRelationOid(relation, pg_sys::AccessShareLock as i32) };
}
