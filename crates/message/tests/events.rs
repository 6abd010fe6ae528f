//! A definition for each event, from the sync's and what the event says otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{ColumnsUsed, DefinitionError, Definitions, Event, Format, Message, Override};
use message::{PerEvent, Property, Source};

fn compiled(
    base: &Source,
    events: &PerEvent<Option<Override>>,
) -> Result<Definitions, DefinitionError> {
    let (columns, key) = (names(&["id", "name"]), names(&["id"]));
    Definitions::compile(base, events, &context(&columns, &key))
}

fn says(set: Source) -> Option<Override> {
    Some(Override { set, unset: Vec::new() })
}

fn message(definitions: &Definitions, event: Event) -> Message {
    let row = [number("1"), text("x")];
    definitions.render(&change(event, &row)).unwrap().unwrap()
}

#[test]
fn what_an_event_does_not_say_is_the_syncs() {
    let base = Source {
        attributes: given(r#"{"event": "{{event}}"}"#),
        group_id: given("{{row.id}}"),
        ..template(r#"{"id": {{row.id}}}"#)
    };
    let gone =
        Source { queue: given("gone.fifo"), fields: given(r#"{"id": "id"}"#), ..Source::default() };
    let text =
        Source { template: given("{{row.name}}"), format: Some(Format::Text), ..Source::default() };
    let events = PerEvent {
        added: Some(Override::default()),
        changed: Some(Override { set: text, unset: vec![Property::GroupId, Property::Attributes] }),
        removed: says(gone),
    };
    let definitions = compiled(&base, &events).unwrap();

    let added = message(&definitions, Event::Added);
    assert_eq!((&*added.queue, added.body.as_str()), ("orders", r#"{"id": 1}"#));
    assert_eq!((added.group_id.as_deref(), added.attributes.len()), (Some("1"), 1));

    let changed = message(&definitions, Event::Changed);
    assert_eq!((&*changed.queue, changed.body.as_str()), ("orders", "x"));
    assert_eq!((changed.group_id, changed.attributes.len()), (None, 0));

    let removed = message(&definitions, Event::Removed);
    assert_eq!((&*removed.queue, removed.body.as_str()), ("gone.fifo", r#"{"id":1}"#));
    assert_eq!(removed.group_id.as_deref(), Some("1"));
    assert_eq!(removed.dedup_id.unwrap(), format!("{UUID}:42"));
    assert_eq!(removed.attributes.len(), 1);

    assert_eq!(*definitions.columns_used(), ColumnsUsed { row: vec![0, 1], old: vec![] });
    assert_eq!(definitions.of(Event::Removed).unwrap().columns_used().row, [0]);
}

#[test]
fn an_event_that_is_not_published_has_no_definition() {
    let events = PerEvent { removed: Some(Override::default()), ..PerEvent::default() };
    let definitions = compiled(&body_column("name"), &events).unwrap();
    assert!(definitions.of(Event::Added).is_none() && definitions.of(Event::Changed).is_none());
    let row = [number("1"), text("x")];
    assert!(definitions.render(&change(Event::Added, &row)).is_none());
    assert_eq!(message(&definitions, Event::Removed).body, "x");
    let none = compiled(&Source::default(), &PerEvent::default()).unwrap();
    assert_eq!(*none.columns_used(), ColumnsUsed::default());
}

#[test]
fn a_sync_without_a_body_will_do_where_each_event_has_its_own() {
    let own = || says(Source { body_column: given("name"), ..Source::default() });
    let events = PerEvent { added: own(), changed: own(), removed: None };
    compiled(&to_queue(), &events).unwrap();
    let events = PerEvent { removed: Some(Override::default()), ..events };
    let error = compiled(&to_queue(), &events).unwrap_err();
    assert_eq!((error.event(), error.property()), (None, "body"));
}

#[test]
fn a_mistake_is_told_with_its_event_and_property() {
    let base = body_column("name");
    for (set, property) in [
        (Source { template: given("{{row.nam}}"), ..Source::default() }, "template"),
        (Source { queue: given("gone.fifo"), ..Source::default() }, "group_id"),
        (Source { dedup_id: given("x"), ..Source::default() }, "dedup_id"),
        (Source { attributes: given("[]"), ..Source::default() }, "attributes"),
    ] {
        let plain = Some(Override::default());
        let events = PerEvent { added: plain.clone(), changed: plain, removed: says(set) };
        let error = compiled(&base, &events).unwrap_err();
        assert_eq!((error.event(), error.property()), (Some(Event::Removed), property));
    }
}

#[test]
fn a_mistake_in_the_syncs_own_is_told_as_that() {
    let own = says(Source { group_id: given("g"), ..Source::default() });
    let events = PerEvent { added: own, changed: Some(Override::default()), removed: None };
    let error = compiled(&template("{"), &events).unwrap_err();
    assert_eq!((error.event(), error.property()), (None, "template"));
}
