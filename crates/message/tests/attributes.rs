//! Message attributes: their types, and what becomes of each kind of value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{AttributeValue, DefinitionError, Message, Rejection, Source, Value};

fn with(attributes: &str) -> Source {
    Source { attributes: given(attributes), ..template("{}") }
}

/// Name, type and value of each, for people.
fn shown(message: &Message) -> Vec<(&str, &str, String)> {
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.to_string(),
        AttributeValue::Bytes(bytes) => format!("{bytes:?}"),
    };
    message.attributes.iter().map(|a| (&*a.name, &*a.data_type, value(&a.value))).collect()
}

fn one(attribute: &str, value: Value<'_>) -> Result<AttributeValue, Rejection> {
    let source = with(&format!(r#"{{"a": {attribute}}}"#));
    Ok(render(&source, &[("x", value)])?.attributes.remove(0).value)
}

fn refused(attributes: &str) -> DefinitionError {
    let error = compile(&with(attributes), &[("id", number("1"))]).unwrap_err();
    assert_eq!(error.property(), "attributes");
    error
}

#[test]
fn attributes_are_typed_and_in_their_own_order() {
    let attributes = r#"{
        "source": "crm",
        "mixed": "{{ event }}/{{row.id}}/{{change.id}}",
        "total": {"type": "Number", "value": "{{row.id}}"},
        "cents": {"type": "Number.cents", "value": "150"},
        "photo": {"type": "Binary", "value": "{{row.photo}}"},
        "label": {"type": "String.a label", "value": "{{row.name}}"},
        "plain": {"value": "x"}}"#;
    let row = [("id", number("1.50")), ("name", text("a \"b\"")), ("photo", bytes(&[0, 255]))];
    let message = render(&with(attributes), &row).unwrap();
    let expected = [
        ("source", "String", "crm"),
        ("mixed", "String", "changed/1.50/42"),
        ("total", "Number", "1.50"),
        ("cents", "Number.cents", "150"),
        ("photo", "Binary", "[0, 255]"),
        ("label", "String.a label", "a \"b\""),
        ("plain", "String", "x"),
    ];
    assert_eq!(shown(&message), expected.map(|(n, t, v)| (n, t, v.to_owned())));
    let counted: usize = expected.iter().map(|(n, t, v)| n.len() + t.len() + v.len()).sum();
    assert_eq!(message.size(), "{}".len() + counted - "[0, 255]".len() + 2);
}

#[test]
fn a_string_shows_each_kind_of_value_as_text() {
    for (value, expected) in [
        (Value::Bool(true), "true"),
        (Value::Bool(false), "false"),
        (number("NaN"), "NaN"),
        (number("1e300"), "1e300"),
        (text("\"\\\n"), "\"\\\n"),
        (json("{\"a\": 1}"), "{\"a\": 1}"),
        (bytes(b"\x01"), "\\x01"),
    ] {
        assert_eq!(one(r#""{{row.x}}""#, value).unwrap(), AttributeValue::Text(expected.into()));
    }
}

#[test]
fn a_lone_bytea_is_its_bytes_and_anything_else_its_text() {
    let lone = r#"{"type": "Binary", "value": "{{ row.x }}"}"#;
    for (value, expected) in [
        (bytes(&[0, 159, 146, 150]), &[0, 159, 146, 150][..]),
        (text("é"), "é".as_bytes()),
        (number("1.50"), b"1.50"),
        (text("\u{1}"), b"\x01"),
    ] {
        assert_eq!(one(lone, value).unwrap(), AttributeValue::Bytes(expected.to_vec()));
    }
    let mixed = r#"{"type": "Binary.x", "value": "<{{row.x}}>"}"#;
    assert_eq!(one(mixed, bytes(&[1])).unwrap(), AttributeValue::Bytes(b"<\\x01>".to_vec()));
    let literal = r#"{"type": "Binary", "value": "x"}"#;
    assert_eq!(one(literal, Value::Null).unwrap(), AttributeValue::Bytes(b"x".to_vec()));
}

#[test]
fn a_value_that_sqs_does_not_take_is_rejected_by_the_attributes_name() {
    let number_type = r#"{"type": "Number", "value": "{{row.x}}"}"#;
    let binary_type = r#"{"type": "Binary", "value": "{{row.x}}"}"#;
    for (attribute, value, code, reason) in [
        (r#""{{row.x}}""#, Value::Null, "empty_attribute", "attribute \"a\" is empty"),
        (number_type, Value::Null, "empty_attribute", "attribute \"a\" is empty"),
        (binary_type, bytes(&[]), "empty_attribute", "attribute \"a\" is empty"),
        (r#""<{{row.x}}""#, text("\u{b}"), "invalid_character", "attribute \"a\" holds U+000B"),
        (
            number_type,
            number("NaN"),
            "invalid_number",
            "attribute \"a\", a Number, is not a number",
        ),
        (number_type, Value::Bool(true), "invalid_number", "attribute \"a\", a Number, is not"),
        (number_type, number("1e-200"), "invalid_number", "attribute \"a\", a Number, is outside"),
    ] {
        let rejection = one(attribute, value).unwrap_err();
        assert_eq!(rejection.code, code);
        assert!(rejection.reason.starts_with(reason), "{}", rejection.reason);
        assert!(rejection.hint.is_some());
    }
}

#[test]
fn bytes_count_towards_the_size_and_are_looked_at_before_they_are_copied() {
    let source = with(r#"{"a": {"type": "Binary", "value": "{{row.x}}"}}"#);
    let rest = "{}".len() + "a".len() + "Binary".len();
    let full = vec![0; 1_048_576 - rest];
    assert_eq!(render(&source, &[("x", bytes(&full))]).unwrap().size(), 1_048_576);
    for over in [1, 1_048_576] {
        let long = vec![0; full.len() + over];
        let rejection = render(&source, &[("x", bytes(&long))]).unwrap_err();
        assert_eq!(rejection.code, "message_too_long");
    }
}

#[test]
fn mistakes_are_told_with_the_attribute() {
    for (attributes, message) in [
        (
            r#"{"AWS.x": "y"}"#,
            "attribute \"AWS.x\": the name begins with a prefix that AWS reserves",
        ),
        (r#"{"a": ""}"#, "attribute \"a\" is empty, which SQS does not take"),
        (r#"{"a": "1", "a": "2"}"#, "name \"a\" is given twice"),
        (
            r#"{"a": "x{{row.idd}}"}"#,
            "attribute \"a\": line 1, column 4: column \"idd\" is not in the model",
        ),
        (
            r#"{"a": {"type": "Text", "value": "x"}}"#,
            "attribute \"a\": the type is not String, Number or Binary",
        ),
        (
            r#"{"a": {"type": "String.{{row.id}}", "value": "x"}}"#,
            "attribute \"a\": the type cannot be a template",
        ),
        (
            r#"{"a": {"type": "Number", "value": "ten"}}"#,
            "attribute \"a\", a Number, is not a number",
        ),
        (r#"{"a": "{{row.id}}\u0001"}"#, "attribute \"a\" holds U+0001, which SQS does not take"),
    ] {
        assert_eq!(refused(attributes).to_string(), message);
    }
    for (attributes, part) in [
        (r#"["a"]"#, "expected a JSON object"),
        (r#"{"a": 1}"#, "expected a string, or an object of type and value"),
        (r#"{"a": null}"#, "expected a string, or an object of type and value"),
        (r#"{"a": {"type": "Number"}}"#, "missing field `value`"),
        (r#"{"a": {"value": "1", "typ": "Number"}}"#, "unknown field `typ`"),
        (r#"{"a": {"value": "1", "value": "2"}}"#, "duplicate field `value`"),
    ] {
        let error = refused(attributes).to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn eleven_attributes_are_refused() {
    let many = |count: usize| {
        let pairs: serde_json::Map<String, serde_json::Value> =
            (0..count).map(|i| (format!("n{i}"), "x".into())).collect();
        serde_json::Value::Object(pairs).to_string()
    };
    assert_eq!(render(&with(&many(10)), &[("id", number("1"))]).unwrap().attributes.len(), 10);
    assert_eq!(refused(&many(11)).to_string(), "11 attributes are more than SQS's limit of 10");
}
