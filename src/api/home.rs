//! `sqs_sync_take_over`, and why a copy of a database is paused.

use pgrx::prelude::*;

use super::syncs::Answer;
use crate::catalog;
use crate::home;
use crate::pg::commit::{AtCommit, at_commit};
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result, database, process};

/// How long a call waits for another session that is changing a sync.
const PATIENCE: &str = "10s";

#[pg_extern(sql = false)]
fn why_paused() -> Answer<Option<&'static str>> {
    home::why_not().map_err(|error: Error| error.into())
}

#[pg_extern(sql = false)]
fn sqs_sync_take_over(moved: bool) -> Answer<()> {
    take_over(moved).map_err(|error: Error| error.into())
}

/// The database's owner may drop it and make it anew: that its syncs run is his to decide.
fn take_over(moved: bool) -> Result<()> {
    home::check_primary()?;
    if !database::is_ours(database::current()) {
        return Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "must be superuser or owner of the database to take its syncs over",
        ));
    }
    let was_elsewhere = as_superuser(|| {
        rights::set_locally("lock_timeout", PATIENCE)?;
        let Some(why) = home::take_over()? else { return Ok(None) };
        catalog::position::distrust_all()?;
        if !moved {
            catalog::sync::renew_uuids()?;
            catalog::alert::start_anew()?;
            catalog::run::cancel_all("it was the original's, of which this database is a copy")?;
        }
        Ok(Some(why))
    })?;
    match was_elsewhere {
        None => process::notice("the syncs of this database are at home already"),
        Some(why) => {
            process::notice(told(why, moved));
            at_commit(AtCommit::WakeWorker);
        }
    }
    Ok(())
}

fn told(why: &str, moved: bool) -> String {
    let original = match moved {
        true => "The original must not send any more.",
        false => "The original, where there still is one, goes on beside it.",
    };
    format!(
        "the syncs run here from now on ({why}). {original} What the queues were told after this copy was made is not known here: if that may be something, have the consumer start anew, and send all rows again by sqs_sync_resync."
    )
}
