//! A message definition: compiled once from what its owner wrote, then used for each change.

use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;
use crate::error::{DefinitionError, Fault, Rejection};
use crate::limits::{self, MAX_MESSAGE_BYTES};
use crate::message::Message;
use crate::names::{ColumnsUsed, Names, Usage};
use crate::object::ColumnObject;
use crate::output::Output;
use crate::template::{Format, Template};
use crate::value::{Change, Value};

/// A message definition as its owner wrote it. Exactly one of `template`, `body_column` and
/// `fields` must be given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// A JSON template in Liquid.
    pub template: Option<String>,
    /// The column whose text is the body, letter for letter.
    pub body_column: Option<String>,
    /// The JSON text of an object of name in the message to column, or of an array of columns.
    pub fields: Option<String>,
    /// The JSON text of an object of attribute name to text template.
    pub attributes: Option<String>,
}

/// A compiled message definition.
#[derive(Debug)]
pub struct Definition {
    body: Body,
    attributes: Attributes,
    /// How many values a row has.
    columns: usize,
    columns_used: ColumnsUsed,
}

#[derive(Debug)]
enum Body {
    Template(Template),
    Column { name: String, column: usize },
    Fields(ColumnObject),
}

impl Definition {
    /// Compiles a definition for a model with these columns and this key.
    ///
    /// # Errors
    ///
    /// Everything that can be known to be wrong without a row, with the option that it is in.
    pub fn compile(
        source: &Source,
        columns: &[String],
        key: &[String],
    ) -> Result<Definition, DefinitionError> {
        let usage = Usage::of(columns);
        let names = Names { columns, key, usage: &usage };
        names.check_key().map_err(|fault| fault.on("key"))?;
        let body = compile_body(source, names)?;
        let attributes = match &source.attributes {
            Some(json) => Attributes::compile(json, names).map_err(|e| e.on("attributes"))?,
            None => Attributes::default(),
        };
        let columns_used = usage.columns_used();
        Ok(Definition { body, attributes, columns: columns.len(), columns_used })
    }

    /// The columns that [`Definition::render`] reads. The caller need read no others: their values
    /// may be [`Value::Null`].
    pub fn columns_used(&self) -> &ColumnsUsed {
        &self.columns_used
    }

    /// The message of a change, fit to send: [`limits::check`] has passed.
    ///
    /// # Errors
    ///
    /// A rejection with one of the codes of [`limits::check`], or `null_body`, `invalid_json`,
    /// `not_a_json_value` or `wrong_column_count`.
    pub fn render(&self, change: &Change<'_>) -> Result<Message, Rejection> {
        if change.row.len() != self.columns {
            let reason = format!(
                "the row has {} columns, but the definition was made for {}",
                change.row.len(),
                self.columns
            );
            return Err(Rejection::new("wrong_column_count", reason));
        }
        let body = self.body.render(change)?;
        let message = Message { body, attributes: self.attributes.render(change)? };
        limits::check(&message)?;
        Ok(message)
    }
}

fn compile_body(source: &Source, names: Names<'_>) -> Result<Body, DefinitionError> {
    match (&source.template, &source.body_column, &source.fields) {
        (Some(template), None, None) => Template::compile(template, Format::Json, names)
            .map(Body::Template)
            .map_err(|fault| fault.on("template")),
        (None, Some(name), None) => {
            let column = names.column(name).map_err(|fault| fault.on("body_column"))?;
            Ok(Body::Column { name: name.clone(), column })
        }
        (None, None, Some(fields)) => ColumnObject::compile(fields, names)
            .map(Body::Fields)
            .map_err(|fault| fault.on("fields")),
        (template, body_column, fields) => {
            let given: Vec<&str> = [
                template.as_ref().map(|_| "template"),
                body_column.as_ref().map(|_| "body_column"),
                fields.as_ref().map(|_| "fields"),
            ]
            .into_iter()
            .flatten()
            .collect();
            let message = if given.is_empty() {
                "a message needs a body".to_owned()
            } else {
                format!("a message has one body, but {} are given", given.join(" and "))
            };
            let hint = "Give exactly one of template, body_column and fields.".to_owned();
            Err(Fault::invalid(message).with_hint(hint).on("body"))
        }
    }
}

impl Body {
    fn render(&self, change: &Change<'_>) -> Result<String, Rejection> {
        match self {
            Body::Template(template) => template.render(change),
            Body::Column { name, column } => render_column(name, change.row.get(*column)),
            Body::Fields(fields) => {
                let mut out = Output::default();
                fields.push(&mut out, change.row)?;
                Ok(out.into_string())
            }
        }
    }
}

fn render_column(name: &str, value: Option<&Value<'_>>) -> Result<String, Rejection> {
    let text = match value {
        None | Some(Value::Null) => {
            let reason = format!("column {name:?}, which is the body, is null");
            return Err(Rejection::new("null_body", reason));
        }
        Some(value) => value.text(),
    };
    // Looked at before it is copied: a column can hold a gigabyte.
    if text.len() > MAX_MESSAGE_BYTES {
        let reason = format!(
            "column {name:?}, which is the body, has {} bytes, more than SQS's limit of {}",
            text.len(),
            MAX_MESSAGE_BYTES
        );
        return Err(Rejection::new("message_too_long", reason));
    }
    Ok(text.to_owned())
}
