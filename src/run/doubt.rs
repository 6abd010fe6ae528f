//! Changes in doubt that are not to be sent again, since they cannot be, or nobody waits for them
//! where they would go: they are given up, in the caller's transaction, which keeps runs of the sync
//! from beginning. The queue may have been told of them; so the next run tells what the model has
//! of their rows then, by the definition of then. Who has given them up is written down.

use super::owned::{AT_ONCE, Owned, Shape};
use crate::catalog::{claim, forgotten, position, waiting};
use crate::changes::tables;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::timeline;
use crate::pg::{Error, Result};

/// The key of one row.
pub struct OfKey {
    /// Its columns, as a relation `k`.
    pub relation: String,
    /// As rejections have it.
    pub printed: String,
}

/// Gives up all, or those of a key; of a preview they are only counted. Returns how many there are.
pub fn forget(owned: &Owned, of_key: Option<&OfKey>, is_preview: bool) -> Result<i64> {
    as_superuser(|| owned.check_plain())?;
    // What is given up goes to the snapshot, which would not be empty any more.
    let told_rows = as_superuser(|| position::told_rows(owned.sync.id))?;
    owned
        .as_owner(|| tables::check_not_emptied(&owned.tables, told_rows))
        .map_err(|error| error.in_sync(&owned.sync.name))?;
    match is_preview {
        true => count(owned, of_key),
        false => give_up(owned, of_key),
    }
}

fn count(owned: &Owned, of_key: Option<&OfKey>) -> Result<i64> {
    let mut changes = 0;
    each(owned, of_key, |_, in_doubt| {
        changes += in_doubt.len() as i64;
        Ok(())
    })?;
    Ok(changes)
}

/// Gives them up also where the snapshot is empty: that it then has more than these is the caller's
/// to see to.
pub fn give_up(owned: &Owned, of_key: Option<&OfKey>) -> Result<i64> {
    let sync_id = owned.sync.id;
    as_superuser(|| waiting::distrust(sync_id, timeline()))?;
    let (mut changes, mut last) = (0, 0);
    each(owned, of_key, |shape, in_doubt| {
        let more_rows = owned.on_batch(|| shape.change_set(owned).give_up(in_doubt))?;
        changes += in_doubt.len() as i64;
        last = in_doubt.last().copied().unwrap_or(last);
        as_superuser(|| {
            waiting::remove(sync_id, in_doubt)?;
            // They may have been sent until now, and are known to the queue from then on.
            claim::accepted(sync_id, in_doubt)?;
            position::add_told_rows(sync_id, more_rows as i64)
        })
    })?;
    if changes > 0 {
        let printed = of_key.map(|key| key.printed.as_str());
        as_superuser(|| forgotten::record(sync_id, last, changes, printed))?;
    }
    Ok(changes)
}

/// Hands on what is in doubt, some at a time, in the order of change ids.
fn each(
    owned: &Owned,
    of_key: Option<&OfKey>,
    mut hand_on: impl FnMut(&Shape, &[i64]) -> Result<()>,
) -> Result<()> {
    let sync_id = owned.sync.id;
    let (handed_through, shape) =
        as_superuser(|| Ok((position::handed_through(sync_id, timeline())?, Shape::of(owned)?)))?;
    let relation = of_key.map(|key| key.relation.as_str());
    let mut after = 0;
    loop {
        let some = owned.on_batch(|| {
            shape.change_set(owned).ids_between(after, handed_through, relation, AT_ONCE)
        })?;
        let Some(last) = some.last() else { return Ok(()) };
        after = *last;
        hand_on(&shape, &as_superuser(|| waiting::those_in_doubt(sync_id, &some))?)?;
    }
}

/// What may have been sent would be sent again by the next run, whatever is made of the sync before.
pub fn check_none(owned: &Owned) -> Result<()> {
    let handed = as_superuser(|| position::handed_through(owned.sync.id, timeline()))?;
    match owned.last_in_doubt(handed, |step| step())? {
        0 => Ok(()),
        _ => Err(Error::not_in_state("changes are in doubt: they may have been sent")
            .in_sync(&owned.sync.name)
            .hint("The next run sends them again, unchanged. Run the sync first.")),
    }
}
