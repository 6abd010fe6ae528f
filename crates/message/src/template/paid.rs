//! Whatever takes longer the longer a value is, is paid for.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use super::render::Render;
use super::scope::Scope;
use super::work::BYTES_A_STEP;
use super::{scan, tree};
use crate::names::{Names, Usage};
use crate::output::Output;
use crate::{Change, Event, Run, Value};

/// The length of each value of the row, about.
const BYTES: usize = 100_000;

fn row() -> Vec<(&'static str, Value<'static>)> {
    let (nines, zeros, blank) = ("9".repeat(BYTES), "0".repeat(BYTES), " ".repeat(BYTES));
    let number = |digits: &str| Value::Number(Cow::Owned(digits.to_owned()));
    let text = |text: &str| Value::Text(Cow::Owned(text.to_owned()));
    let json = |json: String| Value::Json(Cow::Owned(json));
    vec![
        ("whole", number(&nines)),
        ("point", number(&format!("9.{nines}"))),
        ("zeros", number(&zeros)),
        ("text", text(&nines)),
        ("blank", text(&blank)),
        ("padded", text(&format!("{blank}1{blank}"))),
        ("bytes", Value::Bytes(Cow::Owned(nines.clone().into_bytes()))),
        ("array", json(format!("[{blank}]"))),
        ("string", json(format!("\"\\n{nines}\""))),
        ("outer", json(format!("{blank}1"))),
        ("object", json(format!("{{\"{nines}\":1}}"))),
        ("format", text(&"%c".repeat(500))),
    ]
}

/// The steps that a template takes, and what it says in the end.
fn steps(source: &str) -> usize {
    let row = row();
    let columns: Vec<String> = row.iter().map(|(name, _)| (*name).to_owned()).collect();
    let values: Vec<Value<'_>> = row.into_iter().map(|(_, value)| value).collect();
    let usage = Usage::of(&columns);
    let names = Names { columns: &columns, key: &columns[..1], sync_name: "sync", usage: &usage };
    let pieces = scan::scan(source).unwrap();
    let (nodes, places) = tree::build(&pieces, Scope::of(&pieces, names, false)).unwrap();
    let run = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };
    let change = Change { id: 42, event: Event::Changed, row: &values, old: Some(&values), run };
    let mut render = Render::new(change, places);
    render.nodes(&nodes, &mut Output::default()).unwrap();
    render.work().taken()
}

#[test]
fn a_long_value_costs_a_step_for_every_few_bytes_of_it_that_are_read() {
    let conditions = [
        "row.whole < 1",
        "row.whole == row.zeros",
        "row.text > 1",
        "1 < row.padded",
        "row.text < row.text",
        "row.text == row.text",
        "row.bytes == row.bytes",
        "row.array == row.array",
        "row.object == row.object",
        "row.blank == blank",
        "row.array == empty",
        "row.array == blank",
        "row.string == 1",
        "row.outer == 1",
        "(1..2) contains row.point",
        "row.text contains '8'",
        "row.bytes contains '8'",
    ];
    let values = [
        "row.string",
        "row.outer",
        "row | first",
        "changed_columns",
        "row.array[row.zeros]",
        "row.text.size",
        "row.text | plus: 1",
        "1 | plus: row.padded",
        "1 | minus: row.zeros",
        "row.text | at_most: 1",
        "1 | at_least: row.whole",
        "row.zeros | abs",
        "row.text | ceil",
        "1.5 | round: row.zeros",
        "row.text | sum",
        "'a' | slice: row.zeros",
        "'a' | truncate: row.zeros",
        "'a' | truncatewords: row.zeros",
        "row.zeros | date: '%Y'",
        "row.padded | date: '%Y'",
        "row.array | date: '%Y'",
        "row.array | default: 1",
        "row.padded | strip",
        "row.padded | lstrip",
        "row.text | rstrip",
        "row.zeros | concat: row.point | sort",
        "row.text | concat: row.text | sort",
    ];
    let sources = conditions
        .iter()
        .map(|condition| format!("{{% if {condition} %}}1{{% endif %}}"))
        .chain(values.iter().map(|value| format!("{{% assign x = {value} %}}")))
        .chain([
            "{% case 1 %}{% when row.zeros %}1{% endcase %}".to_owned(),
            "{% for i in (row.zeros..0) %}1{% endfor %}".to_owned(),
            "{% for i in (1..2) limit: row.zeros %}1{% endfor %}".to_owned(),
            "{% for i in (1..2) offset: row.point %}1{% endfor %}".to_owned(),
        ]);
    let is_paid = |source: &String| steps(source) >= BYTES / BYTES_A_STEP;
    assert_eq!(sources.filter(|source| !is_paid(source)).collect::<Vec<_>>(), [""; 0]);
}

/// What is made before does not count.
#[track_caller]
fn costs(made: &str, source: &str, least: usize) {
    let taken = steps(&format!("{made}{source}")) - steps(made);
    assert!(taken >= least, "{taken} steps of {least}: {source}");
}

#[test]
fn what_a_template_has_made_is_paid_for_each_time_too() {
    let object = "{% assign x = row.object[row.text] %}{% assign kept = row.object %}";
    costs(&format!("{object}{{% assign x = kept.a %}}"), "{% assign x = kept[row.text] %}", 3_000);
    costs("{% assign many = (1..9000) | sort %}", "{% assign x = many | slice: 0, 9000 %}", 9_000);
    costs("", "{% assign x = now | date: row.format %}", 500);
    let (begin, end) = ("{% for i in (1..1) %}".repeat(20), "{% endfor %}".repeat(20));
    let all = |inner: &str| format!("{begin}{inner}{end}");
    costs(&all(""), &all("{% assign x = forloop %}"), 160);
}

#[test]
fn a_short_value_costs_nothing_beside_the_step() {
    let each = |inner: &str| {
        let steps = steps(&format!("{{% for i in (1..1000) %}}{inner}{{% endfor %}}"));
        steps.div_ceil(1_000)
    };
    assert!(each("{% if i < 10 and '10' > 9 %}1{% endif %}") <= 6);
    assert!(each("{% assign x = i | plus: '1.50' | round %}") <= 8);
}
