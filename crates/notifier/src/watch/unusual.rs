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
    let found = counts(run).into_iter().enumerate().filter_map(|(at, (event, rows))| {
        let mut usual: Vec<u64> =
            before.iter().filter_map(|run| Some(counts(run).get(at)?.1)).collect();
        usual.sort_unstable();
        let (low, high) = (*usual.get((usual.len() - 1) / 2)?, *usual.get(usual.len() / 2)?);
        // Twice the median, so that the mean of two is no fraction.
        let median_twice = u128::from(low) + u128::from(high);
        let is_above = u128::from(rows) * 2 > u128::from(TIMES) * median_twice;
        (is_above && rows > NEVER).then_some(Count { event, rows, median: low })
    });
    Some((run, found.collect()))
}

fn counts(run: &Run) -> [(&'static str, u64); 3] {
    [("added", run.added), ("changed", run.changed), ("removed", run.removed)]
}

/// A run that failed with no changes may have failed before it compared.
fn has_compared(run: &Run) -> bool {
    match run.state {
        RunState::Publishing | RunState::Succeeded | RunState::PartlyFailed => true,
        RunState::Failed => counts(run).iter().any(|(_, rows)| *rows > 0),
        _ => false,
    }
}
