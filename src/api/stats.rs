//! `sqs_sync_stats_reset`, and functions that the views `sqs_sync.stats` and `progress` are made of.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::{self, readable_sync};
use super::syncs::Answer;
use crate::catalog;
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Result, process};

#[pg_extern(sql = false)]
fn sqs_sync_stats_reset(name: Option<&str>) -> Answer<()> {
    reset(name).map_err(ErrorReport::from)
}

fn reset(name: Option<&str>) -> Result<()> {
    let ids = match name {
        Some(name) => vec![readable_sync(name)?.sync.id],
        None => access::own_syncs()?,
    };
    as_superuser(|| ids.into_iter().try_for_each(catalog::tally::reset))
}

/// What a diff that is under way has read, if the caller may see the run.
#[pg_extern(sql = false)]
fn rows_read(run_id: i64) -> Answer<Option<i64>> {
    let caller = rights::current_user();
    as_superuser(|| catalog::run::activity(run_id, caller))
        .map(|activity| activity.as_deref().and_then(process::rows_read))
        .map_err(ErrorReport::from)
}

#[pg_extern(sql = false)]
fn latency_at(latencies: Vec<Option<i64>>, share: f64) -> Option<f64> {
    let calls: Vec<i64> = latencies.into_iter().map(|calls| calls.unwrap_or(0).max(0)).collect();
    publisher::latency_at(&calls, share)
}
