//! `sqs_sync_report`: the page.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::syncs::{Answer, check_encoding};
use crate::{catalog, overview};

#[pg_extern(sql = false)]
fn sqs_sync_report(name: Option<&str>) -> Answer<String> {
    let report = || {
        check_encoding()?;
        let report = overview::read(name)?;
        match (name, report.syncs.is_empty()) {
            // One that the caller may not see is told of as one that is not there.
            (Some(name), true) => Err(catalog::sync::does_not_exist(name)),
            _ => Ok(report::page(&report)),
        }
    };
    report().map_err(ErrorReport::from)
}
