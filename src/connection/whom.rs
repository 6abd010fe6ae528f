//! As whom a role comes to a server: its user mapping, as it is told to whoever may change that.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use publisher::{Connection, Mapping};

use crate::changes::columns::quoted;
use crate::changes::model::role_name;
use crate::pg::{Error, Result, rights, sql};

pub struct AsWhom {
    pub connection: Connection,
    pub role_arn: Option<String>,
    pub external_id: Option<String>,
    server: String,
    /// Whom the mapping is for; none: PUBLIC.
    role: Option<Oid>,
    role_name: String,
    /// The server's.
    owner: Oid,
    /// It lends what belongs to the server.
    lends: bool,
}

/// With raised rights, as all that reads mappings.
pub fn as_whom(server: &str, role: Oid) -> Result<AsWhom> {
    let connection = super::of(server, role, "sqs_sync_trust_policy")?;
    let options = super::mapping_options(server, role)?;
    let mapping = Mapping(&options);
    if mapping.is_web_identity() {
        return Err(Error::invalid("a web identity assumes its role by a token, without an external id")
            .hint("The role's trust policy names the token's issuer, audience and subject, as its issuer says."));
    }
    let (is_own, owner) = sql::row(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_user_mapping m WHERE m.umserver = s.oid AND m.umuser = $2), s.srvowner \
         FROM pg_catalog.pg_foreign_server s WHERE s.srvname = $1",
        &[server.into(), role.into()],
        |row| Ok((row.need::<bool>(1)?, row.need::<Oid>(2)?)),
    )?
    .ok_or_else(|| Error::internal("a server is gone"))?;
    Ok(AsWhom {
        connection,
        role_arn: mapping.get("role_arn").map(str::to_owned),
        external_id: mapping.get("external_id").map(str::to_owned),
        server: server.to_owned(),
        role: is_own.then_some(role),
        role_name: if is_own { role_name(role)? } else { "PUBLIC".to_owned() },
        owner,
        lends: mapping.lends().is_some(),
    })
}

impl AsWhom {
    /// As Postgres has it, and of what belongs to the server as we have it.
    pub fn may_change(&self, caller: Oid) -> bool {
        let is_theirs = rights::has_rights_of(caller, self.owner) || self.role == Some(caller);
        rights::is_superuser(caller) || (is_theirs && !self.lends)
    }

    /// Whether a role that comes to the server comes by this mapping.
    pub fn is_for(&self, role: Oid) -> Result<bool> {
        if let Some(own) = self.role {
            return Ok(own == role);
        }
        sql::value(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_catalog.pg_user_mapping m \
             JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver WHERE s.srvname = $1 AND m.umuser = $2)",
            &[self.server.as_str().into(), role.into()],
        )
    }

    /// As SQL names it.
    pub fn mapping(&self) -> String {
        format!("user mapping for {} server {}", self.role_name, quoted(&self.server))
    }

    /// The statement that has it assume a role.
    pub fn assuming(&self, arn: &str, external_id: &str) -> String {
        let set = |option: &str, old: &Option<String>, new: &str| match old {
            Some(old) if old == new => None,
            Some(_) => Some(format!("SET {option} '{new}'")),
            None => Some(format!("ADD {option} '{new}'")),
        };
        let changes = [
            set("role_arn", &self.role_arn, arn),
            set("external_id", &self.external_id, external_id),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        match changes.is_empty() {
            true => "-- It does already.".to_owned(),
            false => format!(
                "ALTER USER MAPPING FOR {} SERVER {}\n  OPTIONS ({});",
                self.role_name,
                quoted(&self.server),
                changes.join(", ")
            ),
        }
    }
}

/// The role of this name.
pub fn role_named(name: &str) -> Result<Oid> {
    sql::row(
        "SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name",
        &[name.into()],
        |row| row.need(1),
    )?
    .ok_or_else(|| {
        Error::new(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("role \"{}\" does not exist", crate::pg::error::shown(name)),
        )
    })
}
