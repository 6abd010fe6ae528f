//! The definitions of a sync: one for each event that it publishes.

use std::sync::Arc;

use crate::change::{Change, Event};
use crate::context::Context;
use crate::definition::Definition;
use crate::error::{DefinitionError, Rejection};
use crate::message::Message;
use crate::names::ColumnsUsed;
use crate::source::{Override, Source};

/// One thing for each event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerEvent<T> {
    pub added: T,
    pub changed: T,
    pub removed: T,
}

impl<T> PerEvent<T> {
    /// What an event has.
    pub fn get(&self, event: Event) -> &T {
        match event {
            Event::Added => &self.added,
            Event::Changed => &self.changed,
            Event::Removed => &self.removed,
        }
    }

    /// What an event has, to be changed.
    pub fn get_mut(&mut self, event: Event) -> &mut T {
        match event {
            Event::Added => &mut self.added,
            Event::Changed => &mut self.changed,
            Event::Removed => &mut self.removed,
        }
    }
}

/// The compiled definitions of the events that are published. Those that say nothing themselves
/// share the sync's.
#[derive(Debug)]
pub struct Definitions {
    of_event: PerEvent<Option<Arc<Definition>>>,
    columns_used: ColumnsUsed,
}

impl Definitions {
    /// Compiles the sync's definition and what events say otherwise; an event that has nothing here
    /// is not published.
    ///
    /// # Errors
    ///
    /// Everything that can be known to be wrong without a row, with the option that it is in. A
    /// mistake in the sync's own definition is told as that wherever an event is published that
    /// says nothing itself; else it is one of the event at which it came out.
    pub fn compile(
        base: &Source,
        events: &PerEvent<Option<Override>>,
        context: &Context<'_>,
    ) -> Result<Definitions, DefinitionError> {
        let mut of_event = PerEvent::default();
        let published =
            Event::ALL.into_iter().filter_map(|event| Some((event, events.get(event).as_ref()?)));
        let (plain, own): (Vec<_>, Vec<_>) = published.partition(|(_, by)| by.is_empty());
        if !plain.is_empty() {
            let definition = Arc::new(Definition::compile(base, context)?);
            for (event, _) in plain {
                *of_event.get_mut(event) = Some(definition.clone());
            }
        }
        for (event, by) in own {
            let definition = Definition::compile(&base.overridden(by), context)
                .map_err(|error| error.of_event(event))?;
            *of_event.get_mut(event) = Some(Arc::new(definition));
        }
        let columns_used = Event::ALL
            .into_iter()
            .filter_map(|event| of_event.get(event).as_ref())
            .fold(ColumnsUsed::default(), |used, definition| used.and(definition.columns_used()));
        Ok(Definitions { of_event, columns_used })
    }

    /// The definition of an event; none if it is not published.
    pub fn of(&self, event: Event) -> Option<&Definition> {
        self.of_event.get(event).as_deref()
    }

    /// The message of a change, as [`Definition::render`] makes it; none if its event is not
    /// published.
    pub fn render(&self, change: &Change<'_>) -> Option<Result<Message, Rejection>> {
        self.of(change.event).map(|definition| definition.render(change))
    }

    /// The columns that rendering reads, whatever the event.
    pub fn columns_used(&self) -> &ColumnsUsed {
        &self.columns_used
    }
}
