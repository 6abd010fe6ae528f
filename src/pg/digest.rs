//! Digests made without a statement: as an argument of one, what they are made of could be logged.

use pgrx::{FromDatum, IntoDatum, pg_sys};

use super::{Error, Result};

/// SHA-256, as `sha256()` has it.
pub fn sha256(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let argument = bytes.into_datum().ok_or_else(|| Error::internal("a value has no datum"))?;
    let function = pg_sys::Oid::from(pg_sys::F_SHA256);
    // SAFETY: a function of one bytea, which is not null, that returns another.
    let digest = unsafe {
        let datum = pg_sys::OidFunctionCall1Coll(function, pg_sys::InvalidOid, argument);
        Vec::<u8>::from_datum(datum, false)
    };
    digest.ok_or_else(|| Error::internal("a digest is null"))
}
