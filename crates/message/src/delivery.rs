//! How a message is delivered: its group, its deduplication and its delay, which depend on whether
//! its queue is a FIFO queue.

use std::borrow::Cow;
use std::sync::Arc;

use crate::change::Change;
use crate::context::Context;
use crate::error::{DefinitionError, Fault, Rejection};
use crate::limits::{self, DEDUP_ID, GROUP_ID};
use crate::names::Names;
use crate::property::TextProperty;
use crate::queue::Kind;
use crate::source::{Dedup, Format, Property, Source};
use crate::template::Template;

/// The compiled properties.
#[derive(Debug)]
pub(crate) struct Delivery {
    group_id: Option<TextProperty>,
    dedup: DedupId,
    delay: Option<Delay>,
}

/// Where a deduplication id comes from.
#[derive(Debug)]
enum DedupId {
    /// The change id, after this.
    ChangeId(String),
    Template(TextProperty),
    /// The queue makes it of the body.
    Content,
}

#[derive(Debug)]
enum Delay {
    Literal(u16),
    Template(Template),
}

/// The rendered properties.
pub(crate) struct Delivered {
    pub group_id: Option<Arc<str>>,
    pub dedup_id: Option<String>,
    pub delay_seconds: Option<u16>,
}

impl Delivery {
    pub fn compile(
        source: &Source,
        kind: Kind,
        names: Names<'_>,
        context: &Context<'_>,
    ) -> Result<Delivery, DefinitionError> {
        check_kind(source, kind)?;
        let group_id = source
            .group_id
            .as_ref()
            .map(|template| TextProperty::compile(template, &GROUP_ID, names))
            .transpose()
            .map_err(|fault| fault.on(Property::GroupId.as_str()))?;
        let delay = source
            .delay_seconds
            .as_ref()
            .map(|template| Delay::compile(template, names))
            .transpose()
            .map_err(|fault| fault.on(Property::DelaySeconds.as_str()))?;
        Ok(Delivery { group_id, dedup: DedupId::compile(source, names, context)?, delay })
    }

    pub fn render(&self, change: &Change<'_>, is_fifo: bool) -> Result<Delivered, Rejection> {
        let group_id = match &self.group_id {
            Some(group_id) => group_id.render_shared(change)?,
            None => None,
        };
        if is_fifo && group_id.is_none() {
            return Err(no_group_id());
        }
        let delay_seconds = match &self.delay {
            Some(delay) => delay.render(change)?,
            None => None,
        };
        if is_fifo && delay_seconds.is_some() {
            return Err(delay_on_fifo());
        }
        Ok(Delivered { group_id, dedup_id: self.dedup.render(change, is_fifo)?, delay_seconds })
    }
}

/// Checks what is given against the kind of queue, where that is known without a row.
fn check_kind(source: &Source, kind: Kind) -> Result<(), DefinitionError> {
    let fault = |rejection: Rejection, property: Property| {
        Err(Fault::from(rejection).on(property.as_str()))
    };
    match kind {
        Kind::Fifo if source.group_id.is_none() => fault(no_group_id(), Property::GroupId),
        Kind::Fifo if source.delay_seconds.is_some() => {
            fault(delay_on_fifo(), Property::DelaySeconds)
        }
        Kind::Standard if source.dedup_id.is_some() => {
            fault(dedup_on_standard(), Property::DedupId)
        }
        _ => Ok(()),
    }
}

fn no_group_id() -> Rejection {
    Rejection::new("missing_group_id", "the queue is a FIFO queue, which needs a group id")
        .with_hint("Set group_id: the messages of one group are in order. A literal makes one group of all.")
}

fn delay_on_fifo() -> Rejection {
    let reason = "the queue is a FIFO queue, which takes no delay of a single message";
    Rejection::new("delay_on_fifo_queue", reason)
        .with_hint("Leave delay_seconds out: the queue's own DelaySeconds delays all its messages.")
}

fn dedup_on_standard() -> Rejection {
    let reason = "the queue is a standard queue, which takes no deduplication id";
    Rejection::new("dedup_id_on_standard_queue", reason)
        .with_hint("Leave dedup_id out, or use a FIFO queue.")
}

impl DedupId {
    fn compile(
        source: &Source,
        names: Names<'_>,
        context: &Context<'_>,
    ) -> Result<DedupId, DefinitionError> {
        match (&source.dedup_id, source.dedup) {
            (None, None | Some(Dedup::ChangeId)) => Ok(DedupId::ChangeId(context.dedup_prefix()?)),
            (None, Some(Dedup::Content)) => Ok(DedupId::Content),
            (Some(template), None) => TextProperty::compile(template, &DEDUP_ID, names)
                .map(DedupId::Template)
                .map_err(|fault| fault.on(Property::DedupId.as_str())),
            (Some(_), Some(_)) => {
                Err(Fault::invalid("dedup_id is given too, which is the other way")
                    .with_hint("Give one of dedup and dedup_id.".to_owned())
                    .on(Property::Dedup.as_str()))
            }
        }
    }

    fn render(&self, change: &Change<'_>, is_fifo: bool) -> Result<Option<String>, Rejection> {
        match self {
            DedupId::ChangeId(prefix) if is_fifo => Ok(Some(format!("{prefix}{}", change.id))),
            DedupId::ChangeId(_) | DedupId::Content => Ok(None),
            DedupId::Template(template) => {
                let id = template.render(change)?.map(Cow::into_owned);
                match (is_fifo, &id) {
                    (true, None) => DEDUP_ID.check("").map(|()| None),
                    (false, Some(_)) => Err(dedup_on_standard()),
                    _ => Ok(id),
                }
            }
        }
    }
}

impl Delay {
    fn compile(source: &str, names: Names<'_>) -> Result<Delay, Fault> {
        let template =
            Template::compile(source, Format::Text, names)?.of(Property::DelaySeconds.as_str());
        match template.literal() {
            Some(text) => Ok(Delay::Literal(limits::delay_seconds(text)?)),
            None => Ok(Delay::Template(template)),
        }
    }

    fn render(&self, change: &Change<'_>) -> Result<Option<u16>, Rejection> {
        match self {
            Delay::Literal(seconds) => Ok(Some(*seconds)),
            Delay::Template(template) => match template.text(change)?.as_ref() {
                "" => Ok(None),
                text => limits::delay_seconds(text).map(Some),
            },
        }
    }
}
