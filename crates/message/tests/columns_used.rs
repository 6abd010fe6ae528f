//! Which columns a definition reads, so that its caller need not read the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{Change, ColumnsUsed, Definition, Event, Source, Value};
use proptest::prelude::*;

const COLUMNS: [&str; 5] = ["id", "part", "name", "stock", "note"];

fn compiled(source: &Source) -> Definition {
    Definition::compile(source, &names(&COLUMNS), &names(&["id", "part"])).unwrap()
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
    let attributes = Some(r#"{"a": "x{{row.name}}"}"#.to_owned());
    assert_eq!(used(&Source { attributes, ..body_column("note") }).row, [2, 4]);
}

/// A piece of a template, of text or JSON alike.
fn piece() -> impl Strategy<Value = String> {
    let column = prop::sample::select(&COLUMNS[..]);
    prop_oneof![
        column.clone().prop_map(|c| format!("{{{{row.{c}}}}}")),
        (column.clone(), column).prop_map(|(a, b)| format!(
            "{{% if row.{a} contains 'a' or row.{b} > 1 %}}{{{{row.{b}}}}}{{% else %}}-{{% endif %}}"
        )),
        prop::sample::select(vec!["{{key}}", "{{key.id}}", "{{event}}", "{{change.id}}", "x"])
            .prop_map(str::to_owned),
    ]
}

fn any_source() -> impl Strategy<Value = Source> {
    let pieces = || prop::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
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
    (body, pieces()).prop_map(|(body, attribute)| {
        let attributes = serde_json::json!({"a": format!("<{attribute}>")}).to_string();
        Source { attributes: Some(attributes), ..body }
    })
}

fn any_row() -> impl Strategy<Value = Vec<Value<'static>>> {
    prop::collection::vec(any_value(), COLUMNS.len())
}

proptest! {
    #[test]
    fn without_the_columns_that_are_not_used_the_message_is_the_same(
        source in any_source(), row in any_row(), event in prop::sample::select(&Event::ALL[..]),
    ) {
        let definition = compiled(&source);
        let used = &definition.columns_used().row;
        let less: Vec<Value<'_>> = row
            .iter()
            .enumerate()
            .map(|(i, value)| if used.contains(&i) { value.clone() } else { Value::Null })
            .collect();
        let render = |row: &[Value<'_>]| definition.render(&Change { id: 42, event, row });
        prop_assert_eq!(render(&row), render(&less));
    }
}
