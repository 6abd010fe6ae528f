//! What templates see beside the row: the row before, what changed, the sync, the run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{Change, Definition, Event, Format, Message, Rejection, Source, Value};

const COLUMNS: [&str; 4] = ["id", "name", "a \"b\"", "stock"];

fn rendered(source: &str, change: &Change<'_>) -> Result<Message, Rejection> {
    let (columns, key) = (names(&COLUMNS), names(&["id"]));
    let source = Source { format: Some(Format::Text), ..template(&format!("<{source}>")) };
    Definition::compile(&source, &context(&columns, &key)).unwrap().render(change)
}

fn shown(source: &str, change: &Change<'_>) -> String {
    let body = rendered(source, change).unwrap().body;
    body[1..body.len() - 1].to_owned()
}

fn old() -> [Value<'static>; 4] {
    [number("1"), text("Ann"), Value::Null, number("1.0")]
}

fn row() -> [Value<'static>; 4] {
    [number("1"), text("Bob"), text(""), number("1.00")]
}

#[test]
fn old_is_the_row_before_the_change() {
    let (row, old) = (row(), old());
    let source = "{{old.name}}-{{row.name}} {% if old['stock'] == row.stock %}same{% endif %}";
    let changed = Change { old: Some(&old), ..change(Event::Changed, &row) };
    assert_eq!(shown(source, &changed), "Ann-Bob same");
    // Of a removed row both are what was told last, whatever is handed over beside it.
    let removed = Change { old: None, ..change(Event::Removed, &old) };
    assert_eq!(shown(source, &removed), "Ann-Ann same");
    let added = Change { old: Some(&old), ..change(Event::Added, &row) };
    assert_eq!(shown("{{old.name}}-{% if old.name == nil %}nil{% endif %}", &added), "-nil");
}

#[test]
fn a_changed_row_without_the_one_before_is_rejected_where_that_is_needed() {
    let row = row();
    let changed = Change { old: None, ..change(Event::Changed, &row) };
    for source in
        ["{{old.name}}", "{% if old.id == 1 %}{{event}}{% endif %}", "{{changed_columns}}"]
    {
        assert_eq!(rendered(source, &changed).unwrap_err().code, "missing_old_row", "{source}");
    }
    assert_eq!(shown("{{row.name}}", &changed), "Bob");
}

#[test]
fn changed_columns_are_the_names_of_those_that_are_not_as_they_were() {
    let (row, old) = (row(), old());
    let changed = Change { old: Some(&old), ..change(Event::Changed, &row) };
    assert_eq!(shown("{{changed_columns}}", &changed), r#"["name","a \"b\"","stock"]"#);
    let asked = "{% if changed_columns contains 'stock' %}stock{% endif %}\
                 {% if changed_columns contains 'id' %}id{% endif %}";
    assert_eq!(shown(asked, &changed), "stock");
    let same = change(Event::Changed, &row);
    assert_eq!(shown("{{changed_columns}}", &same), "[]");
    for event in [Event::Added, Event::Removed] {
        let change = Change { old: Some(&old), ..change(event, &row) };
        assert_eq!(shown("{{changed_columns}}", &change), "[]");
        assert_eq!(shown("{% if changed_columns == empty %}none{% endif %}", &change), "none");
    }
}

#[test]
fn changed_columns_are_an_array_in_a_json_body() {
    let (row, old) = ([number("1"), text("x")], [number("1"), Value::Null]);
    let source = template(r#"{"changed": {{changed_columns}}, "old": {{old.b}}}"#);
    let definition = compile(&source, &[("a", Value::Null), ("b", Value::Null)]).unwrap();
    let message = definition.render(&Change { old: Some(&old), ..change(Event::Changed, &row) });
    assert_eq!(message.unwrap().body, r#"{"changed": ["b"], "old": null}"#);
}

#[test]
fn the_sync_and_the_run_are_seen() {
    let row = row();
    let added = change(Event::Added, &row);
    assert_eq!(shown("{{sync.name}}/{{run.id}}/{{change.id}}", &added), "my sync/7/42");
    assert_eq!(
        shown("{{run.started_at}} {{now}}", &added),
        "2024-01-15T08:00:00Z 2024-01-15T08:00:00Z"
    );
    let source = template(r#"{"run": {{run.id}}, "at": "{{now}}", "sync": "{{sync.name}}"}"#);
    assert_eq!(
        render(&source, &[("id", number("1"))]).unwrap().body,
        r#"{"run": 7, "at": "2024-01-15T08:00:00Z", "sync": "my sync"}"#
    );
}
