//! The option `attributes`: SQS message attributes, each value a plain text template.

use crate::error::{Fault, Rejection};
use crate::limits;
use crate::mapping;
use crate::message::Attribute;
use crate::names::Names;
use crate::template::{Format, Template};
use crate::value::Change;

/// Compiled attributes, in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Vec<(String, Template)>);

impl Attributes {
    pub fn compile(attributes: &str, names: Names<'_>) -> Result<Attributes, Fault> {
        let pairs = mapping::parse(attributes, false)?;
        if pairs.len() > limits::MAX_ATTRIBUTES {
            return Err(Fault::invalid(limits::too_many_attributes(pairs.len())));
        }
        let compile = |(name, template): (String, String)| {
            limits::check_attribute_name(&name).map_err(Fault::invalid)?;
            let template = Template::compile(&template, Format::Text, names)
                .map_err(|fault| fault.within(&format!("attribute {name:?}")))?;
            if template.as_literal() == Some("") {
                let message = format!("attribute {name:?} is empty, which SQS does not take");
                return Err(Fault::invalid(message));
            }
            Ok((name, template))
        };
        Ok(Attributes(pairs.into_iter().map(compile).collect::<Result<_, Fault>>()?))
    }

    pub fn render(&self, change: &Change<'_>) -> Result<Vec<Attribute>, Rejection> {
        let render = |(name, template): &(String, Template)| {
            Ok(Attribute { name: name.clone(), value: template.render(change)? })
        };
        self.0.iter().map(render).collect()
    }
}
