//! One arbitrary template and row, and what must hold of them whatever they are.
#![allow(dead_code)]

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use fastrand::Rng;
use message::{Change, Context, Definition, Event, Format, Run, Source};
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::generate;

/// How much of a processor's time a row may take, rendered twice: with optimisation a good deal more
/// than it does, without as long as it may be.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });

/// How a trial has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Refused,
    Rejected,
    Rendered,
}

/// The time that this thread has had of a processor, however busy the machine is; where Linux does
/// not tell, the time that has gone by.
pub fn cpu_time() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}

/// Tries what a seed makes.
///
/// # Panics
///
/// If something does not hold; the message says which template and row.
pub fn trial(seed: u64) -> End {
    let mut rng = Rng::with_seed(seed);
    let is_json = rng.u8(..4) > 0;
    let generated = match is_json {
        true => generate::template(&mut rng),
        false => {
            let template = format!("<{}>", generate::text_template(&mut rng));
            generate::Generated { template, keys: None }
        }
    };
    let (row, old) = (generate::row(&mut rng), generate::row(&mut rng));
    let columns = generate::COLUMNS.map(str::to_owned);
    let context = Context {
        columns: &columns,
        key: &columns[..1],
        sync_name: "sync",
        sync_uuid: "6a1f0d5e-3b0c-4c8f-9a53-0d3a8c1f2e11",
        allowed_queues: None,
    };
    let source = Source {
        queue: Some("q".to_owned()),
        template: Some(generated.template.clone()),
        format: (!is_json).then_some(Format::Text),
        ..Source::default()
    };
    let begun = cpu_time();
    let Ok(definition) = Definition::compile(&source, &context) else { return End::Refused };
    let run = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };
    let change = Change { id: 42, event: Event::Changed, row: &row, old: Some(&old), run };
    let rendered = definition.render(&change);
    let about = || format!("seed {seed}: {:?} with {row:?}", generated.template);
    assert_eq!(rendered, definition.render(&change), "not the same twice: {}", about());
    let taken = cpu_time().saturating_sub(begun);
    assert!(taken < PATIENCE, "{taken:?} for {}", about());
    let Ok(message) = rendered else { return End::Rejected };
    if is_json {
        let is_json = serde_json::from_str::<IgnoredAny>(&message.body).is_ok();
        assert!(is_json, "{:?} is no JSON: {}", message.body, about());
        // Not everything that is JSON is a value of serde_json: half a surrogate pair, a number
        // beyond a double, 200 arrays within one another.
        let parsed = serde_json::from_str::<Json>(&message.body);
        if let (Some(keys), Ok(Json::Object(body))) = (&generated.keys, &parsed) {
            assert!(body.keys().eq(keys), "{:?}: {}", message.body, about());
        }
    }
    End::Rendered
}
