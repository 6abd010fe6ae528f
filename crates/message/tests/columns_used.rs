//! Which columns a definition reads, so that its caller need not read the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{Change, ColumnsUsed, Definition, Event, Source, Value};
use proptest::prelude::*;

const COLUMNS: [&str; 5] = ["id", "part", "name", "stock", "note"];

fn compiled(source: &Source) -> Definition {
    let (columns, key) = (names(&COLUMNS), names(&["id", "part"]));
    Definition::compile(source, &context(&columns, &key)).unwrap()
}

fn used(source: &Source) -> ColumnsUsed {
    compiled(source).columns_used().clone()
}

#[test]
fn each_property_counts_and_the_positions_rise_without_repeats() {
    assert_eq!(used(&body_column("note")).row, [4]);
    assert_eq!(used(&fields(r#"{"a": "stock", "b": "id", "c": "stock"}"#)).row, [0, 3]);
    assert_eq!(used(&template("[{{row.stock}},\"{{row.part}}\"]")).row, [1, 3]);
    assert_eq!(used(&template("[{% if row.note %}{% elsif row.name %}1{% endif %}]")).row, [2, 4]);
    assert_eq!(used(&template("[{{key}},{{change.id}},\"{{event}}\"]")).row, [0, 1]);
    assert_eq!(used(&template("[{{key.part}}]")).row, [1]);
    assert_eq!(used(&template("[1]")), ColumnsUsed::default());
    let name = || given("x{{row.name}}");
    for source in [
        Source { attributes: given(r#"{"a": "x{{row.name}}"}"#), ..body_column("note") },
        Source { queue: name(), ..body_column("note") },
        Source { group_id: name(), ..body_column("note") },
        Source { message_id: name(), ..body_column("note") },
        Source { delay_seconds: name(), ..body_column("note") },
        Source { dedup_id: name(), queue: given("{{row.name}}"), ..body_column("note") },
    ] {
        assert_eq!(used(&source), ColumnsUsed { row: vec![2, 4], old: vec![] }, "{source:?}");
    }
}

#[test]
fn columns_count_wherever_a_template_has_them() {
    for (source, row) in [
        ("{% for i in row.note offset: row.stock %}{{ i }}{% endfor %}1", vec![3, 4]),
        ("[{{ 1 | plus: row.stock | default: row.name, allow_false: row.note }}]", vec![2, 3, 4]),
        ("{% case row.name %}{% when row.note %}{% endcase %}1", vec![2, 4]),
        ("{% assign row = row.name %}[{{ row.name | json }}]", vec![2]),
        ("{% for row in row.note %}{{ row.name }}{% endfor %}1", vec![4]),
        ("{% capture x %}{{ row.name }}{% endcapture %}1", vec![2]),
        ("[{{ row.note[row.stock].name }}]", vec![3, 4]),
        ("[{{ (row.stock..row.id) }}]", vec![0, 3]),
        ("{% cycle row.name: row.note %}", vec![2, 4]),
        ("[{{ row[event] }}]", vec![0, 1, 2, 3, 4]),
        ("[{{ row | json }}]", vec![0, 1, 2, 3, 4]),
        ("{% raw %}[{% endraw %}{% comment %}{{ row.name }}{% endcomment %}1]", vec![]),
    ] {
        assert_eq!(used(&template(source)), ColumnsUsed { row, old: vec![] }, "{source}");
    }
    let all: Vec<usize> = (0..COLUMNS.len()).collect();
    assert_eq!(used(&template("[{{ old | json }}]")), ColumnsUsed { row: all.clone(), old: all });
}

#[test]
fn a_column_of_old_is_read_from_both_rows_and_changed_columns_read_all() {
    let of_old = used(&template("[\"{{old.name}}\",{{row.id}}]"));
    assert_eq!(of_old, ColumnsUsed { row: vec![0, 2], old: vec![2] });
    let all: Vec<usize> = (0..COLUMNS.len()).collect();
    let of_changed = used(&template("[{{changed_columns}}]"));
    assert_eq!(of_changed, ColumnsUsed { row: all.clone(), old: all });
}

/// A piece of a template, of text or JSON alike.
fn piece() -> impl Strategy<Value = String> {
    let column = (prop::sample::select(vec!["row", "old"]), prop::sample::select(&COLUMNS[..]))
        .prop_map(|(row, column)| format!("{row}.{column}"));
    prop_oneof![
        4 => column.clone().prop_map(|c| format!("{{{{{c}}}}}")),
        2 => (column.clone(), column).prop_map(|(a, b)| format!(
            "{{% if {a} contains 'a' or {b} > 1 %}}{{{{{b}}}}}{{% else %}}-{{% endif %}}"
        )),
        2 => prop::sample::select(vec![
            "{{key}}", "{{key.id}}", "{{event}}", "{{change.id}}", "{{run.id}}", "{{sync.name}}", "x",
        ])
        .prop_map(str::to_owned),
        1 => Just("{{changed_columns}}".to_owned()),
        1 => prop::sample::select(vec![
            "{{ row }}", "{{ old }}", "{{ row[event] }}", "{% for c in row %}{{ c[0] }}{% endfor %}",
            "{{ row.name | append: old.note | replace: row.part, 'x' }}",
            "{% assign row = row.stock %}{{ row }}", "{% for row in old.note %}{{ row }}{% endfor %}",
            "{% case row.id %}{% when old.stock %}{{ row.note | default: old.name }}{% endcase %}",
            "{% capture now %}{{ row.part }}{% endcapture %}{{ now | size }}",
        ])
        .prop_map(str::to_owned),
    ]
}

fn any_source() -> impl Strategy<Value = Source> {
    let pieces = || prop::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
    let property =
        || prop::option::weighted(0.3, piece().prop_map(|piece| format!("{piece}{{{{nil}}}}")));
    let columns = prop::collection::vec(prop::sample::select(&COLUMNS[..]), 1..4);
    let body = prop_oneof![
        pieces().prop_map(|pieces| template(&format!("[\"{pieces}\"]"))),
        prop::sample::select(&COLUMNS[..]).prop_map(body_column),
        columns.prop_map(|columns| {
            let pairs: serde_json::Map<String, serde_json::Value> = columns
                .into_iter()
                .enumerate()
                .map(|(i, column)| (i.to_string(), column.into()))
                .collect();
            fields(&serde_json::Value::Object(pairs).to_string())
        }),
    ];
    (body, pieces(), property(), property(), property(), property(), property()).prop_map(
        |(body, attribute, queue, group_id, dedup_id, delay_seconds, message_id)| {
            let attributes = serde_json::json!({"a": format!("<{attribute}>")}).to_string();
            Source {
                queue: queue
                    .or(given("{{nil}}q.fifo").filter(|_| group_id.is_some()))
                    .or(given("{{nil}}q")),
                attributes: Some(attributes),
                group_id,
                dedup_id,
                delay_seconds,
                message_id,
                ..body
            }
        },
    )
}

fn any_row() -> impl Strategy<Value = Vec<Value<'static>>> {
    prop::collection::vec(any_value(), COLUMNS.len())
}

proptest! {
    #[test]
    fn without_the_columns_that_are_not_used_the_message_is_the_same(
        source in any_source(), row in any_row(), old in any_row(),
        event in prop::sample::select(&Event::ALL[..]),
    ) {
        let (columns, key) = (names(&COLUMNS), names(&["id", "part"]));
        let Ok(definition) = Definition::compile(&source, &context(&columns, &key)) else {
            return Err(TestCaseError::reject("a combination that is refused"));
        };
        let ColumnsUsed { row: of_row, old: of_old } = definition.columns_used();
        let less = |row: &[Value<'static>], used: &[usize]| -> Vec<Value<'static>> {
            let pairs = row.iter().enumerate();
            pairs.map(|(i, value)| if used.contains(&i) { value.clone() } else { Value::Null }).collect()
        };
        let all = Change { old: Some(&old), ..change(event, &row) };
        let (row, old) = (less(&row, of_row), less(&old, of_old));
        // Of an event that has no old row of its own, none need be given.
        let old = Some(old.as_slice()).filter(|_| event == Event::Changed && !of_old.is_empty());
        prop_assert_eq!(
            definition.render(&all),
            definition.render(&Change { old, ..change(event, &row) })
        );
    }
}
