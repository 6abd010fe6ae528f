//! `make fuzz`: arbitrary templates and rows, for as long as `FUZZ_SECONDS` says (60). What must hold
//! of each is in `tests/common/trial.rs`; what does not is told with the seed, and
//! `FUZZ_SEED=… FUZZ_RUNS=1` tries that one alone. Without a seed it begins somewhere else each time.

#![allow(clippy::print_stdout, reason = "what it is for")]

#[path = "../tests/common/generate.rs"]
mod generate;
#[path = "../tests/common/trial.rs"]
mod trial;

use std::env;
use std::error::Error;
use std::panic::catch_unwind;
use std::thread;
use std::time::{Duration, Instant};

use trial::{End, trial};

/// Far less than a backend of Postgres has.
const STACK_BYTES: usize = 1024 * 1024;

/// How often it is told how far it has come: of an abort, the seeds among which it was.
const RUNS_A_LINE: u64 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = number("FUZZ_SECONDS")?.unwrap_or(60);
    let runs = number("FUZZ_RUNS")?.unwrap_or(u64::MAX);
    let first = number("FUZZ_SEED")?.unwrap_or_else(|| fastrand::u64(..u64::from(u32::MAX)) << 20);
    println!("seeds from {first}");
    let fuzz = move || fuzz(first, runs, Duration::from_secs(seconds));
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(fuzz)?;
    match thread.join() {
        Ok(None) => Ok(()),
        Ok(Some(seed)) => Err(format!("FUZZ_SEED={seed} FUZZ_RUNS=1 shows it again").into()),
        Err(_) => Err("the thread panicked".into()),
    }
}

fn number(name: &str) -> Result<Option<u64>, Box<dyn Error>> {
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| format!("{name} is no number").into()),
        Err(_) => Ok(None),
    }
}

/// The first seed with which something does not hold.
fn fuzz(first: u64, runs: u64, time: Duration) -> Option<u64> {
    let begun = Instant::now();
    let (mut refused, mut rejected, mut rendered) = (0u64, 0u64, 0u64);
    let mut slowest = (Duration::ZERO, first);
    for run in 0..runs {
        if begun.elapsed() >= time {
            break;
        }
        let seed = first.wrapping_add(run);
        let started = Instant::now();
        match catch_unwind(|| trial(seed)) {
            Ok(End::Refused) => refused += 1,
            Ok(End::Rejected) => rejected += 1,
            Ok(End::Rendered) => rendered += 1,
            Err(_) => return Some(seed),
        }
        slowest = slowest.max((started.elapsed(), seed));
        if (run + 1) % RUNS_A_LINE == 0 {
            println!("up to {seed}");
        }
    }
    println!(
        "{} templates: {refused} refused, {rejected} rows rejected, {rendered} rendered twice; \
         the slowest took {:?} (seed {})",
        refused + rejected + rendered,
        slowest.0,
        slowest.1
    );
    None
}
