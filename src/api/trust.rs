//! `sqs_sync_trust_policy`: what to paste into AWS.

use pgrx::iter::TableIterator;
use pgrx::prelude::*;

use super::syncs::{Answer, required};
use crate::look::check_not_inside;
use crate::look::trust::{self, Wish};
use crate::pg::Error;

#[pg_extern(sql = false)]
fn sqs_sync_trust_policy(
    server: Option<&str>,
    role: Option<&str>,
    queues: Option<&str>,
    account: Option<&str>,
) -> Answer<TableIterator<'static, (name!(step, i32), name!(what, String), name!(paste, String))>> {
    let steps = || {
        check_not_inside("sqs_sync_trust_policy")?;
        let steps =
            trust::steps(&Wish { server: required("server", server)?, role, queues, account })?;
        Ok(TableIterator::new((1..).zip(steps).map(|(step, s)| (step, s.what, s.paste))))
    };
    steps().map_err(|error: Error| error.into())
}
