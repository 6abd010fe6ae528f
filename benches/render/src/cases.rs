//! What is rendered: definitions and their rows.

use std::borrow::Cow;

use message::{Context, Definition, DefinitionError, Source, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

const CASES: &str = include_str!("../cases.json");

/// A definition and the row that it is for.
pub(crate) struct Case {
    pub(crate) name: String,
    columns: Vec<String>,
    row: Vec<serde_json::Value>,
    source: Source,
}

/// A case of `cases.json`.
#[derive(Deserialize)]
struct Templated {
    name: String,
    template: String,
    row: Map<String, serde_json::Value>,
}

/// A mapping of the record's fields, a column that holds the record, and the templates.
pub(crate) fn all(record: &impl Serialize) -> serde_json::Result<Vec<Case>> {
    let record: Map<_, _> = serde_json::from_str(&serde_json::to_string(record)?)?;
    let names = json!(record.keys().collect::<Vec<_>>()).to_string();
    let document = Map::from_iter([("message".to_owned(), json!(record))]);
    let mut all = vec![
        Case::new("fields", record, Source { fields: Some(names), ..to_queue() }),
        Case::new(
            "body_column",
            document,
            Source { body_column: Some("message".to_owned()), ..to_queue() },
        ),
    ];
    let templated: Vec<Templated> = serde_json::from_str(CASES)?;
    all.extend(templated.into_iter().map(|Templated { name, template, row }| {
        Case::new(&name, row, Source { template: Some(template), ..to_queue() })
    }));
    Ok(all)
}

fn to_queue() -> Source {
    Source { queue: Some("customers".to_owned()), ..Source::default() }
}

impl Case {
    fn new(name: &str, row: Map<String, serde_json::Value>, source: Source) -> Self {
        let (columns, row) = row.into_iter().unzip();
        Self { name: name.to_owned(), columns, row, source }
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
