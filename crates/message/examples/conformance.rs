//! `make conformance`: how much of the golden-liquid suite renders as it says.
//!
//! `GOLDEN_LIQUID` is the path of the suite's `golden_liquid.json`
//! (<https://github.com/jg-rp/golden-liquid>); without it nothing is run. A table by group, then what
//! fails, and at the end how many of the cases that expect a text get it. What is about `include`,
//! `render` and `tablerow`, which there are not, is left out.
//!
//! `known-failures.tsv` has a name and a reason a line. A case that fails and is not in it is an
//! error, and so is one in it that passes: it can only shrink.

#![allow(clippy::print_stdout, reason = "what it is for")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use message::Value;
use message::conformance::render;
use serde::Deserialize;
use serde_json::Map;

const SUITE: &str = "GOLDEN_LIQUID";
const KNOWN: &str = include_str!("../conformance/known-failures.tsv");
const LEFT_OUT: [&str; 3] = ["include tag", "render tag", "tablerow tag"];

/// The least share that must pass, in percent.
const LEAST: usize = 97;

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    template: String,
    #[serde(default)]
    data: Map<String, serde_json::Value>,
    result: Option<String>,
    #[serde(default)]
    results: Vec<String>,
    #[serde(default)]
    invalid: bool,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Default)]
struct Group {
    passed: usize,
    total: usize,
    /// Cases that expect an error, and those of them that get one.
    refused: usize,
    to_refuse: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Ok(path) = std::env::var(SUITE) else {
        println!("skipped: {SUITE} is not set (the path of golden_liquid.json)");
        return Ok(());
    };
    let Ok(suite) = std::fs::read_to_string(&path) else {
        println!("skipped: {SUITE} names no file that can be read");
        return Ok(());
    };
    let suite: Suite = serde_json::from_str(&suite)?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut failures = BTreeMap::new();
    for case in suite.tests.iter().filter(|case| case.is_in_scope()) {
        let group = groups.entry(case.group()).or_default();
        let rendered = render(&case.template, &case.values());
        if case.invalid {
            group.to_refuse += 1;
            group.refused += usize::from(rendered.is_err());
            continue;
        }
        group.total += 1;
        let told = match rendered {
            Ok(text) if case.expects(&text) => {
                group.passed += 1;
                continue;
            }
            Ok(text) => format!("{text:?} instead of {:?}", case.result.as_deref().unwrap_or("")),
            Err(failure) => failure.to_string(),
        };
        failures.insert(case.name.as_str(), told);
    }
    tell(&groups, &failures)
}

impl Case {
    fn is_in_scope(&self) -> bool {
        let is_out = |tag: &String| LEFT_OUT.contains(&tag.as_str());
        let of_tag =
            |tag: &str| self.name.contains(&format!(", {},", tag.trim_end_matches(" tag")));
        !self.tags.iter().any(is_out) && !LEFT_OUT.into_iter().any(of_tag)
    }

    fn group(&self) -> String {
        let mut parts = self.name.split(", ");
        let first = parts.next().unwrap_or_default();
        match (first, parts.next()) {
            ("filters" | "tags", Some(second)) => format!("{first}, {second}"),
            _ => first.to_owned(),
        }
    }

    fn expects(&self, text: &str) -> bool {
        self.result.as_deref() == Some(text) || self.results.iter().any(|it| it == text)
    }

    /// The data as Postgres would hand it over.
    fn values(&self) -> Vec<(String, Value<'static>)> {
        let value = |value: &serde_json::Value| match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
            serde_json::Value::String(text) => Value::Text(text.clone().into()),
            json => Value::Json(json.to_string().into()),
        };
        self.data.iter().map(|(name, it)| (name.clone(), value(it))).collect()
    }
}

fn tell(
    groups: &BTreeMap<String, Group>,
    failures: &BTreeMap<&str, String>,
) -> Result<(), Box<dyn Error>> {
    println!("{:<34}{:>10}{:>24}", "", "rendered", "refused, of those to be");
    for (name, Group { passed, total, refused, to_refuse }) in groups {
        let to_be =
            if *to_refuse > 0 { format!("{refused} of {to_refuse}") } else { String::new() };
        println!("{name:<34}{:>10}{to_be:>24}", format!("{passed} of {total}"));
    }
    let known = known()?;
    for (name, told) in failures {
        let reason = known.get(name).map_or("NOT KNOWN", |reason| reason);
        println!("fails: {name}: {told} ({reason})");
    }
    let failing: BTreeSet<&str> = failures.keys().copied().collect();
    let listed: BTreeSet<&str> = known.keys().copied().collect();
    let passed: usize = groups.values().map(|group| group.passed).sum();
    let total: usize = groups.values().map(|group| group.total).sum();
    let stale: Vec<_> = listed.difference(&failing).collect();
    let new: Vec<_> = failing.difference(&listed).collect();
    println!("golden-liquid {passed} of {total}");
    if !stale.is_empty() {
        return Err(format!("no longer failures, so take them out of the list: {stale:?}").into());
    }
    if !new.is_empty() {
        return Err(format!("{} failures are not known", new.len()).into());
    }
    if passed * 100 < total * LEAST {
        return Err(format!("less than {LEAST}% pass").into());
    }
    Ok(())
}

fn known() -> Result<BTreeMap<&'static str, &'static str>, Box<dyn Error>> {
    let lines = KNOWN.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| line.split_once('\t').ok_or_else(|| format!("no reason: {line}").into()))
        .collect()
}
