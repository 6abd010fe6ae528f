//! Values as they are written: as plain text, inside a JSON string, and where JSON has a value.

use super::{Number, Val};
use crate::error::Rejection;
use crate::json;
use crate::output::Output;
use crate::template::work::Work;
use crate::value::Value;

impl Val<'_> {
    /// Writes the value as plain text.
    pub fn push_plain(&self, out: &mut Output, work: &mut Work) -> Result<(), Rejection> {
        match self {
            Val::Text(text) => out.push(text),
            _ => {
                let text = self.to_text(work)?;
                out.push(&text)
            }
        }
    }

    /// Writes the value's text as the inside of a JSON string.
    pub fn push_escaped(&self, out: &mut Output, work: &mut Work) -> Result<(), Rejection> {
        match self {
            Val::Text(text) => json::push_escaped(out, text),
            _ => {
                let text = self.to_text(work)?;
                json::push_escaped(out, &text)
            }
        }
    }

    /// Writes the value as JSON, with the meaning of JSON.stringify but for numbers, which keep
    /// their digits. What is written is one JSON value, if the row's own JSON is JSON.
    ///
    /// Recurses into what a template can nest: pairs of objects, the row's columns.
    pub fn push_json(&self, out: &mut Output, work: &mut Work) -> Result<(), Rejection> {
        work.step()?;
        match self {
            Val::Nil => out.push("null"),
            Val::Bool(true) => out.push("true"),
            Val::Bool(false) => out.push("false"),
            Val::Number(Number::Int(n)) => out.push(&n.to_string()),
            Val::Number(Number::Written(digits)) if !json::is_finite(digits) => out.push("null"),
            Val::Number(Number::Written(digits)) => out.push(digits),
            Val::Text(text) => json::push_string(out, text),
            Val::Bytes(bytes) => json::push_value(out, &Value::Bytes((*bytes).into())),
            Val::Json(text) => out.push(text),
            Val::Kept(kept) => out.push(kept.text),
            Val::Empty | Val::Blank => out.push("\"\""),
            Val::Range(..) => {
                let elements = self.elements(work)?.unwrap_or_default();
                push_array(&elements, out, work)
            }
            Val::Array(elements) => push_array(elements, out, work),
            Val::Object(pairs) => {
                let mut separator = "{";
                for (name, value) in pairs.iter() {
                    out.push(separator)?;
                    json::push_string(out, name)?;
                    out.push(":")?;
                    value.push_json(out, work)?;
                    separator = ",";
                }
                out.push(if separator == "{" { "{}" } else { "}" })
            }
        }
    }

    /// The value as JSON.
    pub fn to_json(&self, work: &mut Work) -> Result<String, Rejection> {
        let mut out = Output::default();
        self.push_json(&mut out, work)?;
        work.bytes(out.as_str().len())?;
        Ok(out.into_string())
    }
}

fn push_array(elements: &[Val<'_>], out: &mut Output, work: &mut Work) -> Result<(), Rejection> {
    let mut separator = "[";
    for element in elements {
        out.push(separator)?;
        element.push_json(out, work)?;
        separator = ",";
    }
    out.push(if separator == "[" { "[]" } else { "]" })
}
