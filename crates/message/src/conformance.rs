//! The way in for the suite that Liquid engines are measured by: its templates use any name, without
//! `row`, and names that mean nothing are `nil`. All else is as for every other template.

use std::fmt;

use crate::change::{Change, Event, Run};
use crate::error::Rejection;
use crate::names::{Names, Usage};
use crate::template::Template;
use crate::value::Value;

/// Why a template makes no text.
#[derive(Debug)]
pub enum Failure {
    Template(String),
    Row(Rejection),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Template(message) => write!(f, "the template: {message}"),
            Failure::Row(rejection) => write!(f, "the row: {}", rejection.reason),
        }
    }
}

/// Renders a text template with these values.
///
/// # Errors
///
/// The template is refused, or the values are rejected.
pub fn render(template: &str, values: &[(String, Value<'_>)]) -> Result<String, Failure> {
    let columns: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
    let row: Vec<Value<'_>> = values.iter().map(|(_, value)| value.borrowed()).collect();
    let usage = Usage::of(&columns);
    let names = Names { columns: &columns, key: &[], sync_name: "conformance", usage: &usage };
    let template =
        Template::compile_lax(template, names).map_err(|fault| Failure::Template(fault.message))?;
    let run = Run { id: 1, started_at: "2024-01-15T08:00:00Z" };
    let change = Change { id: 1, event: Event::Added, row: &row, old: None, run };
    template.text(&change).map(|text| text.into_owned()).map_err(Failure::Row)
}
