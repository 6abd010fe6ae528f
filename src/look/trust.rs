//! `sqs_sync_trust_policy`: what to do so that a connection comes in a role of the account that
//! has the queues. Each step is a sentence and a text to paste.

use std::time::Duration;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use publisher::{Caller, arn_of, partition_of};

use super::asking;
use crate::catalog;
use crate::changes::Tables;
use crate::changes::tables;
use crate::connection::{self, AsWhom, policies};
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result, sql};
use crate::run::error_of;

/// How long STS may take to say who comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the role is called until it is there.
const ROLE_NAME: &str = "sqs-sync";

/// One thing to do.
pub struct Step {
    pub what: String,
    pub paste: String,
}

/// What is asked for.
pub struct Wish<'a> {
    pub server: &'a str,
    /// Whose user mapping; none: the caller's.
    pub role: Option<&'a str>,
    /// Names of queues, in which `*` stands for anything; none: those that syncs use.
    pub queues: Option<&'a str>,
    /// The account that has the queues.
    pub account: Option<&'a str>,
}

pub fn steps(wish: &Wish<'_>) -> Result<Vec<Step>> {
    let caller = rights::current_user();
    let role = match wish.role {
        Some(name) => connection::role_named(name)?,
        None => caller,
    };
    let as_whom = as_superuser(|| {
        let as_whom = connection::as_whom(wish.server, role)?;
        match as_whom.may_change(caller) {
            true => Ok(as_whom),
            false => Err(Error::new(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("permission denied for {}", as_whom.mapping()),
            )
            .hint("Ask who may change it: a superuser, the server's owner, or the role that it is for, if it lends nothing of the server's.")),
        }
    })?;
    let (known_account, queues) = (account(wish, &as_whom)?, queues(wish, &as_whom, caller)?);
    let asked = publisher::caller(as_whom.connection.clone(), PATIENCE);
    let principal = asking::answer(asked)?.map_err(|failure| error_of(&failure))?;
    let account = known_account.unwrap_or(&principal.account);
    let queues = arns(queues, &as_whom.connection.region, account);
    let external_id = match &as_whom.external_id {
        Some(id) => id.clone(),
        None => sql::value("SELECT pg_catalog.gen_random_uuid()::pg_catalog.text", &[])?,
    };
    Ok(written(&as_whom, &principal, account, &queues, &external_id))
}

fn written(
    as_whom: &AsWhom,
    caller: &Caller,
    account: &str,
    queues: &[String],
    external_id: &str,
) -> Vec<Step> {
    let partition = partition_of(&as_whom.connection.region);
    let (principal, mapping) = (principal(&caller.arn), as_whom.mapping());
    let role = as_whom.role_arn.clone();
    let role = role.unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role/{ROLE_NAME}"));
    let (_, name) = role.rsplit_once('/').unwrap_or(("", ROLE_NAME));
    let id = match &as_whom.external_id {
        Some(_) => "The external id, which the user mapping has already:",
        None => {
            "The external id, made for this connection; it is another one each time until the user mapping has it:"
        }
    };
    let step = |what: String, paste: String| Step { what, paste };
    vec![
        step(format!("Who will assume the role, with the keys of {mapping}:"), principal.clone()),
        step(id.to_owned(), external_id.to_owned()),
        step(
            format!("In account {account}, create the role {name} with this trust policy:"),
            policies::trust(&principal, external_id),
        ),
        step(
            format!("Give the role {name} this permissions policy:"),
            policies::permissions(queues),
        ),
        step(
            format!("In account {}, allow {principal} to assume it:", caller.account),
            policies::assumption(&role),
        ),
        step(
            "In this database, have the user mapping assume it:".to_owned(),
            as_whom.assuming(&role, external_id),
        ),
    ]
}

/// As a trust policy names it: a session in a role by the role, which outlives it.
fn principal(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", partition, "sts", "", account, session] => {
            match session.split('/').collect::<Vec<_>>()[..] {
                ["assumed-role", role, _] => format!("arn:{partition}:iam::{account}:role/{role}"),
                _ => arn.to_owned(),
            }
        }
        _ => arn.to_owned(),
    }
}

/// What is given, or what the role says. Of neither, it is the account of who comes.
fn account<'a>(wish: &Wish<'a>, as_whom: &'a AsWhom) -> Result<Option<&'a str>> {
    let of_role = as_whom.role_arn.as_deref().and_then(|arn| arn.split(':').nth(4));
    let account = wish.account.or(of_role);
    match account.is_none_or(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())) {
        true => Ok(account),
        false => {
            Err(Error::invalid("account is not the number of an AWS account")
                .hint("It has 12 digits."))
        }
    }
}

/// The queues that messages go to: names, in which `*` stands for anything, and ARNs.
fn queues(wish: &Wish<'_>, as_whom: &AsWhom, caller: Oid) -> Result<Vec<String>> {
    if let Some(queues) = wish.queues {
        return connection::queue_list("queues", queues).map(|list| list.patterns().to_vec());
    }
    let region = as_whom.connection.region.as_str();
    let used = as_superuser(|| used(wish.server, as_whom, caller))?;
    let queues: Vec<String> = used
        .iter()
        .map(|queue| match queue.split_once('{') {
            _ if queue.starts_with("arn:") => queue.clone(),
            _ if queue.contains("://") => arn_of(queue, region).unwrap_or_else(|| "*".to_owned()),
            Some((beginning, _)) => format!("{beginning}*"),
            None => queue.clone(),
        })
        .collect();
    if !queues.is_empty() {
        return Ok(queues);
    }
    let allowed = as_superuser(|| connection::allowed_queues(wish.server))?;
    allowed.map(|list| list.patterns().to_vec()).ok_or_else(|| {
        Error::invalid(format!("no sync uses server \"{}\" yet", wish.server))
            .hint("Say which queues will be sent to: queues => 'orders, customers-*'.")
    })
}

/// As a permissions policy names them.
fn arns(queues: Vec<String>, region: &str, account: &str) -> Vec<String> {
    let partition = partition_of(region);
    let mut arns: Vec<String> = queues
        .into_iter()
        .map(|queue| match queue.starts_with("arn:") {
            true => queue,
            false => format!("arn:{partition}:sqs:{region}:{account}:{queue}"),
        })
        .collect();
    arns.sort();
    arns.dedup();
    arns
}

/// What the syncs that use this mapping call their queues, as far as the caller may see them.
fn used(server: &str, as_whom: &AsWhom, caller: Oid) -> Result<Vec<String>> {
    let mut used = Vec::new();
    for (sync_id, version) in catalog::definition::of_server(server)? {
        let Some(owner) = tables::owner(&Tables::of(sync_id))? else { continue };
        if as_whom.is_for(owner)? && rights::has_rights_of(caller, owner) {
            let definition = catalog::definition::load(sync_id, version)?;
            used.extend(definition.queues().map(str::to_owned));
        }
    }
    Ok(used)
}
