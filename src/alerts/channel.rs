//! The channel that a server and a user mapping make, for one who may use it.

use notifier::Channel;
use pgrx::PgSqlErrorCode;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;

use crate::changes::columns::quoted;
use crate::pg::error::shown;
use crate::pg::{Error, Result, sql};

/// The channel by which an alert of `owner` is told: checks first that he may use it. To be run
/// with raised rights; what is returned is never printed.
pub fn of(server: &str, owner: Oid) -> Result<Channel> {
    check(server, owner)?;
    let of_server = options(
        "SELECT o.option_name, o.option_value \
         FROM pg_catalog.pg_foreign_server s, pg_catalog.pg_options_to_table(s.srvoptions) o \
         WHERE s.srvname = $1",
        &[server.into()],
    )?;
    let of_mapping = options(
        "SELECT o.option_name, o.option_value \
         FROM (SELECT m.umoptions FROM pg_catalog.pg_user_mapping m \
               JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver \
               WHERE s.srvname = $1 AND m.umuser IN (0, $2) ORDER BY m.umuser DESC LIMIT 1) m, \
              pg_catalog.pg_options_to_table(m.umoptions) o",
        &[server.into(), owner.into()],
    )?;
    // Owners are told by themselves: the secret of one does not hold up another.
    let name = format!("{server}/{}", owner.to_u32());
    Channel::new(&name, &of_server, &of_mapping).map_err(|error| {
        let error = Error::from(error);
        Error { message: format!("channel \"{}\": {}", shown(server), error.message), ..error }
    })
}

fn options(statement: &str, arguments: &[DatumWithOid<'_>]) -> Result<Vec<(String, String)>> {
    sql::rows(statement, arguments, |row| Ok((row.need::<String>(1)?, row.need::<String>(2)?)))
}

/// Refuses a server that is not there or no channel, or that `owner` has no USAGE of.
fn check(server: &str, owner: Oid) -> Result<()> {
    let found = sql::row(
        "SELECT w.fdwname = 'sqs_sync_alerts', \
                EXISTS (SELECT 1 FROM pg_catalog.pg_roles r WHERE r.oid = $2) \
                  AND pg_catalog.has_server_privilege($2, s.oid, 'USAGE'), \
                pg_catalog.quote_ident(pg_catalog.pg_get_userbyid($2)) \
         FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
         WHERE s.srvname = $1",
        &[server.into(), owner.into()],
        |row| Ok((row.need::<bool>(1)?, row.need::<bool>(2)?, row.need::<String>(3)?)),
    )?;
    match found {
        None => Err(Error::new(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("server \"{}\" does not exist", shown(server)),
        )
        .hint("Create it by CREATE SERVER … FOREIGN DATA WRAPPER sqs_sync_alerts.")),
        Some((false, ..)) => Err(Error::invalid(format!(
            "server \"{server}\" is not of the foreign data wrapper sqs_sync_alerts"
        ))),
        Some((_, false, owner)) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("permission denied for server \"{server}\""),
        )
        .detail(format!("The alert's owner is {owner}."))
        .hint(format!("Grant it by GRANT USAGE ON FOREIGN SERVER {} TO {owner}.", quoted(server)))),
        Some(_) => Ok(()),
    }
}
