//! `render-bench [CASE]...`: microseconds for a message from a row that is at hand, without a database.
//!
//! One line of JSON a case: `us_per_row`, and its `ratio` to the baseline, which is serde_json
//! writing the same fields of a struct to a `String`. What is rendered has been checked against
//! SQS's limits, and is known to be JSON; what the baseline writes has not.
//!
//! The cases are those of `cases.json`, which other programs can measure too. The struct has the
//! fields of the case `fields`.

#![forbid(unsafe_code)]

mod cases;
mod clock;

use std::env;
use std::error::Error;
use std::io::{self, Write};

use message::{Change, Event, Run};
use serde::Serialize;
use serde_json::json;

use crate::cases::Case;

const RUN: Run<'_> = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };

/// The six fields, as a program of one's own would have them.
#[derive(Serialize)]
struct Customer<'a> {
    customer_id: i64,
    full_name: &'a str,
    email: &'a str,
    balance: f64,
    last_order_at: &'a str,
    subscribed: bool,
}

const CUSTOMER: Customer<'_> = Customer {
    customer_id: 1_234_567,
    full_name: "Ada \"Countess\" Lovelace",
    email: "ada@example.com",
    balance: 1234.56,
    last_order_at: "2024-01-15T08:00:00Z",
    subscribed: true,
};

fn main() -> Result<(), Box<dyn Error>> {
    let baseline = clock::us_a_row(|| serde_json::to_string(&CUSTOMER))?;
    tell("baseline", baseline, baseline)?;
    let chosen: Vec<String> = env::args().skip(1).collect();
    for case in cases::all()? {
        if !chosen.is_empty() && !chosen.contains(&case.name) {
            continue;
        }
        tell(&case.name, measure(&case)?, baseline)?;
    }
    Ok(())
}

fn measure(case: &Case) -> Result<f64, Box<dyn Error>> {
    let values = case.values();
    let definition = case.compile()?;
    let change = Change { id: 42, event: Event::Added, row: &values, old: None, run: RUN };
    clock::us_a_row(|| definition.render(&change)).map_err(|rejection| {
        format!("case {}: the row makes no message: {rejection:?}", case.name).into()
    })
}

fn tell(name: &str, us: f64, baseline: f64) -> io::Result<()> {
    let told = json!({"name": name, "us_per_row": us, "ratio": us / baseline});
    writeln!(io::stdout(), "{told}")
}
