//! The body of a message: a template, a column, or an object of columns.

use crate::change::Change;
use crate::error::{DefinitionError, Fault, Rejection};
use crate::json;
use crate::limits;
use crate::names::Names;
use crate::object::ColumnObject;
use crate::output::Output;
use crate::source::{Format, Property, Source};
use crate::template::Template;
use crate::value::Value;

/// A compiled body.
#[derive(Debug)]
pub(crate) enum Body {
    Template(Template),
    Column {
        name: String,
        column: usize,
        /// Whether its text must be JSON.
        json: bool,
    },
    Fields(ColumnObject),
}

impl Body {
    pub fn compile(source: &Source, names: Names<'_>) -> Result<Body, DefinitionError> {
        match (&source.template, &source.body_column, &source.fields) {
            (Some(template), None, None) => {
                let format = source.format.unwrap_or(Format::Json);
                compile_template(template, format, names)
                    .map(|template| Body::Template(template.of(Property::Template.as_str())))
                    .map_err(|fault| fault.on(Property::Template.as_str()))
            }
            (None, Some(name), None) => {
                let column =
                    names.column(name).map_err(|fault| fault.on(Property::BodyColumn.as_str()))?;
                let json = source.format == Some(Format::Json);
                Ok(Body::Column { name: name.clone(), column, json })
            }
            (None, None, Some(_)) if source.format == Some(Format::Text) => {
                Err(Fault::invalid("fields make a body of JSON, never one of text")
                    .with_hint("Use template for a text.".to_owned())
                    .on(Property::Format.as_str()))
            }
            (None, None, Some(fields)) => ColumnObject::compile(fields, names)
                .map(Body::Fields)
                .map_err(|fault| fault.on(Property::Fields.as_str())),
            _ => Err(not_one_body(source).on("body")),
        }
    }

    /// The body, which is no longer than SQS takes, and of characters that it takes.
    pub fn render(&self, change: &Change<'_>) -> Result<String, Rejection> {
        let body = match self {
            Body::Template(template) => template.text(change)?.into_owned(),
            Body::Column { name, column, json } => {
                render_column(name, *json, change.row.get(*column))?
            }
            Body::Fields(fields) => {
                let mut out = Output::with_room(fields.room(change.row));
                fields.push(&mut out, change.row)?;
                out.into_string()
            }
        };
        limits::check_body(&body)?;
        Ok(body)
    }
}

fn compile_template(source: &str, format: Format, names: Names<'_>) -> Result<Template, Fault> {
    let template = Template::compile(source, format, names)?;
    if let Some(body) = template.literal() {
        limits::check_body(body)?;
    }
    for part in template.fixed_parts() {
        limits::check_characters(part, || "the body".to_owned())?;
    }
    Ok(template)
}

fn not_one_body(source: &Source) -> Fault {
    let given: Vec<&str> = [
        (Property::Template, &source.template),
        (Property::BodyColumn, &source.body_column),
        (Property::Fields, &source.fields),
    ]
    .into_iter()
    .filter(|(_, body)| body.is_some())
    .map(|(property, _)| property.as_str())
    .collect();
    let message = match given.is_empty() {
        true => "a message needs a body".to_owned(),
        false => format!("a message has one body, but {} are given", given.join(" and ")),
    };
    Fault::invalid(message)
        .with_hint("Give exactly one of template, body_column and fields.".to_owned())
}

fn render_column(
    name: &str,
    is_json: bool,
    value: Option<&Value<'_>>,
) -> Result<String, Rejection> {
    let Some(value) = value.filter(|value| **value != Value::Null) else {
        let reason = format!("column {name:?}, which is the body, is null");
        return Err(Rejection::new("null_body", reason)
            .with_hint("Leave such rows out of the model, or use coalesce in it."));
    };
    // Looked at before it is copied: a column can hold a gigabyte.
    limits::check_part(|| format!("column {name:?}, which is the body,"), value.text_len())?;
    let text = value.text();
    if is_json && !matches!(value, Value::Json(_)) {
        json::check_body(&text)?;
    }
    Ok(text.into_owned())
}
