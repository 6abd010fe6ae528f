//! `sqs_sync_check` and `explain`: whether a run can go through, and what it would cost.

use pgrx::iter::TableIterator;
use pgrx::prelude::*;

use super::previews::owned;
use super::syncs::Answer;
use crate::look::{check, explain};
use crate::pg::Error;

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity, reason = "they are the SQL function's columns")]
fn sqs_sync_check(
    name: Option<&str>,
) -> Answer<
    TableIterator<
        'static,
        (
            name!(item, String),
            name!(ok, Option<bool>),
            name!(detail, String),
            name!(hint, Option<String>),
        ),
    >,
> {
    let check = || {
        let items = check::check(owned("sqs_sync_check", name)?)?.into_iter();
        Ok(TableIterator::new(items.map(|item| (item.item, item.ok, item.detail, item.hint))))
    };
    check().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_explain(
    name: Option<&str>,
) -> Answer<TableIterator<'static, (name!(item, String), name!(value, String))>> {
    let explain = || {
        let lines = explain::explain(owned("sqs_sync_explain", name)?)?.into_iter();
        Ok(TableIterator::new(lines.map(|line| (line.item.to_owned(), line.value))))
    };
    explain().map_err(|error: Error| error.into())
}
