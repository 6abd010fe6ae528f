//! Liquid templates: compiled once, then rendered from borrowed columns.
//!
//! The way of a template: [`scan`] splits it at its delimiters and holds the caps on size; [`token`]
//! and [`expression`] read what is between them; [`scope`], [`roots`] and [`operand`] give names
//! their meaning; [`tree`], [`block`] and [`condition`] build the [`node`]s without recursion;
//! [`position`] follows the JSON around each output. [`render`] and [`loops`] then walk the nodes for
//! a change, with the values of [`value`] and the filters of [`filter`], and pay for each step at
//! [`work`].
//!
//! Promises: a template costs bounded stack, memory and time to compile and to render; every name
//! is checked when it is compiled; a JSON template renders to valid JSON in which each output is one
//! value or a part of one string, or the row is rejected; a change always renders to the same text.

mod block;
mod condition;
#[cfg(test)]
mod documented;
mod expression;
mod filter;
mod loops;
mod node;
mod operand;
#[cfg(test)]
mod paid;
mod position;
mod render;
mod roots;
mod scan;
mod scope;
mod token;
mod tree;
mod value;
mod work;

pub use work::{INTERRUPTED, ask_for_interrupts};

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

use node::{Kind, Node};
use operand::Operand;
use render::Render;
use scope::{Places, Scope};

/// A compiled template.
#[derive(Debug)]
pub(crate) struct Template {
    format: Format,
    content: Content,
    places: Places,
    /// The property that it is, for rejections.
    property: Option<Box<str>>,
    /// What was written: about as long as what is rendered, and needed to tell places in it.
    source: Box<str>,
}

#[derive(Debug)]
enum Content {
    /// Nothing in it depends on the row.
    Literal(Arc<str>),
    /// A text template that is one column and nothing else.
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
            Some(Node { kind: Kind::Output { expression, .. }, .. }) if expression.is_column() => {
                Content::Lone(expression.operand)
            }
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
        Template::compile_in(source, format, names, false)
    }

    /// Compiles a template of the conformance suite, which sees the columns without `row` and any
    /// other name as `nil`.
    #[cfg(feature = "conformance")]
    pub fn compile_lax(source: &str, names: Names<'_>) -> Result<Template, Fault> {
        Template::compile_in(source, Format::Text, names, true)
    }

    fn compile_in(
        source: &str,
        format: Format,
        names: Names<'_>,
        is_lax: bool,
    ) -> Result<Template, Fault> {
        let compiled = Template::compile_located(source, format, names, is_lax);
        compiled.map_err(|Located { at, fault }| fault.within(&place(source, at)))
    }

    fn compile_located(
        source: &str,
        format: Format,
        names: Names<'_>,
        is_lax: bool,
    ) -> Result<Template, Located> {
        let pieces = scan::scan(source)?;
        let (mut nodes, places) = tree::build(&pieces, Scope::of(&pieces, names, is_lax))?;
        if format == Format::Json {
            position::resolve(&mut nodes)?;
        }
        let mut content = Content::of(nodes, format);
        if let (Format::Json, Content::Literal(text)) = (format, &mut content) {
            if let Cow::Owned(tolerated) = json::tolerated(text) {
                *text = tolerated.into();
            }
            json::check_body(text).map_err(|rejection| Fault::invalid(rejection.reason).at(0))?;
        }
        Ok(Template { format, content, places, property: None, source: source.into() })
    }

    /// The template, whose rejections name the property that it is.
    pub fn of(self, property: &str) -> Template {
        Template { property: Some(property.into()), ..self }
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
                let value = operand.column(change).flatten().unwrap_or(&Value::Null).borrowed();
                let bytes = match &value {
                    Value::Bytes(bytes) => bytes.len(),
                    text => text.text_len(),
                };
                limits::check_part(|| operand.label(), bytes)?;
                Ok(value)
            }
            Content::Nodes(nodes) => {
                let body = self.render(nodes, change)?;
                Ok(Value::Text(Cow::Owned(body)))
            }
        }
    }

    fn render<'a>(&'a self, nodes: &'a [Node], change: &Change<'a>) -> Result<String, Rejection> {
        let mut out = Output::with_room(self.source.len());
        let mut render = Render::new(*change, self.places);
        render.nodes(nodes, &mut out).map_err(|rejection| match render.failed_at() {
            Some(at) if rejection.code != INTERRUPTED => self.located(rejection, at),
            _ => rejection,
        })?;
        let text = out.into_string();
        if self.format == Format::Text {
            return Ok(text);
        }
        match json::check_body(&text) {
            Ok(()) => Ok(text),
            Err(_) => {
                let tolerated = json::tolerated(&text).into_owned();
                json::check_body(&tolerated).map(|()| tolerated)
            }
        }
    }

    fn located(&self, rejection: Rejection, at: usize) -> Rejection {
        let located = rejection.within(&place(&self.source, at));
        match &self.property {
            Some(property) => located.within(property),
            None => located,
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

/// A place in a template, for people.
fn place(source: &str, at: usize) -> String {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
