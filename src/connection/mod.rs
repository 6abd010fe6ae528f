//! Connections: where SQS is (a foreign server) and as whom we come (a user mapping). Both
//! are Postgres's own objects, so that grants, dumps and renames work as for any foreign
//! data wrapper; what is ours is the meaning of their options.

mod lent;
mod options;
pub mod policies;
mod whom;

use message::AllowedQueues;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use publisher::{Connection, Mapping};

pub use self::lent::check_change;
pub use self::whom::{AsWhom, as_whom, role_named};
use crate::changes::columns::quoted;
use crate::pg::error::shown;
use crate::pg::{Error, Result, database, sql};

/// Refuses a server by which `owner` could not publish: that is not there or not ours, that
/// he has no USAGE of, or that has no user mapping for him.
pub fn check(server: &str, owner: Oid) -> Result<()> {
    let found = sql::row(
        "SELECT w.fdwname = 'sqs_sync', pg_catalog.has_server_privilege($2, s.oid, 'USAGE'), \
                EXISTS (SELECT 1 FROM pg_catalog.pg_user_mapping m WHERE m.umserver = s.oid AND m.umuser IN (0, $2)), \
                pg_catalog.quote_ident(pg_catalog.pg_get_userbyid($2)) \
         FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
         WHERE s.srvname = $1",
        &[server.into(), owner.into()],
        |row| {
            Ok((
                row.need::<bool>(1)?,
                row.need::<bool>(2)?,
                row.need::<bool>(3)?,
                row.need::<String>(4)?,
            ))
        },
    )?;
    match found {
        None => Err(Error::new(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("server \"{}\" does not exist", shown(server)),
        )
        .hint("Create it by CREATE SERVER … FOREIGN DATA WRAPPER sqs_sync.")),
        Some((false, ..)) => Err(Error::invalid(format!(
            "server \"{server}\" is not of the foreign data wrapper sqs_sync"
        ))
        .hint("Name another, or create one by CREATE SERVER … FOREIGN DATA WRAPPER sqs_sync.")),
        Some((_, false, _, owner)) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("permission denied for server \"{server}\""),
        )
        .detail(format!("The role that needs USAGE of it is {owner}."))
        .hint(format!("Grant it by GRANT USAGE ON FOREIGN SERVER {} TO {owner}.", quoted(server)))),
        Some((.., false, owner)) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("user mapping of {owner} for server \"{server}\" does not exist"),
        )
        .hint("Create one for the role, or FOR PUBLIC, by CREATE USER MAPPING.")),
        Some(_) => Ok(()),
    }
}

/// A list of queues that is given as the argument `name`: patterns with commas between them.
pub fn queue_list(name: &str, list: &str) -> Result<AllowedQueues> {
    options::patterns(name, list)
}

/// The queues that a server allows; none: all.
pub fn allowed_queues(server: &str) -> Result<Option<AllowedQueues>> {
    let of_server = server_options(server)?;
    let option = of_server.iter().find(|(name, _)| name == "allowed_queues");
    option.map(|(_, list)| options::allowed_queues(list)).transpose()
}

fn server_options(server: &str) -> Result<Vec<(String, String)>> {
    sql::rows(
        "SELECT o.option_name, o.option_value \
         FROM pg_catalog.pg_foreign_server s, pg_catalog.pg_options_to_table(s.srvoptions) o \
         WHERE s.srvname = $1",
        &[server.into()],
        |row| Ok((row.need::<String>(1)?, row.need::<String>(2)?)),
    )
}

/// What the publisher needs, of a server and its mapping for `owner`; checks first that he
/// may. `purpose`: the sync, or what else it is for, as the account that is entered will see it. To
/// be run with raised rights; what is returned is never printed.
pub fn of(server: &str, owner: Oid, purpose: &str) -> Result<Connection> {
    check(server, owner)?;
    let of_server = server_options(server)?;
    let option = |name: &str| {
        of_server.iter().find(|(option, _)| option == name).map(|(_, value)| value.clone())
    };
    let region = option("region")
        .ok_or_else(|| Error::invalid(format!("server \"{server}\" has no option \"region\"")))?;
    let of_mapping = mapping_options(server, owner)?;
    lent::check(&of_mapping, &format!("the user mapping for server \"{server}\""))?;
    let session_name = publisher::session_name(purpose, &database::name()?);
    Ok(Connection {
        endpoint_url: option("endpoint_url"),
        sts_endpoint_url: option("sts_endpoint_url"),
        identity: Mapping(&of_mapping).identity(&region, session_name)?,
        region,
    })
}

/// The options of the mapping that a role uses: its own, or PUBLIC's.
fn mapping_options(server: &str, role: Oid) -> Result<Vec<(String, String)>> {
    sql::rows(
        "SELECT o.option_name, o.option_value \
         FROM (SELECT m.umoptions FROM pg_catalog.pg_user_mapping m \
               JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver \
               WHERE s.srvname = $1 AND m.umuser IN (0, $2) ORDER BY m.umuser DESC LIMIT 1) m, \
              pg_catalog.pg_options_to_table(m.umoptions) o",
        &[server.into(), role.into()],
        |row| Ok((row.need::<String>(1)?, row.need::<String>(2)?)),
    )
}
