//! Medians.

use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 7;
const ROWS: u32 = 100_000;

/// The median of seven rounds, after one for warming up.
///
/// # Errors
///
/// The first that `make` has.
pub(crate) fn us_a_row<T, E>(mut make: impl FnMut() -> Result<T, E>) -> Result<f64, E> {
    let mut round = || -> Result<f64, E> {
        let begin = Instant::now();
        for _ in 0..ROWS {
            black_box(make()?);
        }
        Ok(begin.elapsed().as_secs_f64() * 1e6 / f64::from(ROWS))
    };
    round()?;
    let mut rounds = (0..ROUNDS).map(|_| round()).collect::<Result<Vec<_>, E>>()?;
    rounds.sort_by(f64::total_cmp);
    Ok(rounds[ROUNDS / 2])
}
