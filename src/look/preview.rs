//! `sqs_sync_preview`: what is in doubt, what is rejected for its key or was before as it is, and
//! what a run would send.

use super::shown::Shown;
use super::sight::Sight;
use crate::pg::rows::Limit;
use crate::pg::{Result, process};
use crate::run::owned::Owned;

/// Bytes of rows and messages that are shown at once.
const MOST_BYTES: usize = 32 << 20;

/// The first `count` of what a run would do.
pub fn preview(owned: Owned, count: usize) -> Result<Vec<Shown>> {
    let sight = Sight::of(owned)?;
    let mut shown = sight.in_doubt(Limit { rows: count, bytes: MOST_BYTES })?;
    if let Some(left) = left(&shown, count) {
        let found = sight.compare()?;
        shown.extend(sight.unfit(&found, left.rows)?.into_iter().map(Shown::rejected));
        if let Some(left) = self::left(&shown, count) {
            let (_, rejected) = sight.left_alone(&found, left.rows)?;
            shown.extend(rejected.into_iter().map(Shown::rejected));
        }
        if let Some(left) = self::left(&shown, count) {
            shown.extend(sight.changes(&found, left)?);
        }
        found.close();
    }
    if shown.len() < count && bytes(&shown) >= MOST_BYTES {
        process::notice(format!(
            "only {} rows are shown, which fill the memory for them",
            shown.len()
        ));
    }
    Ok(shown)
}

fn bytes(shown: &[Shown]) -> usize {
    shown.iter().map(|shown| shown.cost).sum()
}

/// What there is room for still.
fn left(shown: &[Shown], count: usize) -> Option<Limit> {
    let rows = count.saturating_sub(shown.len());
    let bytes = MOST_BYTES.saturating_sub(bytes(shown));
    (rows > 0 && bytes > 0).then_some(Limit { rows, bytes })
}
