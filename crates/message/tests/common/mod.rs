//! What the tests share: rows as lists of column and value, and definitions from them.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::borrow::Cow;

use message::{Change, Definition, DefinitionError, Event, Message, Rejection, Source, Value};
use proptest::prelude::*;

pub fn number(digits: &str) -> Value<'_> {
    Value::Number(Cow::Borrowed(digits))
}

pub fn text(text: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(text))
}

pub fn json(json: &str) -> Value<'_> {
    Value::Json(Cow::Borrowed(json))
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn template(template: &str) -> Source {
    Source { template: Some(template.to_owned()), ..Source::default() }
}

pub fn body_column(column: &str) -> Source {
    Source { body_column: Some(column.to_owned()), ..Source::default() }
}

pub fn fields(fields: &str) -> Source {
    Source { fields: Some(fields.to_owned()), ..Source::default() }
}

/// Compiles for the columns of a row, the first of which is the key.
pub fn compile(source: &Source, row: &[(&str, Value<'_>)]) -> Result<Definition, DefinitionError> {
    let columns: Vec<String> = row.iter().map(|(name, _)| (*name).to_owned()).collect();
    Definition::compile(source, &columns, &columns[..1])
}

pub fn render(source: &Source, row: &[(&str, Value<'_>)]) -> Result<Message, Rejection> {
    let definition = compile(source, row).unwrap_or_else(|e| panic!("{e}"));
    let row: Vec<Value<'_>> = row.iter().map(|(_, value)| value.clone()).collect();
    definition.render(&Change { id: 42, event: Event::Changed, row: &row })
}

/// The body of a JSON template.
pub fn body(source: &str, row: &[(&str, Value<'_>)]) -> String {
    render(&template(source), row).unwrap_or_else(|e| panic!("{source}: {e:?}")).body
}

/// The text of a template that is not JSON, by way of an attribute.
pub fn plain(source: &str, row: &[(&str, Value<'_>)]) -> String {
    let attributes = serde_json::json!({"a": format!("<{source}>")}).to_string();
    let source = Source { attributes: Some(attributes), ..template("1") };
    let message = render(&source, row).unwrap_or_else(|e| panic!("{source:?}: {e:?}"));
    let value = &message.attributes[0].value;
    value[1..value.len() - 1].to_owned()
}

/// Whether a condition holds.
pub fn holds(condition: &str, row: &[(&str, Value<'_>)]) -> bool {
    match plain(&format!("{{% if {condition} %}}yes{{% else %}}no{{% endif %}}"), row).as_str() {
        "yes" => true,
        "no" => false,
        other => panic!("{condition}: {other}"),
    }
}

/// The error of a JSON template, for the columns `id` and `full_name`.
pub fn fault(source: &str) -> DefinitionError {
    compile(&template(source), &[("id", number("1")), ("full_name", text("x"))]).expect_err(source)
}

/// A value of any kind.
pub fn any_value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.to_string().into())),
        any::<String>().prop_map(|t| Value::Text(t.into())),
        any::<Vec<String>>().prop_map(|v| Value::Json(serde_json::json!(v).to_string().into())),
    ]
}
