//! `bare-loop`: what aws-sdk-sqs can send from this machine, with nothing around it.
//!
//! Bodies that were made before the clock starts, in batches of ten, with so many requests in
//! flight: no database, no rendering, no retry, nothing remembered. It is the ceiling for the
//! extension's publishing, so its client is configured as the extension's.
//!
//! It prints one line of JSON. `messages` are those that were accepted, `failures` those that were
//! not; the first failure is told on standard error.

#![forbid(unsafe_code)]

mod bodies;
mod client;
mod sending;

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use lexopt::prelude::*;
use serde_json::json;
use sink::Usage;
use tokio::runtime::{Builder, Runtime};

use crate::sending::Work;

/// As many as a run of the extension has.
const DEFAULT_IN_FLIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127);

struct Options {
    endpoint: String,
    queue_url: String,
    messages: usize,
    bytes: usize,
    in_flight: NonZeroUsize,
    threads: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = parse()?;
    let batches = bodies::batches(options.messages, options.bytes)?;
    let runtime = runtime(options.threads)?;
    let client = client::to(&options.endpoint);
    let work = Arc::new(Work::new(client, options.queue_url, batches));

    let before = Usage::now()?;
    let begin = Instant::now();
    let done = runtime.block_on(sending::send_all(work, options.in_flight.get()))?;
    let seconds = begin.elapsed().as_secs_f64();
    let after = Usage::now()?;

    if let Some(failure) = &done.first_failure {
        writeln!(io::stderr(), "the first of {} failures: {failure}", done.failures)?;
    }
    let told = json!({
        "messages": done.messages,
        "seconds": seconds,
        "cpu_seconds": after.cpu_seconds - before.cpu_seconds,
        "peak_rss_kb": after.peak_rss_kb,
        "failures": done.failures,
    });
    Ok(writeln!(io::stdout(), "{told}")?)
}

fn parse() -> Result<Options, Box<dyn Error>> {
    let (mut endpoint, mut queue_url) = (None, None);
    let (mut messages, mut bytes, mut in_flight, mut threads) =
        (1_000_000, 300, DEFAULT_IN_FLIGHT, 1);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("endpoint") => endpoint = Some(arguments.value()?.string()?),
            Long("queue-url") => queue_url = Some(arguments.value()?.string()?),
            Long("messages") => messages = arguments.value()?.parse()?,
            Long("bytes") => bytes = arguments.value()?.parse()?,
            Long("in-flight") => in_flight = arguments.value()?.parse()?,
            Long("threads") => threads = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let endpoint = endpoint.ok_or("--endpoint http://127.0.0.1:PORT is to be given")?;
    let queue_url = queue_url.ok_or("--queue-url URL is to be given")?;
    Ok(Options { endpoint, queue_url, messages, bytes, in_flight, threads })
}

fn runtime(threads: usize) -> Result<Runtime, Box<dyn Error>> {
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        2 => Builder::new_multi_thread(),
        _ => return Err("--threads is 1 or 2".into()),
    };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    Ok(builder.enable_all().build()?)
}
