//! `sqs_sync_alert_create`, `drop`, `silence`, `unsilence` and `test`.

use std::time::Duration;

use notifier::Condition;
use pgrx::PgSqlErrorCode;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::syncs::{Answer, required};
use crate::alerts::{channel, trial};
use crate::catalog;
use crate::catalog::alert::{self, Alert};
use crate::changes::{Tables, tables};
use crate::home;
use crate::look::check_not_inside;
use crate::pg::commit::{AtCommit, at_commit};
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result};

/// How long a call waits for another session that creates an alert of the same name.
const PATIENCE: &str = "10s";
/// What is no absence yet: some times that the worker shows itself.
const SHORTEST_ABSENCE: Duration = Duration::from_secs(15);
/// Longest name of an alert, in bytes, as of other objects of Postgres.
const MAX_NAME_BYTES: usize = 63;

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments, reason = "they are the SQL function's")]
fn sqs_sync_alert_create(
    name: Option<&str>,
    sync: Option<&str>,
    condition: Option<&str>,
    channel: Option<&str>,
    over: Option<&str>,
    within: Option<Interval>,
    remind_every: Option<Interval>,
) -> Answer<()> {
    let create = || {
        let new = alert::New {
            name: check_name(required("name", name)?)?,
            owner: rights::current_user(),
            sync_id: sync.map(watchable).transpose()?,
            condition: required("condition", condition)?,
            over,
            within,
            channel: required("channel", channel)?,
            remind_every: check_positive("remind_every", remind_every)?,
        };
        create(&new)
    };
    create().map_err(ErrorReport::from)
}

fn create(new: &alert::New<'_>) -> Result<()> {
    let within = new.within.map(|within| {
        Duration::from_micros(u64::try_from(within.as_micros().max(0)).unwrap_or(u64::MAX))
    });
    // A limit that is missing is no option of a foreign data wrapper here.
    let condition = Condition::new(new.condition, new.over, within).map_err(|error| Error {
        code: PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        ..Error::from(error)
    })?;
    if matches!(condition, Condition::WorkerDown { within } if within < SHORTEST_ABSENCE) {
        return Err(Error::invalid(
            "\"within\" of condition worker_down is shorter than 15 seconds",
        )
        .hint("The worker shows itself every 5 seconds, and later where there is much to do."));
    }
    let inserted = as_superuser(|| {
        channel::of(new.channel, new.owner)?;
        rights::set_locally("lock_timeout", PATIENCE)?;
        alert::insert(new)
    })?;
    match inserted {
        true => {
            at_commit(AtCommit::WakeWorker);
            Ok(())
        }
        false => Err(Error::new(
            PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT,
            format!("alert \"{}\" already exists", new.name),
        )),
    }
}

/// A sync that the caller may see: as in the views.
fn watchable(name: &str) -> Result<i32> {
    let caller = rights::current_user();
    as_superuser(|| {
        let sync = catalog::sync::by_name(name)?;
        let owner = tables::owner(&Tables::of(sync.id))?;
        match alert::may_see(caller, owner)? {
            true => Ok(sync.id),
            false => Err(Error::new(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("must be owner of sync \"{name}\""),
            )),
        }
    })
}

fn check_name(name: &str) -> Result<&str> {
    match name.len() {
        1..=MAX_NAME_BYTES => Ok(name),
        length => Err(Error::invalid(format!(
            "name has {length} bytes; that of an alert has 1 to {MAX_NAME_BYTES}"
        ))),
    }
}

fn check_positive(option: &str, interval: Option<Interval>) -> Result<Option<Interval>> {
    match interval {
        Some(interval) if interval.as_micros() <= 0 => {
            Err(Error::invalid(format!("{option} is not a time to wait"))
                .hint("Give one such as '1 hour'."))
        }
        interval => Ok(interval),
    }
}

/// The alert of that name, if the caller has its owner's rights; and the sync that it is about.
fn own_alert(name: &str) -> Result<(Alert, Option<String>)> {
    let caller = rights::current_user();
    let (alert, sync) = as_superuser(|| alert::by_name(name))?;
    match rights::has_rights_of(caller, alert.owner) {
        true => Ok((alert, sync)),
        false => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("must be owner of alert \"{}\"", alert.name),
        )),
    }
}

#[pg_extern(sql = false)]
fn sqs_sync_alert_drop(name: &str) -> Answer<()> {
    let drop = || {
        let (alert, _) = own_alert(name)?;
        as_superuser(|| alert::delete(alert.id))
    };
    drop().map_err(ErrorReport::from)
}

#[pg_extern(sql = false)]
fn sqs_sync_alert_silence(name: &str, duration: Interval) -> Answer<TimestampWithTimeZone> {
    let silence = || {
        let (alert, _) = own_alert(name)?;
        let duration = required("duration", check_positive("duration", Some(duration))?)?;
        as_superuser(|| alert::silence(alert.id, duration))
    };
    silence().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_alert_unsilence(name: &str) -> Answer<()> {
    let unsilence = || {
        let (alert, _) = own_alert(name)?;
        as_superuser(|| alert::unsilence(alert.id))?;
        at_commit(AtCommit::WakeWorker);
        Ok(())
    };
    unsilence().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "they are the SQL function's columns")]
fn sqs_sync_alert_test(
    name: &str,
) -> Answer<
    TableIterator<
        'static,
        (
            name!(delivered, bool),
            name!(status, Option<i32>),
            name!(answer, Option<String>),
            name!(hint, Option<String>),
        ),
    >,
> {
    let test = || {
        check_not_inside("sqs_sync_alert_test")?;
        home::check()?;
        let (alert, sync) = own_alert(name)?;
        let outcome = trial::send(&alert, sync)?;
        Ok(TableIterator::once((outcome.delivered, outcome.status, outcome.answer, outcome.hint)))
    };
    test().map_err(|error: Error| error.into())
}
