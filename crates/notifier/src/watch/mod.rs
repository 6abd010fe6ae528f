//! When there is something to tell: what a condition is, whether it holds by what is known of a
//! sync, and what of that is news. Pure functions: the caller reads the facts, asks the clock, and
//! keeps each alert's [`Standing`].

mod condition;
mod facts;
mod judge;
mod standing;
#[cfg(test)]
mod tests;
mod unusual;

pub use condition::{Condition, Kind, Over, Severity};
pub use facts::{Facts, HISTORY, PausedQueue, Run, RunState};
pub use judge::{Finding, Verdict, judge};
pub use standing::{Policy, Standing};
