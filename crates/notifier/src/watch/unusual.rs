//! Counts that are far above those of the runs before.

use super::facts::{Run, RunState};

/// How many runs before are compared with.
pub(super) const COMPARED: usize = 20;
/// Fewer say nothing of what is usual.
const FEWEST: usize = 5;
/// How many times the median is unusual.
const TIMES: u64 = 3;
/// So many rows are never unusual.
const NEVER: u64 = 100;

/// A count that is unusual.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) event: &'static str,
    pub(super) rows: u64,
    /// Of the runs compared with; the lower one of two.
    pub(super) median: u64,
}

/// The run whose comparison was the last, and what is unusual of it. `None` when there is no such
/// run, or there are too few before it.
pub(super) fn unusual(runs: &[Run]) -> Option<(&Run, Vec<Count>)> {
    let at = runs.iter().position(has_compared)?;
    let (run, before) = (runs.get(at)?, runs.get(at + 1..)?);
    let before: Vec<&Run> =
        before.iter().filter(|run| run.state.has_gone_through()).take(COMPARED).collect();
    if before.len() < FEWEST {
        return None;
    }
    let counts: [(&'static str, fn(&Run) -> u64); 3] = [
        ("added", |run| run.added),
        ("changed", |run| run.changed),
        ("removed", |run| run.removed),
    ];
    let found = counts.into_iter().filter_map(|(event, count)| {
        let rows = count(run);
        let mut usual: Vec<u64> = before.iter().map(|run| count(run)).collect();
        usual.sort_unstable();
        let (low, high) = (*usual.get((usual.len() - 1) / 2)?, *usual.get(usual.len() / 2)?);
        // Twice the median, so that the mean of two is no fraction.
        let is_above =
            u128::from(rows) * 2 > u128::from(TIMES) * (u128::from(low) + u128::from(high));
        (is_above && rows > NEVER).then_some(Count { event, rows, median: low })
    });
    Some((run, found.collect()))
}

/// A run that failed with no changes may have failed before it compared.
fn has_compared(run: &Run) -> bool {
    match run.state {
        RunState::Publishing | RunState::Succeeded | RunState::PartlyFailed => true,
        RunState::Failed => [run.added, run.changed, run.removed].iter().any(|count| *count > 0),
        _ => false,
    }
}
