//! `make fuzz`: whatever can be written or held, tried at what reads it, each target for as many
//! seconds of a processor as `FUZZ_SECONDS` says (60). What does not hold is told with the seed, and
//! `FUZZ_SEED=… FUZZ_RUNS=1` with the target's name tries that one alone. Without a seed it begins
//! somewhere else each time; without a name it tries all targets.

#![allow(clippy::print_stdout, reason = "what it is for")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "what does not hold must be told")]

mod attributes;
mod channels;
mod connections;
#[path = "../../crates/message/tests/common/generate.rs"]
mod generate;
#[path = "../../crates/message/tests/common/legal.rs"]
mod legal;
mod queues;
mod spoil;
#[path = "../../crates/message/tests/common/trial.rs"]
mod trial;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::panic::catch_unwind;
use std::thread;
use std::time::Duration;

use trial::{End, cpu_time};

/// Tries what a seed makes, and says in a word how it ended.
///
/// # Panics
///
/// If something does not hold.
type Trial = fn(u64) -> &'static str;

const TARGETS: [(&str, Trial); 5] = [
    ("templates", template),
    ("attributes", attributes::trial),
    ("queues", queues::trial),
    ("channels", channels::trial),
    ("connections", connections::trial),
];

/// Far less than a backend of Postgres has.
const STACK_BYTES: usize = 1024 * 1024;

/// How often it is told how far it has come: of an abort, the seeds among which it was.
const RUNS_A_LINE: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = number("FUZZ_SECONDS")?.unwrap_or(60);
    let runs = number("FUZZ_RUNS")?.unwrap_or(u64::MAX);
    let first = number("FUZZ_SEED")?.unwrap_or_else(|| fastrand::u64(..u64::from(u32::MAX)) << 20);
    let chosen: Vec<String> = env::args().skip(1).collect();
    if let Some(name) = chosen.iter().find(|name| TARGETS.iter().all(|(it, _)| it != name)) {
        let names = TARGETS.map(|(name, _)| name).join(", ");
        return Err(format!("there is no target {name:?}: {names}").into());
    }
    for (name, trial) in TARGETS {
        if !chosen.is_empty() && !chosen.iter().any(|it| it == name) {
            continue;
        }
        println!("{name}: seeds from {first}");
        let fuzz = move || fuzz(name, trial, first, runs, Duration::from_secs(seconds));
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(fuzz)?;
        if let Some(seed) = thread.join().map_err(|_| "the thread panicked")? {
            let again = format!("FUZZ_SEED={seed} FUZZ_RUNS=1, and the argument {name}");
            return Err(format!("{again}, show it again").into());
        }
    }
    Ok(())
}

fn number(name: &str) -> Result<Option<u64>, Box<dyn Error>> {
    match env::var(name) {
        Ok(text) => text.parse().map(Some).map_err(|_| format!("{name} is no number").into()),
        Err(_) => Ok(None),
    }
}

/// The first seed with which something does not hold.
fn fuzz(name: &str, trial: Trial, first: u64, runs: u64, time: Duration) -> Option<u64> {
    let begun = cpu_time();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, first);
    for run in 0..runs {
        let started = cpu_time();
        if started.saturating_sub(begun) >= time {
            break;
        }
        let seed = first.wrapping_add(run);
        let Ok(end) = catch_unwind(|| trial(seed)) else { return Some(seed) };
        *ends.entry(end).or_default() += 1;
        slowest = slowest.max((cpu_time().saturating_sub(started), seed));
        if (run + 1) % RUNS_A_LINE == 0 {
            println!("{name}: up to {seed}");
        }
    }
    let counts: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
    println!(
        "{name}: {} tried, {}; the slowest took {:?} (seed {})",
        ends.values().sum::<u64>(),
        counts.join(", "),
        slowest.0,
        slowest.1
    );
    None
}

fn template(seed: u64) -> &'static str {
    match trial::trial(seed) {
        End::Refused => "refused",
        End::Rejected => "rejected",
        End::Rendered => "rendered twice",
    }
}
