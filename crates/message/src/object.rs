//! A JSON object made of columns: the body of a field mapping.

use crate::error::{Fault, Rejection};
use crate::json;
use crate::mapping;
use crate::names::Names;
use crate::output::Output;
use crate::value::Value;

/// Names and the columns that give their values, in the order in which they are written.
#[derive(Debug)]
pub(crate) struct ColumnObject {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    /// What stands before the value: the brace or comma, the name and the colon.
    lead: String,
    /// The place of the column in a row.
    column: usize,
}

impl ColumnObject {
    /// Compiles the option `fields`.
    pub fn compile(fields: &str, names: Names<'_>) -> Result<ColumnObject, Fault> {
        let pairs = mapping::fields(fields)?;
        if pairs.is_empty() {
            return Err(Fault::invalid("at least one field is needed"));
        }
        let columns = pairs.iter().map(|(name, column)| Ok((name.as_str(), names.column(column)?)));
        ColumnObject::new(columns.collect::<Result<Vec<_>, Fault>>()?)
    }

    fn new(columns: Vec<(&str, usize)>) -> Result<ColumnObject, Fault> {
        let mut fields = Vec::with_capacity(columns.len());
        for (name, column) in columns {
            let mut lead = Output::default();
            lead.push(if fields.is_empty() { "{" } else { "," })
                .and_then(|()| json::push_string(&mut lead, name))
                .and_then(|()| lead.push(":"))
                .map_err(|rejection| Fault::invalid(rejection.reason))?;
            fields.push(Field { lead: lead.into_string(), column });
        }
        Ok(ColumnObject { fields })
    }

    /// About how many bytes the object will have.
    pub fn room(&self, row: &[Value<'_>]) -> usize {
        let value = |field: &Field| row.get(field.column).map_or(0, Value::text_len);
        // A text has quotes, NULL is a word.
        self.fields.iter().map(|field| field.lead.len() + value(field) + "null".len()).sum()
    }

    /// Writes the object with a row's values: NULL, `NaN` and the infinities as `null`, numbers
    /// with the digits that Postgres has, `json` as it is.
    pub fn push(&self, out: &mut Output, row: &[Value<'_>]) -> Result<(), Rejection> {
        for field in &self.fields {
            out.push(&field.lead)?;
            json::push_value(out, row.get(field.column).unwrap_or(&Value::Null))?;
        }
        out.push("}")
    }
}
