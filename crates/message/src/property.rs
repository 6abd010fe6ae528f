//! Properties that are one text each: a template, and what the text must be.

use std::borrow::Cow;
use std::sync::Arc;

use crate::change::Change;
use crate::error::{Fault, Rejection};
use crate::limits::TextRule;
use crate::names::Names;
use crate::source::Format;
use crate::template::Template;

/// A compiled property whose text has a rule.
#[derive(Debug)]
pub(crate) struct TextProperty {
    template: Template,
    rule: &'static TextRule,
}

impl TextProperty {
    /// Compiles the property; what no row could make good is an error.
    pub fn compile(
        source: &str,
        rule: &'static TextRule,
        names: Names<'_>,
    ) -> Result<TextProperty, Fault> {
        let template = Template::compile(source, Format::Text, names)?;
        match template.literal() {
            Some(text) => rule.check(text)?,
            None => template.fixed_parts().try_for_each(|part| rule.check_characters(part))?,
        }
        Ok(TextProperty { template: template.of(rule.what), rule })
    }

    /// The text, which keeps the rule; none if it is empty.
    pub fn render<'a>(&'a self, change: &Change<'a>) -> Result<Option<Cow<'a, str>>, Rejection> {
        let text = self.template.text(change)?;
        if text.is_empty() {
            return Ok(None);
        }
        if self.template.literal().is_none() {
            self.rule.check(&text)?;
        }
        Ok(Some(text))
    }

    /// The same to be shared; a literal is not copied.
    pub fn render_shared(&self, change: &Change<'_>) -> Result<Option<Arc<str>>, Rejection> {
        match self.template.literal() {
            Some(text) => Ok(Some(text.clone())),
            None => Ok(self.render(change)?.map(Arc::from)),
        }
    }
}
