//! What the tests share: rows as lists of column and value, and definitions from them.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod generate;
pub mod legal;
pub mod trial;

use std::borrow::Cow;

use message::{
    Change, Context, Definition, DefinitionError, Event, Format, Message, Rejection, Run, Source,
    Value,
};
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

pub fn bytes(bytes: &[u8]) -> Value<'_> {
    Value::Bytes(Cow::Borrowed(bytes))
}

/// A property that is given.
pub fn given(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A definition for a standard queue, without a body.
pub fn to_queue() -> Source {
    Source { queue: given("orders"), ..Source::default() }
}

pub fn template(template: &str) -> Source {
    Source { template: given(template), ..to_queue() }
}

pub fn body_column(column: &str) -> Source {
    Source { body_column: given(column), ..to_queue() }
}

pub fn fields(fields: &str) -> Source {
    Source { fields: given(fields), ..to_queue() }
}

/// The uuid of the tests' sync.
pub const UUID: &str = "6a1f0d5e-3b0c-4c8f-9a53-0d3a8c1f2e11";

/// The tests' sync.
pub fn context<'a>(columns: &'a [String], key: &'a [String]) -> Context<'a> {
    Context { columns, key, sync_name: "my sync", sync_uuid: UUID, allowed_queues: None }
}

pub const RUN: Run<'_> = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };

/// A change of a row to itself.
pub fn change<'a>(event: Event, row: &'a [Value<'a>]) -> Change<'a> {
    Change { id: 42, event, row, old: Some(row), run: RUN }
}

/// Compiles for the columns of a row, the first of which is the key.
pub fn compile(source: &Source, row: &[(&str, Value<'_>)]) -> Result<Definition, DefinitionError> {
    let columns: Vec<String> = row.iter().map(|(name, _)| (*name).to_owned()).collect();
    Definition::compile(source, &context(&columns, &columns[..1]))
}

pub fn render(source: &Source, row: &[(&str, Value<'_>)]) -> Result<Message, Rejection> {
    let definition = compile(source, row).unwrap_or_else(|e| panic!("{e}"));
    let row: Vec<Value<'_>> = row.iter().map(|(_, value)| value.clone()).collect();
    definition.render(&change(Event::Changed, &row))
}

/// The body of a JSON template.
pub fn body(source: &str, row: &[(&str, Value<'_>)]) -> String {
    render(&template(source), row).unwrap_or_else(|e| panic!("{source}: {e:?}")).body
}

/// The text of a template that is not JSON.
pub fn plain(source: &str, row: &[(&str, Value<'_>)]) -> String {
    let source = Source { format: Some(Format::Text), ..template(&format!("<{source}>")) };
    let body = render(&source, row).unwrap_or_else(|e| panic!("{source:?}: {e:?}")).body;
    body[1..body.len() - 1].to_owned()
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
        any::<Vec<u8>>().prop_map(|b| Value::Bytes(b.into())),
        any::<Vec<String>>().prop_map(|v| Value::Json(serde_json::json!(v).to_string().into())),
    ]
}
