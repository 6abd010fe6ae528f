//! The examples of the user's pages about Liquid, run.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::filter::FILTERS;
use super::tree::TAGS;
use crate::mapping;
use crate::{Change, Context, Definition, Event, Format, Run, Source, Value};

const PAGE: &str = include_str!("../../../../docs/liquid.md");
const MIGRATION: &str = include_str!("../../../../docs/liquid-migration.md");

/// The lines of a page's blocks of one kind.
fn blocks<'p>(page: &'p str, kind: &str) -> Vec<&'p str> {
    let begin = format!("```{kind}\n");
    let bodies = page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap());
    bodies.collect()
}

fn row(page: &str) -> (Vec<String>, Vec<Value<'static>>) {
    let block = blocks(page, "row").concat();
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (name, raw) in mapping::object::<Box<RawValue>>(&block).unwrap() {
        names.push(name);
        values.push(match raw.get() {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text if text.starts_with('"') => {
                Value::Text(serde_json::from_str::<String>(text).unwrap().into())
            }
            json if json.starts_with(['[', '{']) => Value::Json(json.to_owned().into()),
            number => Value::Number(number.to_owned().into()),
        });
    }
    (names, values)
}

/// Runs the examples of a page, and returns how many there were.
fn run(page: &str, kind: &str, format: Format) -> usize {
    let (columns, row) = row(page);
    let context = Context {
        columns: &columns,
        key: &columns[..1],
        sync_name: "my sync",
        sync_uuid: "6a1f0d5e-3b0c-4c8f-9a53-0d3a8c1f2e11",
        allowed_queues: None,
    };
    let blocks = blocks(page, kind);
    let mut count = 0;
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let (template, expected) = line.split_once(" =>").unwrap_or_else(|| panic!("{line}"));
        let expected = expected.strip_prefix(' ').unwrap_or(expected);
        // No body is empty.
        let (before, after) = if format == Format::Text { ("<", ">") } else { ("", "") };
        let source = Source {
            queue: Some("q".to_owned()),
            template: Some(format!("{before}{template}{after}")),
            format: Some(format),
            ..Source::default()
        };
        let definition = Definition::compile(&source, &context)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let run = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };
        let change = Change { id: 42, event: Event::Changed, row: &row, old: Some(&row), run };
        let body = definition.render(&change).unwrap_or_else(|it| panic!("{line}: {it:?}")).body;
        assert_eq!(body, format!("{before}{expected}{after}"), "{template}");
        count += 1;
    }
    count
}

#[test]
fn the_examples_of_the_pages_make_what_they_say() {
    assert!(run(PAGE, "liquid", Format::Text) > 60);
    assert!(run(PAGE, "liquid-json", Format::Json) > 3);
    assert!(run(MIGRATION, "liquid-json", Format::Json) > 6);
}

#[test]
fn every_filter_and_every_tag_has_an_example() {
    let examples = blocks(PAGE, "liquid").concat() + &blocks(PAGE, "liquid-json").concat();
    for filter in &FILTERS {
        let is_shown = examples
            .split(&format!("| {}", filter.name))
            .skip(1)
            .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
        assert!(is_shown, "{}", filter.name);
    }
    let tags: Vec<Cow<'_, str>> = examples
        .split("{%")
        .skip(1)
        .map(|rest| rest.trim_start_matches(['-', ' ']).split([' ', '%']).next().unwrap().into())
        .collect();
    for tag in TAGS {
        assert!(tags.iter().any(|it| it == tag), "{tag}");
    }
}
