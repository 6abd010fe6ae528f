//! What the options of a definition make, apart from Liquid itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{Change, Definition, ErrorKind, Event, Format, Source, Value};
use proptest::prelude::*;

#[test]
fn exactly_one_body_is_needed() {
    let error = compile(&to_queue(), &[("id", number("1"))]).unwrap_err();
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
    assert_eq!(source, Source { queue: None, ..body_column("doc") });
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
fn bytes_are_text_in_postgres_hexadecimal_form_where_text_is_due() {
    let row = [("photo", bytes(b"\x01\xff"))];
    assert_eq!(render(&body_column("photo"), &row).unwrap().body, "\\x01ff");
    assert_eq!(render(&fields(r#"["photo"]"#), &row).unwrap().body, r#"{"photo":"\\x01ff"}"#);
    assert_eq!(body(r#"["{{row.photo}}"]"#, &row), r#"["\\x01ff"]"#);
    assert_eq!(plain("{{row.photo}} {{key}}", &row), "\\x01ff \\x01ff");
    assert!(holds(r"row.photo == '\x01ff'", &row) && holds("row.photo contains '1f'", &row));
    assert!(!holds("row.photo == blank", &[("photo", bytes(b""))]));
    let rejection = render(&template("[{{row.photo}}]"), &row).unwrap_err();
    assert_eq!(rejection.code, "not_a_json_value");
}

#[test]
fn a_body_of_text_may_be_anything() {
    let row = [("id", number("1.50")), ("name", text("a <\"b\">"))];
    for (source, expected) in [
        ("<id>{{row.id}}</id>", "<id>1.50</id>"),
        ("{{row.id}},{{row.name}}\n", "1.50,a <\"b\">\n"),
        ("{{row.name}}", "a <\"b\">"),
        ("plain", "plain"),
    ] {
        let source = Source { format: Some(Format::Text), ..template(source) };
        assert_eq!(render(&source, &row).unwrap().body, expected);
    }
    let source = Source { format: Some(Format::Text), ..template("{{row.id}}") };
    assert_eq!(render(&source, &[("id", Value::Null)]).unwrap_err().code, "empty_body");
}

#[test]
fn a_body_that_no_row_can_make_good_is_refused_when_it_is_compiled() {
    let row = [("id", number("1"))];
    for (format, source, message) in [
        (Format::Text, "", "the body is empty, which SQS does not take"),
        (Format::Text, "a\u{b}", "the body holds U+000B, which SQS does not take"),
        (Format::Text, "{{row.id}}\u{ffff}", "the body holds U+FFFF, which SQS does not take"),
        (Format::Json, "\"\u{ffff}\"", "the body holds U+FFFF, which SQS does not take"),
    ] {
        let error =
            compile(&Source { format: Some(format), ..template(source) }, &row).unwrap_err();
        assert_eq!((error.property(), error.kind()), ("template", ErrorKind::Invalid));
        assert_eq!(error.to_string(), message);
    }
    let source = Source { format: Some(Format::Text), ..fields(r#"["id"]"#) };
    assert_eq!(compile(&source, &row).unwrap_err().property(), "format");
}

#[test]
fn a_body_column_is_checked_to_be_json_where_the_format_says_so() {
    let source = Source { format: Some(Format::Json), ..body_column("doc") };
    for good in [json("{\"a\":  1}"), text(" [1] "), number("1.50"), Value::Bool(true)] {
        let expected = plain("{{row.doc}}", &[("doc", good.clone())]);
        assert_eq!(render(&source, &[("doc", good)]).unwrap().body, expected);
    }
    for bad in [text("{"), number("NaN"), bytes(b"1")] {
        assert_eq!(render(&source, &[("doc", bad)]).unwrap_err().code, "invalid_json");
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
fn a_value_that_alone_is_too_long_is_rejected_with_its_column() {
    let long = "x".repeat(1_048_577);
    let source = Source { format: Some(Format::Text), ..template("{{row.doc}}") };
    for value in [text(&long), bytes(long.as_bytes())] {
        let rejection = render(&source, &[("doc", value)]).unwrap_err();
        assert_eq!(rejection.code, "message_too_long");
        assert!(rejection.reason.starts_with("column \"doc\" has 1048577 bytes"));
    }
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
fn a_key_that_is_no_column_is_an_error() {
    let (columns, key) = (names(&["id"]), names(&["idd"]));
    let error = Definition::compile(&template("{}"), &context(&columns, &key)).unwrap_err();
    assert_eq!((error.property(), error.kind()), ("key", ErrorKind::UndefinedColumn));
}

#[test]
fn a_row_of_another_width_is_rejected() {
    let definition = compile(&template("{}"), &[("id", number("1"))]).unwrap();
    let rejection = definition.render(&change(Event::Added, &[])).unwrap_err();
    assert_eq!(rejection.code, "wrong_column_count");
    let row = [number("1")];
    let narrow = Change { old: Some(&[]), ..change(Event::Changed, &row) };
    assert_eq!(definition.render(&narrow).unwrap_err().code, "wrong_column_count");
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

proptest! {
    #[test]
    fn fields_read_back_as_the_row_was(
        names in prop::collection::hash_set(any::<String>(), 1..6), values in prop::collection::vec(any_value(), 6),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let row: Vec<Value<'_>> = values.into_iter().take(names.len()).collect();
        let source = fields(&serde_json::json!(names).to_string());
        let definition = Definition::compile(&source, &context(&names, &[])).unwrap();
        let message = match definition.render(&change(Event::Added, &row)) {
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
                Value::Bytes(bytes) => hexadecimal(bytes).into(),
            };
            prop_assert_eq!(written, &expected);
        }
    }
}
