//! What is rendered: definitions and their rows.

use std::borrow::Cow;

use message::{Context, Definition, DefinitionError, Source, Value};
use serde::Deserialize;
use serde_json::{Map, json};

const CASES: &str = include_str!("../cases.json");

/// A definition and the row that it is for.
pub(crate) struct Case {
    pub(crate) name: String,
    columns: Vec<String>,
    row: Vec<serde_json::Value>,
    source: Source,
}

/// A case of `cases.json`. Its template is LiquidJS's where the body is made in another way here.
#[derive(Deserialize)]
struct Written {
    name: String,
    template: String,
    fields: Option<Vec<String>>,
    body_column: Option<String>,
    row: Map<String, serde_json::Value>,
}

/// Every case.
pub(crate) fn all() -> serde_json::Result<Vec<Case>> {
    let written: Vec<Written> = serde_json::from_str(CASES)?;
    Ok(written.into_iter().map(Case::of).collect())
}

fn to_queue() -> Source {
    Source { queue: Some("customers".to_owned()), ..Source::default() }
}

impl Case {
    fn of(Written { name, template, fields, body_column, row }: Written) -> Self {
        let has_template = fields.is_none() && body_column.is_none();
        let source = Source {
            template: has_template.then_some(template),
            fields: fields.map(|names| json!(names).to_string()),
            body_column,
            ..to_queue()
        };
        let (columns, row) = row.into_iter().unzip();
        Self { name, columns, row, source }
    }

    /// The first column is the key.
    pub(crate) fn compile(&self) -> Result<Definition, DefinitionError> {
        let context = Context {
            columns: &self.columns,
            key: &self.columns[..1],
            sync_name: "customers",
            sync_uuid: "6a1f0d5e-3b0c-4c8f-9a53-0d3a8c1f2e11",
            allowed_queues: None,
        };
        Definition::compile(&self.source, &context)
    }

    /// The row as Postgres would print it.
    pub(crate) fn values(&self) -> Vec<Value<'_>> {
        self.row.iter().map(value).collect()
    }
}

fn value(value: &serde_json::Value) -> Value<'_> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(number) => Value::Number(Cow::Owned(number.to_string())),
        serde_json::Value::String(text) => Value::Text(Cow::Borrowed(text)),
        json => Value::Json(Cow::Owned(json.to_string())),
    }
}
