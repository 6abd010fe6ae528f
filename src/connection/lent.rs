//! What a superuser lends of the server's own identity, and to which user mapping.
//!
//! The validator refuses such options to others. So that this does not hang on the validator
//! alone, which sees what is set and not what is there, it notes what a superuser has allowed, as a
//! digest of the mapping's options; and a mapping that is used must be as it was noted.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use publisher::Mapping;

use crate::pg::digest::sha256;
use crate::pg::{Error, Result, database, rights, sql};

/// Called for all that a mapping will have: refuses to others what is a superuser's to give, and
/// notes what a superuser gives.
pub fn allow(options: &[(String, String)]) -> Result<()> {
    let Some(option) = Mapping(options).lends() else { return Ok(()) };
    if !rights::is_superuser(rights::current_user()) {
        return Err(superusers_to_give(option));
    }
    // In pg_upgrade the note comes over as it is, and its table may not be there yet.
    if database::is_being_upgraded() {
        return Ok(());
    }
    let digest = sha256(encoded(options))?;
    rights::as_superuser(|| {
        sql::execute(
            "INSERT INTO sqs_sync.lent_identity (digest) VALUES ($1) \
             ON CONFLICT (digest) DO UPDATE SET allowed_by = EXCLUDED.allowed_by, allowed_at = EXCLUDED.allowed_at",
            &[digest.into()],
        )
    })
    .map(|_| ())
}

/// Refuses a mapping that lends what no superuser has allowed, as it is now. With raised rights.
pub fn check(options: &[(String, String)], mapping: &str) -> Result<()> {
    let Some(option) = Mapping(options).lends() else { return Ok(()) };
    let is_allowed: bool = sql::value(
        "SELECT EXISTS (SELECT 1 FROM sqs_sync.lent_identity WHERE digest OPERATOR(pg_catalog.=) $1)",
        &[sha256(encoded(options))?.into()],
    )?;
    match is_allowed {
        true => Ok(()),
        false => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("{mapping} has the option \"{option}\", which no superuser has allowed as it is now"),
        )
        .hint("A superuser allows it by ALTER USER MAPPING … OPTIONS (SET …) of that option, or by creating the mapping again.")),
    }
}

/// Refuses to change or drop a mapping that lends what belongs to the server to who is no
/// superuser. `user`: the mapping's, 0 for PUBLIC.
pub fn check_change(server: &str, user: Oid) -> Result<()> {
    if rights::is_superuser(rights::current_user()) {
        return Ok(());
    }
    let options = rights::as_superuser(|| {
        sql::rows(
            "SELECT o.option_name, o.option_value \
             FROM pg_catalog.pg_user_mapping m \
             JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver \
             JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw, \
                  pg_catalog.pg_options_to_table(m.umoptions) o \
             WHERE w.fdwname = 'sqs_sync' AND s.srvname = $1 AND m.umuser = $2",
            &[server.into(), user.into()],
            |row| Ok((row.need::<String>(1)?, row.need::<String>(2)?)),
        )
    })?;
    Mapping(&options).lends().map_or(Ok(()), |option| Err(superusers_to_give(option)))
}

/// Only for a server that a superuser has so: the error of whoever else says so.
fn superusers_to_give(option: &str) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!(
            "option \"{option}\" is a superuser's to give, and so is a user mapping that has it"
        ),
    )
    .hint("It lends what belongs to the server. Access keys of your own need no superuser.")
}

/// The options in an order of their own, and so that none can pass for another.
fn encoded(options: &[(String, String)]) -> Vec<u8> {
    let mut options: Vec<&(String, String)> = options.iter().collect();
    options.sort();
    let mut bytes = Vec::new();
    for text in options.into_iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}
