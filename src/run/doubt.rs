//! Changes in doubt that are not to be sent again, since they cannot be, or nobody waits for them
//! where they would go: they are given up, in the caller's transaction, which keeps runs of the sync
//! from beginning. The queue may have been told of them; so the next run tells what the model has
//! of their rows then, by the definition of then.

use super::owned::{AT_ONCE, Owned, Shape};
use crate::catalog::{claim, position, waiting};
use crate::changes::tables;
use crate::pg::Result;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::timeline;

/// Gives up all, or those of the key in a relation `k`; of a preview they are only counted. Returns
/// how many there are.
pub fn forget(owned: &Owned, of_key: Option<&str>, is_preview: bool) -> Result<i64> {
    let sync_id = owned.sync.id;
    let (handed_through, told_rows, shape) = as_superuser(|| {
        owned.check_plain()?;
        if !is_preview {
            waiting::distrust(sync_id, timeline())?;
        }
        let handed_through = position::handed_through(sync_id, timeline())?;
        Ok((handed_through, position::told_rows(sync_id)?, Shape::of(owned)?))
    })?;
    // What is given up goes to the snapshot, which would not be empty any more.
    owned
        .as_owner(|| tables::check_not_emptied(&owned.tables, told_rows))
        .map_err(|error| error.in_sync(&owned.sync.name))?;
    let set = shape.change_set(owned);
    let (mut after, mut forgotten) = (0, 0);
    loop {
        let some = owned.on_batch(|| set.ids_between(after, handed_through, of_key, AT_ONCE))?;
        let Some(last) = some.last() else { return Ok(forgotten) };
        after = *last;
        let in_doubt = as_superuser(|| waiting::those_in_doubt(sync_id, &some))?;
        forgotten += in_doubt.len() as i64;
        if !is_preview {
            let more_rows = owned.on_batch(|| set.give_up(&in_doubt))?;
            as_superuser(|| {
                waiting::remove(sync_id, &in_doubt)?;
                // They may have been sent until now, and are known to the queue from then on.
                claim::accepted(sync_id, &in_doubt)?;
                position::add_told_rows(sync_id, more_rows as i64)
            })?;
        }
    }
}
