//! A baseline: the rows of the model are taken as told, and nothing is sent. In the caller's
//! transaction, which keeps runs of the sync from beginning; by the comparison of a run, so that
//! the next run finds what has changed since, and nothing else.

use std::cell::Cell;

use message::Event;

use super::diffing;
use super::inspect;
use super::owned::Owned;
use crate::catalog;
use crate::changes::told::Told;
use crate::pg::error::catching;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::timeline;
use crate::pg::{Error, Result};

/// Returns how many rows were not told as they are.
pub fn take(owned: &Owned) -> Result<i64> {
    let sync = &owned.sync;
    check_nothing_in_doubt(owned)?;
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
    let taken = counts.of(&Event::ALL, &Event::ALL);
    let subject = inspected.subject(&owned.tables, Told::default());
    owned.as_owner(|| subject.adopt(&found, &Event::ALL))?;
    found.close();
    as_superuser(|| {
        catalog::waiting::forget(sync.id)?;
        catalog::rejection::forget_changes(sync.id)?;
        catalog::position::set_told_rows(sync.id, counts.told + counts.added - counts.removed)?;
        catalog::position::set_initial_done(sync.id)
    })?;
    Ok(taken)
}

/// What may have been sent would be sent again by the next run, and the snapshot then be what it
/// says.
pub fn check_nothing_in_doubt(owned: &Owned) -> Result<()> {
    let handed = as_superuser(|| catalog::position::handed_through(owned.sync.id, timeline()))?;
    match owned.last_in_doubt(handed, |step| step())? {
        0 => Ok(()),
        _ => Err(Error::not_in_state("changes are in doubt: they may have been sent")
            .in_sync(&owned.sync.name)
            .hint("The next run sends them again, unchanged. Run the sync first.")),
    }
}
