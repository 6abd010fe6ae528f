//! A baseline: the rows of the model are taken as told, and nothing is sent. In the caller's
//! transaction, which keeps runs of the sync from beginning; by the comparison of a run, so that
//! the next run finds what has changed since, and nothing else.
//!
//! It is the way out where somebody has emptied the snapshot, in which no run acknowledges anything:
//! what is in doubt then is given up, and its rows are told by the next run.

use std::cell::Cell;

use message::Event;

use super::diffing;
use super::doubt;
use super::inspect;
use super::owned::Owned;
use crate::catalog;
use crate::changes::tables;
use crate::changes::told::Told;
use crate::pg::error::catching;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::timeline;
use crate::pg::{Result, process};

/// Returns how many rows were not told as they are.
pub fn take(owned: &Owned) -> Result<i64> {
    let sync = &owned.sync;
    let is_emptied = is_emptied(owned)?;
    as_superuser(|| catalog::waiting::distrust(sync.id, timeline()))?;
    let given_up = match is_emptied {
        true => doubt::give_up(owned, None)?,
        false => doubt::check_none(owned).map(|()| 0)?,
    };
    let (definition, inspected) = as_superuser(|| {
        let definition = catalog::definition::load(sync.id, sync.version)?;
        let inspected = inspect::inspect(owned, &definition)??;
        Ok((definition, inspected))
    })?;
    let reading_model = Cell::new(false);
    let found = catching(|| diffing::compare(owned, &definition, &inspected, &reading_model))
        .map_err(
            |error| if reading_model.get() { inspect::explain(owned, error) } else { error },
        )?;
    let counts = found.counts;
    let subject = inspected.subject(&owned.tables, Told::default());
    let (taken, told) = match is_emptied {
        // All that the snapshot has is what was given up.
        true => {
            owned.as_owner(|| subject.adopt_untold(&found))?;
            (counts.untold(), counts.told + counts.untold())
        }
        false => {
            owned.as_owner(|| subject.adopt(&found, &Event::ALL))?;
            let told = counts.told + counts.added - counts.perhaps - counts.removed;
            (counts.of(&Event::ALL, &Event::ALL), told)
        }
    };
    found.close();
    as_superuser(|| {
        catalog::waiting::forget(sync.id)?;
        catalog::rejection::forget_changes(sync.id)?;
        catalog::position::set_told_rows(sync.id, told)?;
        catalog::position::set_initial_done(sync.id)
    })?;
    if given_up > 0 {
        process::notice(format!(
            "{given_up} changes were in doubt, and are given up: the next run tells their rows as the model has them then"
        ));
    }
    Ok(taken)
}

/// Whether somebody has emptied the snapshot.
pub fn is_emptied(owned: &Owned) -> Result<bool> {
    let told_rows = as_superuser(|| catalog::position::told_rows(owned.sync.id))?;
    owned.as_owner(|| tables::is_emptied(&owned.tables, told_rows))
}
