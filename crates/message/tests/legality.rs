//! Whatever a definition and a row hold, the outcome is a message that SQS takes, by a checker that
//! shares nothing with the crate, or a rejection, or an error of the definition. Never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::legal::illegality;
use common::*;
use message::{Dedup, Definition, Event, Format, Rejection, Source, Value};
use proptest::prelude::*;

/// Text that is near a limit, or past it, or anything.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[!-~]{0,6}",
        1 => "[a-zA-Z0-9_-]{1,8}(\\.fifo)?",
        1 => "[!-~]{126,130}",
        1 => "[a-z]{73,82}(\\.fifo)?",
        2 => "-?[0-9]{0,40}(\\.[0-9]{0,40})?(e[+-]?[0-9]{1,3})?",
        1 => "[0-9]{1,4}",
        1 => Just(String::new()),
        2 => prop::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter),
        1 => "[a-z]?[\u{1}-\u{1f}\u{fffe}\u{ffff}]",
        1 => "(https://|arn:|//)?[a-z:/.]{1,12}",
        1 => prop::sample::select(vec![1024usize, 1025, 1030]).prop_map(|n| "é".repeat(n)),
    ]
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        4 => hostile().prop_map(|text| Value::Text(text.into())),
        2 => hostile().prop_map(|text| Value::Number(text.into())),
        1 => any_value(),
    ]
}

/// A row: what is mostly a queue's name, then anything.
fn row() -> impl Strategy<Value = Vec<Value<'static>>> {
    let queue = prop_oneof![
        6 => "[a-z]{1,3}(\\.fifo)?".prop_map(|name| Value::Text(name.into())),
        1 => value(),
    ];
    (queue, value(), value()).prop_map(|(a, b, c)| vec![a, b, c])
}

/// A property: a lone column, one within text, a choice, or a literal.
fn property() -> impl Strategy<Value = Option<String>> {
    let column = prop::sample::select(vec!["row.b", "row.c", "old.c", "key", "run.id", "event"]);
    prop_oneof![
        6 => Just(None),
        3 => column.clone().prop_map(|c| Some(format!("{{{{{c}}}}}"))),
        1 => (column.clone(), "[a-z0-9]{0,3}").prop_map(|(c, text)| Some(format!("{text}{{{{{c}}}}}"))),
        1 => column.prop_map(|c| Some(format!("{{% if {c} > 'a' %}}1{{% endif %}}"))),
        1 => hostile().prop_map(Some),
    ]
}

fn source() -> impl Strategy<Value = Source> {
    let queue = prop::sample::select(vec![
        "{{row.a}}",
        "q-{{row.a}}",
        "{{row.a}}.fifo",
        "{{row.b}}",
        "{% if row.b > 'a' %}q{% else %}q.fifo{% endif %}",
    ]);
    let kind = prop::sample::select(vec!["String", "Number", "Binary", "String.x", "Number.é"]);
    let name = prop_oneof![9 => "[a-z.]{1,3}", 1 => hostile()];
    let attribute = (name, kind, property()).prop_map(|(name, kind, value)| {
        (
            name,
            serde_json::json!({ "type": kind, "value": value.unwrap_or("x{{row.c}}".to_owned()) }),
        )
    });
    let attributes = prop::collection::vec(attribute, 0..3).prop_map(|attributes| {
        serde_json::Value::Object(attributes.into_iter().collect()).to_string()
    });
    let dedup = prop::sample::select(vec![None, Some(Dedup::ChangeId), Some(Dedup::Content)]);
    (
        queue,
        0..5,
        prop::option::of(attributes),
        property(),
        property(),
        property(),
        property(),
        dedup,
    )
        .prop_map(
            |(queue, body, attributes, message_id, group_id, dedup_id, delay_seconds, dedup)| {
                let body = match body {
                    0 => template(r#"{"a": "{{row.c}}", "b": {{row.b}}}"#),
                    1 => Source { format: Some(Format::Text), ..template("{{row.b}}{{row.c}}") },
                    2 => Source { format: Some(Format::Json), ..body_column("c") },
                    3 => body_column("b"),
                    _ => fields(r#"["c", "a"]"#),
                };
                let dedup = dedup.filter(|_| dedup_id.is_none());
                Source {
                    queue: given(queue),
                    attributes,
                    message_id,
                    group_id,
                    dedup_id,
                    delay_seconds,
                    dedup,
                    ..body
                }
            },
        )
}

/// A rejection says what is wrong, and no value of the row.
fn is_told_well(rejection: &Rejection, row: &[Value<'_>]) -> bool {
    let shows = |value: &Value<'_>| match value {
        Value::Text(text) | Value::Number(text) => {
            text.len() > 12 && rejection.reason.contains(&**text)
        }
        _ => false,
    };
    !rejection.code.is_empty() && rejection.reason.len() < 1000 && !row.iter().any(shows)
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn the_outcome_is_a_legal_message_or_a_rejection(
        source in source(),
        row in row(), old in prop::collection::vec(value(), 3),
        event in prop::sample::select(&Event::ALL[..]),
    ) {
        let (columns, key) = (names(&["a", "b", "c"]), names(&["a"]));
        let Ok(definition) = Definition::compile(&source, &context(&columns, &key)) else {
            return Err(TestCaseError::reject("the definition is refused"));
        };
        let change = message::Change { old: Some(&old), ..change(event, &row) };
        match definition.render(&change) {
            Ok(message) => prop_assert_eq!(illegality(&message), None, "{:?}", message),
            Err(rejection) => prop_assert!(is_told_well(&rejection, &row), "{:?}", rejection),
        }
    }

    #[test]
    fn no_text_is_a_property_that_panics(text in any::<String>(), at in 0usize..7, tags in any::<bool>()) {
        let text = if tags { format!("{{{{{text}}}}}") } else { text };
        let mut source = Source { queue: given("{{row.a}}"), ..body_column("a") };
        let property = [
            &mut source.queue, &mut source.attributes, &mut source.message_id, &mut source.group_id,
            &mut source.dedup_id, &mut source.delay_seconds, &mut source.fields,
        ].into_iter().nth(at).unwrap();
        *property = Some(text);
        let (columns, key) = (names(&["a"]), names(&["a"]));
        if let Ok(definition) = Definition::compile(&source, &context(&columns, &key)) {
            let row = [Value::Text("x".into())];
            let _ = definition.render(&change(Event::Added, &row));
        }
    }
}

#[test]
fn legal_messages_and_rejections_of_each_kind_are_met() {
    // The property above would be empty if its generator made one kind of outcome only.
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut met = std::collections::BTreeMap::new();
    let inputs = (source(), row());
    for _ in 0..4_000 {
        let (source, row) = inputs.new_tree(&mut runner).unwrap().current();
        let (columns, key) = (names(&["a", "b", "c"]), names(&["a"]));
        if let Ok(definition) = Definition::compile(&source, &context(&columns, &key)) {
            let outcome = definition.render(&change(Event::Changed, &row));
            let kind = outcome.map_or_else(
                |rejection| rejection.code,
                |message| {
                    if message.queue.ends_with(".fifo") { "fifo" } else { "standard" }
                },
            );
            *met.entry(kind).or_insert(0) += 1;
        }
    }
    for kind in [
        "fifo",
        "standard",
        "invalid_queue_name",
        "missing_group_id",
        "delay_on_fifo_queue",
        "dedup_id_on_standard_queue",
        "invalid_group_id",
        "invalid_dedup_id",
        "invalid_message_id",
        "invalid_delay",
        "null_body",
        "empty_body",
        "invalid_json",
        "not_a_json_value",
        "empty_attribute",
        "invalid_number",
        "invalid_character",
    ] {
        assert!(met.contains_key(kind), "{kind} is never met: {met:?}");
    }
}
