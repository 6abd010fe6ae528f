//! `sqs_sync_resync`, `sqs_sync_baseline` and `sqs_sync_forget_doubt`: what a queue is told again,
//! what it is taken to have been told, and what nobody knows of it and is not to be settled.

use message::Event;
use pgrx::prelude::*;

use super::access::{Own, own_sync, readable_sync};
use super::syncs::{Answer, required};
use crate::catalog::{self, Sync};
use crate::changes::layout::AsOwner;
use crate::changes::resync::Meant;
use crate::look::{self, check_not_inside};
use crate::pg::rights::{self, as_superuser};
use crate::pg::transaction::with_latest_snapshot;
use crate::pg::{Error, Result};
use crate::run::owned::{Owned, Shape};
use crate::run::{baseline, doubt};

/// How long a call waits for another session that has the sync locked.
const PATIENCE: &str = "10s";

#[pg_extern(sql = false)]
fn sqs_sync_resync(
    name: Option<&str>,
    condition: Option<&str>,
    preview: Option<bool>,
) -> Answer<i64> {
    let resync = || {
        check_not_inside("sqs_sync_resync")?;
        let name = required("name", name)?;
        match required("preview", preview)? {
            true => resync(&owned(readable_sync(name)?)?, condition, true),
            false => resync(&still(name)?, condition, false),
        }
    };
    resync().map_err(|error: Error| error.into())
}

fn resync(owned: &Owned, condition: Option<&str>, is_preview: bool) -> Result<i64> {
    let sync = &owned.sync;
    let (definition, shape) = as_superuser(|| {
        owned.check_plain()?;
        Ok((catalog::definition::load(sync.id, sync.version)?, Shape::of(owned)?))
    })?;
    if !definition.published().contains(&Event::Changed) {
        return Err(Error::not_in_state(format!(
            "sync \"{}\" publishes no changed rows, as which rows are told again",
            sync.name
        ))
        .hint("Publish them by sqs_sync_on, at least for the next run."));
    }
    let meant =
        Meant { tables: &owned.tables, columns: &shape.columns, key: &shape.key, condition };
    let resync = |owner: &AsOwner<'_>| {
        if is_preview {
            return meant.count(owner);
        }
        let marked = meant.mark(owner)?;
        try_rejected_again(sync.id, &meant, owner)?;
        Ok(marked)
    };
    owned.reading_model(resync).map_err(|error| error.in_sync(&sync.name))
}

/// Else the next run would leave alone what a resync has asked for.
fn try_rejected_again(sync_id: i32, meant: &Meant<'_>, owner: &AsOwner<'_>) -> Result<()> {
    let left_alone = as_superuser(|| catalog::rejection::changed_and_left_alone(sync_id))?;
    if left_alone.rows() > 0 {
        let these = meant.of_rejected(owner, &left_alone)?;
        as_superuser(|| catalog::rejection::try_again(&these))?;
        these.close();
    }
    left_alone.close();
    Ok(())
}

#[pg_extern(sql = false)]
fn sqs_sync_baseline(name: Option<&str>, preview: Option<bool>) -> Answer<i64> {
    let baseline = || {
        check_not_inside("sqs_sync_baseline")?;
        let name = required("name", name)?;
        match required("preview", preview)? {
            true => look::untold(owned(readable_sync(name)?)?),
            false => {
                let owned = still(name)?;
                as_superuser(|| owned.check_plain())?;
                baseline::take(&owned)
            }
        }
    };
    baseline().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_forget_doubt(
    name: Option<&str>,
    key: Option<&str>,
    preview: Option<bool>,
) -> Answer<i64> {
    let forget = || {
        check_not_inside("sqs_sync_forget_doubt")?;
        let name = required("name", name)?;
        let is_preview = required("preview", preview)?;
        let owned = if is_preview { owned(readable_sync(name)?)? } else { still(name)? };
        let of_key = key.map(|key| look::key_of_doubt(&owned, key)).transpose()?;
        doubt::forget(&owned, of_key.as_ref(), is_preview)
    };
    forget().map_err(|error: Error| error.into())
}

pub(super) fn owned(own: Own) -> Result<Owned> {
    let owner = own.owner()?;
    Ok(Owned { sync: own.sync, tables: own.tables, owner })
}

/// A sync of which no run is under way, nor begins before the end of the transaction.
pub(super) fn still(name: &str) -> Result<Owned> {
    let own = own_sync(name)?;
    keep_still(&own.sync)?;
    owned(own)
}

fn keep_still(sync: &Sync) -> Result<()> {
    as_superuser(|| {
        rights::set_locally("lock_timeout", PATIENCE)?;
        catalog::sync::keep_still(sync.id)?;
        with_latest_snapshot(|| match catalog::run::active(sync.id)? {
            None => Ok(()),
            Some(run) => Err(Error::new(
                PgSqlErrorCode::ERRCODE_OBJECT_IN_USE,
                format!("run {} of sync \"{}\" is under way", run.id, sync.name),
            )
            .hint(format!(
                "Wait for it by sqs_sync_wait({0}), or cancel it by sqs_sync_cancel({0}).",
                run.id
            ))),
        })
    })
}
