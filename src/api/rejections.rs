//! `sqs_sync_retry` and `sqs_sync_dismiss`: what becomes of rows that were rejected.

use pgrx::prelude::*;

use super::access::readable_sync;
use super::control::{owned, still};
use super::syncs::{Answer, required};
use crate::catalog::rejection::Meant;
use crate::look::{self, check_not_inside};
use crate::pg::rights::as_superuser;
use crate::pg::{Error, Result};
use crate::run::owned::Owned;

#[pg_extern(sql = false)]
fn sqs_sync_retry(name: Option<&str>, key: Option<&str>, code: Option<&str>) -> Answer<i64> {
    let retry = || {
        check_not_inside("sqs_sync_retry")?;
        let owned = still(required("name", name)?)?;
        of(&owned, key, code, |meant| meant.retry())
    };
    retry().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_dismiss(
    name: Option<&str>,
    key: Option<&str>,
    code: Option<&str>,
    preview: Option<bool>,
) -> Answer<i64> {
    let dismiss = || {
        check_not_inside("sqs_sync_dismiss")?;
        let name = required("name", name)?;
        match required("preview", preview)? {
            true => of(&owned(readable_sync(name)?)?, key, code, |meant| meant.count_open()),
            false => of(&still(name)?, key, code, |meant| meant.dismiss()),
        }
    };
    dismiss().map_err(|error: Error| error.into())
}

fn of(
    owned: &Owned,
    key: Option<&str>,
    code: Option<&str>,
    what: impl FnOnce(&Meant<'_>) -> Result<i64>,
) -> Result<i64> {
    let key = key.map(|key| look::printed_key(owned, key)).transpose()?;
    as_superuser(|| what(&Meant { sync_id: owned.sync.id, key: key.as_deref(), code }))
}
