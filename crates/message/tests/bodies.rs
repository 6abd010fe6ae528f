//! What the options of a definition make, apart from Liquid itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{Change, Definition, ErrorKind, Event, Source, Value};
use proptest::prelude::*;

#[test]
fn exactly_one_body_is_needed() {
    let error = compile(&Source::default(), &[("id", number("1"))]).unwrap_err();
    assert_eq!((error.property(), error.kind()), ("body", ErrorKind::Invalid));
    assert_eq!(error.to_string(), "a message needs a body");

    let both = Source { fields: Some(r#"["id"]"#.to_owned()), ..template("{}") };
    let error = compile(&both, &[("id", number("1"))]).unwrap_err();
    assert_eq!(error.to_string(), "a message has one body, but template and fields are given");
    assert_eq!(error.hint().unwrap(), "Give exactly one of template, body_column and fields.");
}

#[test]
fn a_source_without_an_option_reads_as_one_without_it() {
    let source: Source = serde_json::from_str(r#"{"body_column": "doc"}"#).unwrap();
    assert_eq!(source, body_column("doc"));
    let text = serde_json::to_string(&source).unwrap();
    assert_eq!(serde_json::from_str::<Source>(&text).unwrap(), source);
}

#[test]
fn a_body_column_is_the_body_letter_for_letter() {
    for (value, expected) in [
        (json("{\"b\": 1,  \"a\": [ ]}"), "{\"b\": 1,  \"a\": [ ]}"),
        (text(" not \"json\"\n"), " not \"json\"\n"),
        (number("1.50"), "1.50"),
        (number("NaN"), "NaN"),
        (Value::Bool(false), "false"),
    ] {
        assert_eq!(render(&body_column("doc"), &[("doc", value)]).unwrap().body, expected);
    }
}

#[test]
fn a_body_column_that_is_null_or_empty_is_rejected() {
    let rejection = render(&body_column("doc"), &[("doc", Value::Null)]).unwrap_err();
    assert_eq!(rejection.code, "null_body");
    assert_eq!(rejection.reason, "column \"doc\", which is the body, is null");
    let rejection = render(&body_column("doc"), &[("doc", text(""))]).unwrap_err();
    assert_eq!(rejection.code, "empty_body");
}

#[test]
fn a_body_column_that_is_too_long_is_rejected_with_both_sizes() {
    let long = "x".repeat(1_048_577);
    let rejection = render(&body_column("doc"), &[("doc", text(&long))]).unwrap_err();
    assert_eq!(rejection.code, "message_too_long");
    assert!(rejection.reason.contains("1048577") && rejection.reason.contains("1048576"));
}

#[test]
fn fields_keep_their_order_and_each_kind_of_value() {
    let row = [
        ("id", number("12345678901234567890.123456789")),
        ("flag", Value::Bool(true)),
        ("none", Value::Null),
        ("nan", number("NaN")),
        ("low", number("-Infinity")),
        ("name", text("a \"b\"\n")),
        ("tags", json("[\"x\", {\"y\": 1.0}]")),
    ];
    let source = fields(
        r#"{"z": "name", "a\"": "id", "flag": "flag", "n": "none", "nan": "nan", "low": "low", "t": "tags"}"#,
    );
    assert_eq!(
        render(&source, &row).unwrap().body,
        r#"{"z":"a \"b\"\n","a\"":12345678901234567890.123456789,"flag":true,"n":null,"nan":null,"low":null,"t":["x", {"y": 1.0}]}"#
    );
    let source = fields(r#"["name", "id"]"#);
    assert_eq!(
        render(&source, &row).unwrap().body,
        r#"{"name":"a \"b\"\n","id":12345678901234567890.123456789}"#
    );
}

#[test]
fn mistakes_in_fields_are_told() {
    let row = [("id", number("1")), ("full_name", text("x"))];
    for (source, kind, message) in [
        (
            r#"{"a": "fullname"}"#,
            ErrorKind::UndefinedColumn,
            "column \"fullname\" is not in the model",
        ),
        (r#"{"a": "id", "a": "id"}"#, ErrorKind::Invalid, "name \"a\" is given twice"),
        ("{}", ErrorKind::Invalid, "at least one field is needed"),
        ("[]", ErrorKind::Invalid, "at least one field is needed"),
    ] {
        let error = compile(&fields(source), &row).unwrap_err();
        assert_eq!((error.property(), error.kind()), ("fields", kind), "{source}");
        assert_eq!(error.to_string(), message, "{source}");
    }
    let error = compile(&fields(r#"{"a": {"b": "id"}}"#), &row).unwrap_err();
    assert!(error.to_string().contains("expected a string"), "{error}");
    let error = compile(&body_column("fullname"), &row).unwrap_err();
    assert_eq!((error.property(), error.kind()), ("body_column", ErrorKind::UndefinedColumn));
    assert_eq!(error.hint(), Some("Perhaps you meant \"full_name\"."));
}

#[test]
fn attributes_are_text_in_their_own_order() {
    let attributes =
        r#"{"z": "{{row.name}}", "a": "literal", "mixed": "{{ event }}/{{row.id}}/{{change.id}}"}"#;
    let source = Source { attributes: Some(attributes.to_owned()), ..template("{}") };
    let message = render(&source, &[("id", number("1.50")), ("name", text("a \"b\""))]).unwrap();
    let pairs: Vec<(&str, &str)> =
        message.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())).collect();
    assert_eq!(pairs, [("z", "a \"b\""), ("a", "literal"), ("mixed", "changed/1.50/42")]);
    assert_eq!(message.attributes[0].data_type(), "String");
    let counted = "{}".len() + "z".len() + "a".len() + "mixed".len() + 3 * "String".len();
    assert_eq!(
        message.size(),
        counted + "a \"b\"".len() + "literal".len() + "changed/1.50/42".len()
    );
}

#[test]
fn an_attribute_shows_each_kind_of_value_as_text() {
    for (value, expected) in [
        (Value::Null, ""),
        (Value::Bool(true), "true"),
        (Value::Bool(false), "false"),
        (number("NaN"), "NaN"),
        (number("1e300"), "1e300"),
        (text("\"\\\n"), "\"\\\n"),
        (json("{\"a\": 1}"), "{\"a\": 1}"),
    ] {
        assert_eq!(plain("{{row.id}}", &[("id", value)]), expected);
    }
}

#[test]
fn an_attribute_that_is_empty_for_a_row_is_rejected_by_name() {
    let attributes = Some(r#"{"region": "{{row.region}}"}"#.to_owned());
    let source = Source { attributes, ..template("{}") };
    let rejection = render(&source, &[("region", Value::Null)]).unwrap_err();
    assert_eq!(rejection.code, "empty_attribute");
    assert_eq!(rejection.reason, "attribute \"region\" is empty, which SQS does not take");
}

#[test]
fn mistakes_in_attributes_are_told_with_the_attribute() {
    let eleven: serde_json::Map<String, serde_json::Value> =
        (0..11).map(|i| (format!("n{i}"), "x".into())).collect();
    let eleven = serde_json::Value::Object(eleven).to_string();
    for (attributes, message) in [
        (r#"{"AWS.x": "y"}"#, "attribute name \"AWS.x\" begins with a prefix that AWS reserves"),
        (r#"{"a": ""}"#, "attribute \"a\" is empty, which SQS does not take"),
        (r#"{"a": "1", "a": "2"}"#, "name \"a\" is given twice"),
        (
            r#"{"a": "x{{row.idd}}"}"#,
            "attribute \"a\": line 1, column 4: column \"idd\" is not in the model",
        ),
        (eleven.as_str(), "11 attributes are more than SQS's limit of 10"),
    ] {
        let source = Source { attributes: Some(attributes.to_owned()), ..template("{}") };
        let error = compile(&source, &[("id", number("1"))]).unwrap_err();
        assert_eq!(error.property(), "attributes");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_key_that_is_no_column_is_an_error() {
    let error =
        Definition::compile(&template("{}"), &names(&["id"]), &names(&["idd"])).unwrap_err();
    assert_eq!((error.property(), error.kind()), ("key", ErrorKind::UndefinedColumn));
}

#[test]
fn a_row_of_another_width_is_rejected() {
    let definition = compile(&template("{}"), &[("id", number("1"))]).unwrap();
    let change = Change { id: 1, event: Event::Added, row: &[] };
    assert_eq!(definition.render(&change).unwrap_err().code, "wrong_column_count");
}

proptest! {
    #[test]
    fn fields_read_back_as_the_row_was(
        names in prop::collection::hash_set(any::<String>(), 1..6), values in prop::collection::vec(any_value(), 6),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let row: Vec<Value<'_>> = values.into_iter().take(names.len()).collect();
        let source = fields(&serde_json::json!(names).to_string());
        let definition = Definition::compile(&source, &names, &[]).unwrap();
        let message = match definition.render(&Change { id: 1, event: Event::Added, row: &row }) {
            Ok(message) => message,
            Err(rejection) => {
                // JSON text is not written anew, so a character of it can be one that SQS refuses.
                prop_assert_eq!(rejection.code, "invalid_character");
                return Ok(());
            }
        };
        let body: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&message.body).unwrap();
        prop_assert_eq!(body.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
        for (value, written) in row.iter().zip(body.values()) {
            let expected = match value {
                Value::Null => serde_json::Value::Null,
                Value::Bool(b) => (*b).into(),
                Value::Text(text) => text.as_ref().into(),
                Value::Number(text) | Value::Json(text) => serde_json::from_str(text).unwrap(),
            };
            prop_assert_eq!(written, &expected);
        }
    }

    #[test]
    fn what_is_rendered_keeps_every_limit(value in any_value(), attribute in any::<String>()) {
        let attributes = Some(r#"{"a": "{{row.attribute}}"}"#.to_owned());
        let source = Source { attributes, ..body_column("body") };
        let row = [("body", value), ("attribute", text(&attribute))];
        if let Ok(message) = render(&source, &row) {
            prop_assert!(message::limits::check(&message).is_ok());
            prop_assert!(!message.body.is_empty());
            prop_assert!(message.body.chars().chain(attribute.chars()).all(message::limits::is_allowed));
        }
    }
}
