//! A message definition: compiled once from what its owner wrote, then used for each change.

use crate::attributes::Attributes;
use crate::body::Body;
use crate::change::{Change, Event};
use crate::context::Context;
use crate::delivery::{Delivered, Delivery};
use crate::error::{DefinitionError, Fault, Rejection};
use crate::limits::{self, MAX_MESSAGE_BYTES};
use crate::message::Message;
use crate::names::{ColumnsUsed, Names, Usage};
use crate::queue::Queue;
use crate::source::{Format, Property, Source};
use crate::template::Template;

/// A compiled message definition.
#[derive(Debug)]
pub struct Definition {
    queue: Queue,
    body: Body,
    attributes: Attributes,
    delivery: Delivery,
    message_id: Option<Template>,
    /// How many values a row has.
    columns: usize,
    columns_used: ColumnsUsed,
}

impl Definition {
    /// Compiles a definition for a sync.
    ///
    /// # Errors
    ///
    /// Everything that can be known to be wrong without a row, with the option that it is in.
    pub fn compile(source: &Source, context: &Context<'_>) -> Result<Definition, DefinitionError> {
        let Context { columns, key, sync_name, .. } = *context;
        let usage = Usage::of(columns);
        let names = Names { columns, key, sync_name, usage: &usage };
        names.check_key().map_err(|fault| fault.on("key"))?;
        let queue = compile_queue(source, names, context)
            .map_err(|fault| fault.on(Property::Queue.as_str()))?;
        let delivery = Delivery::compile(source, queue.kind(), names, context)?;
        let body = Body::compile(source, names)?;
        let attributes = match &source.attributes {
            Some(json) => Attributes::compile(json, names)
                .map_err(|fault| fault.on(Property::Attributes.as_str()))?,
            None => Attributes::default(),
        };
        let message_id = source
            .message_id
            .as_ref()
            .map(|template| compile_message_id(template, names))
            .transpose()
            .map_err(|fault| fault.on(Property::MessageId.as_str()))?;
        let (columns, columns_used) = (columns.len(), usage.columns_used());
        Ok(Definition { queue, body, attributes, delivery, message_id, columns, columns_used })
    }

    /// The columns that [`Definition::render`] reads. The caller need read no others: their values
    /// may be [`Value::Null`](crate::Value::Null).
    pub fn columns_used(&self) -> &ColumnsUsed {
        &self.columns_used
    }

    /// The message of a change, fit to send: every rule of [`limits`] has been checked. (The
    /// queue's own lower maximum of bytes is the caller's to check, by [`limits::check_size`].)
    ///
    /// # Errors
    ///
    /// A rejection with one of these codes:
    ///
    /// * of the queue: `invalid_queue_name`, `queue_not_allowed`
    /// * of its kind: `missing_group_id`, `delay_on_fifo_queue`, `dedup_id_on_standard_queue`
    /// * of the ids and the delay: `invalid_group_id`, `invalid_dedup_id`, `invalid_message_id`,
    ///   `invalid_delay`
    /// * of the body: `null_body`, `empty_body`, `invalid_json`, `not_a_json_value`
    /// * of attributes: `empty_attribute`, `invalid_number`
    /// * of body or attributes: `invalid_character`, `message_too_long`
    /// * where the caller has not kept its part: `wrong_column_count`, `missing_old_row`
    pub fn render(&self, change: &Change<'_>) -> Result<Message, Rejection> {
        self.check_rows(change)?;
        let (queue, is_fifo) = self.queue.render(change)?;
        let Delivered { group_id, dedup_id, delay_seconds } =
            self.delivery.render(change, is_fifo)?;
        let message_id = match &self.message_id {
            Some(template) => render_message_id(template, change)?,
            None => None,
        };
        let body = self.body.render(change)?;
        let attributes = self.attributes.render(change)?;
        let message =
            Message { queue, body, attributes, group_id, dedup_id, delay_seconds, message_id };
        limits::check_size(&message, MAX_MESSAGE_BYTES)?;
        Ok(message)
    }

    /// The name by which a change is reported that makes no message, if it has one.
    pub fn message_id(&self, change: &Change<'_>) -> Option<String> {
        self.check_rows(change).ok()?;
        render_message_id(self.message_id.as_ref()?, change).ok()?
    }

    fn check_rows(&self, change: &Change<'_>) -> Result<(), Rejection> {
        let needs_old = change.event == Event::Changed && !self.columns_used.old.is_empty();
        if needs_old && change.old.is_none() {
            let reason = "the row as it was told before is needed, and is not there";
            return Err(Rejection::new("missing_old_row", reason));
        }
        for row in [Some(change.row), change.old].into_iter().flatten() {
            if row.len() != self.columns {
                let reason = format!(
                    "the row has {} columns, but the definition was made for {}",
                    row.len(),
                    self.columns
                );
                return Err(Rejection::new("wrong_column_count", reason));
            }
        }
        Ok(())
    }
}

fn compile_queue(source: &Source, names: Names<'_>, context: &Context<'_>) -> Result<Queue, Fault> {
    match &source.queue {
        Some(queue) => Queue::compile(queue, names, context.allowed_queues),
        None => Err(Fault::invalid("a message needs a queue")),
    }
}

fn compile_message_id(source: &str, names: Names<'_>) -> Result<Template, Fault> {
    let template = Template::compile(source, Format::Text, names)?.of(Property::MessageId.as_str());
    if let Some(text) = template.literal() {
        limits::check_message_id(text)?;
    }
    Ok(template)
}

fn render_message_id(
    template: &Template,
    change: &Change<'_>,
) -> Result<Option<String>, Rejection> {
    let text = template.text(change)?;
    limits::check_message_id(&text)?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}
