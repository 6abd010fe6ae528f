//! Liquid templates: compiled once, then rendered from borrowed columns.
//!
//! The way of a template: [`scan`] splits it at its delimiters and holds the caps on size; [`parse`]
//! has the `liquid-core` crate read what is between them, one element at a time; [`tree`] builds the
//! blocks without recursion; [`operand`] and [`condition`] give names and comparisons their
//! meaning; [`position`] follows the JSON around each output.
//!
//! Why so little of the crate: its values hold numbers as `i64` and `f64`, its comparisons take
//! wrong branches, and its parser recurses and panics on input that an owner can write. So it is
//! the parser of single elements, small and checked before, and the core is ours. No other module
//! than [`parse`] names it.
//!
//! Promises: a template costs bounded stack and memory to compile and to render; every name is
//! checked when it is compiled; a JSON template renders to valid JSON in which each output is one
//! value or a part of one string, or the row is rejected.

mod condition;
mod operand;
mod parse;
mod position;
mod scan;
mod tree;

use std::borrow::Cow;
use std::sync::Arc;

use crate::change::Change;
use crate::error::{Fault, Rejection};
use crate::json;
use crate::limits;
use crate::names::Names;
use crate::output::Output;
use crate::source::Format;
use crate::value::Value;

use operand::Operand;
use position::Position;
use tree::Node;

/// A compiled template.
#[derive(Debug)]
pub(crate) struct Template {
    format: Format,
    content: Content,
    /// The length of what was written, in bytes: about that of what is rendered.
    source_len: usize,
}

#[derive(Debug)]
enum Content {
    /// Nothing in it depends on the row.
    Literal(Arc<str>),
    /// A text template that is one output and nothing else.
    Lone(Operand),
    Nodes(Vec<Node>),
}

impl Content {
    /// Takes the short ways that can be known before there is a row.
    fn of(mut nodes: Vec<Node>, format: Format) -> Content {
        if let Some(text) = nodes.iter().map(Node::as_text).collect::<Option<String>>() {
            return Content::Literal(text.into());
        }
        if format == Format::Json || nodes.len() > 1 {
            return Content::Nodes(nodes);
        }
        match nodes.pop() {
            Some(Node::Output(output)) => Content::Lone(output.value),
            last => Content::Nodes(last.into_iter().collect()),
        }
    }
}

/// A fault and where in the template it is, as an offset in bytes.
#[derive(Debug)]
struct Located {
    at: usize,
    fault: Fault,
}

impl Fault {
    fn at(self, at: usize) -> Located {
        Located { at, fault: self }
    }
}

impl Template {
    /// Compiles a template that may use these names.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with its line and column (in characters, from 1).
    pub fn compile(source: &str, format: Format, names: Names<'_>) -> Result<Template, Fault> {
        let compiled = Template::compile_located(source, format, names);
        compiled.map_err(|Located { at, fault }| fault.within(&place(source, at)))
    }

    fn compile_located(
        source: &str,
        format: Format,
        names: Names<'_>,
    ) -> Result<Template, Located> {
        let mut nodes = tree::build(&scan::scan(source)?, names)?;
        if format == Format::Json {
            position::resolve(&mut nodes)?;
        }
        let content = Content::of(nodes, format);
        if let (Format::Json, Content::Literal(text)) = (format, &content) {
            json::check_body(text).map_err(|rejection| Fault::invalid(rejection.reason).at(0))?;
        }
        Ok(Template { format, content, source_len: source.len() })
    }

    /// The template's text when no row changes it.
    pub fn literal(&self) -> Option<&Arc<str>> {
        match &self.content {
            Content::Literal(text) => Some(text),
            _ => None,
        }
    }

    /// The texts that it writes whatever the row is, in their order.
    pub fn fixed_parts(&self) -> impl Iterator<Item = &str> {
        let (literal, nodes): (Option<&str>, &[Node]) = match &self.content {
            Content::Literal(text) => (Some(text), &[]),
            Content::Lone(_) => (None, &[]),
            Content::Nodes(nodes) => (None, nodes),
        };
        literal.into_iter().chain(nodes.iter().filter_map(Node::as_text))
    }

    /// The text that it ends with whatever the row is, as far as it is known.
    pub fn fixed_end(&self) -> Option<&str> {
        match &self.content {
            Content::Literal(text) => Some(text),
            Content::Lone(_) => None,
            Content::Nodes(nodes) => nodes.last().and_then(Node::as_text),
        }
    }

    /// What the template makes of a change: text, and of a lone output the value itself. Borrowed
    /// where it can be, and not longer than a message.
    ///
    /// # Errors
    ///
    /// Rejections `message_too_long`, and for JSON `not_a_json_value` and `invalid_json`.
    pub fn value<'a>(&'a self, change: &Change<'a>) -> Result<Value<'a>, Rejection> {
        match &self.content {
            Content::Literal(text) => Ok(Value::Text(Cow::Borrowed(text))),
            Content::Lone(operand) => {
                let value = operand.value(change)?;
                let bytes = match &value {
                    Value::Bytes(bytes) => bytes.len(),
                    text => text.text_len(),
                };
                limits::check_part(|| operand.label(), bytes)?;
                Ok(value)
            }
            Content::Nodes(nodes) => {
                let mut out = Output::with_room(self.source_len);
                render_nodes(nodes, change, &mut out)?;
                if self.format == Format::Json {
                    json::check_body(out.as_str())?;
                }
                Ok(Value::Text(Cow::Owned(out.into_string())))
            }
        }
    }

    /// The same as text.
    pub fn text<'a>(&'a self, change: &Change<'a>) -> Result<Cow<'a, str>, Rejection> {
        match self.value(change)? {
            bytes @ Value::Bytes(_) => {
                let mut out = Output::default();
                out.push_plain(&bytes)?;
                Ok(Cow::Owned(out.into_string()))
            }
            text => Ok(text.into_text()),
        }
    }
}

/// Recurses once for each block within a block, of which [`tree`] allows a few dozen.
fn render_nodes(nodes: &[Node], change: &Change<'_>, out: &mut Output) -> Result<(), Rejection> {
    for node in nodes {
        match node {
            Node::Text { text, .. } => out.push(text)?,
            Node::Output(output) => render_output(output, change, out)?,
            Node::If(block) => render_nodes(block.choose(change)?, change, out)?,
        }
    }
    Ok(())
}

fn render_output(
    output: &tree::Output,
    change: &Change<'_>,
    out: &mut Output,
) -> Result<(), Rejection> {
    let value = output.value.value(change)?;
    match (output.position, &value) {
        (Position::Plain, _) => out.push_plain(&value),
        (Position::String, _) => {
            let text = out.text_of(&value)?;
            json::push_escaped(out, &text)
        }
        (Position::Value, Value::Text(text)) if position::stands_as_value(text) => out.push(text),
        (Position::Value, Value::Text(_) | Value::Bytes(_)) => {
            let reason = format!("{} holds text that is not one JSON value", output.value.label());
            Err(Rejection::new("not_a_json_value", reason)
                .with_hint("Put quotes around the output in the template."))
        }
        (Position::Value, _) => json::push_value(out, &value),
    }
}

/// A place in a template, for people.
fn place(source: &str, at: usize) -> String {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
