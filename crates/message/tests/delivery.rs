//! Where a message goes and how: its queue, group, deduplication, delay and message id.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::*;
use message::{Context, Dedup, Definition, DefinitionError, ErrorKind, Event, Message, Rejection};
use message::{Source, Value};

/// A body, and these properties for a FIFO queue.
fn fifo() -> Source {
    Source { queue: given("orders.fifo"), group_id: given("{{row.x}}"), ..template("1") }
}

fn with_x(source: &Source, x: Value<'_>) -> Result<Message, Rejection> {
    render(source, &[("x", x)])
}

fn refused(source: &Source) -> DefinitionError {
    compile(source, &[("x", Value::Null)]).unwrap_err()
}

#[test]
fn a_queue_is_required_and_is_a_name_a_url_or_an_arn() {
    let error = refused(&Source { queue: None, ..template("1") });
    assert_eq!(
        (error.property(), error.to_string().as_str()),
        ("queue", "a message needs a queue")
    );
    for queue in [
        "orders",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
        "http://localhost:4566/000000000000/orders",
        "arn:aws:sqs:eu-west-1:123456789012:orders",
    ] {
        let source = Source { queue: given(queue), ..template("1") };
        assert_eq!(&*with_x(&source, Value::Null).unwrap().queue, queue);
    }
}

#[test]
fn a_queue_that_depends_on_the_row_is_a_bare_name() {
    let source = Source { queue: given("{{row.x}}"), ..template("1") };
    assert_eq!(&*with_x(&source, text("orders-eu")).unwrap().queue, "orders-eu");
    for bad in [
        Value::Null,
        text("https://sqs.eu-west-1.amazonaws.com/999999999999/stolen"),
        text("//host/stolen"),
        text("arn:aws:sqs:eu-west-1:999999999999:stolen"),
        text("a b"),
        text("a.fifo.x"),
        text(" a"),
        text(&"x".repeat(81)),
        bytes(b"x"),
    ] {
        let rejection = with_x(&source, bad).unwrap_err();
        assert_eq!(rejection.code, "invalid_queue_name");
        assert!(!rejection.reason.contains("stolen"), "{}", rejection.reason);
        assert!(rejection.hint.unwrap().contains("never a URL or an ARN"));
    }
}

#[test]
fn only_queues_that_the_connection_allows_are_used() {
    let columns = names(&["x"]);
    let allowed = "orders*, vip.fifo".parse().unwrap();
    let context = Context { allowed_queues: Some(&allowed), ..context(&columns, &columns) };
    let compile = |queue: &str| {
        let source = Source { queue: given(queue), group_id: given("g"), ..template("1") };
        Definition::compile(&source, &context)
    };
    for queue in ["orders", "vip.fifo", "arn:aws:sqs:eu-west-1:1:orders-eu"] {
        compile(queue).unwrap();
    }
    let error = compile("https://host/1/customers").unwrap_err();
    assert_eq!((error.property(), error.kind()), ("queue", ErrorKind::NotAllowed));
    assert_eq!(
        error.to_string(),
        "queue \"customers\" is not among those that the connection allows"
    );
    assert_eq!(error.hint().unwrap(), "allowed_queues of the server is orders*, vip.fifo.");

    let by_row = compile("{{row.x}}").unwrap();
    let row = [text("orders-eu")];
    by_row.render(&change(Event::Added, &row)).unwrap();
    let row = [text("customers")];
    let rejection = by_row.render(&change(Event::Added, &row)).unwrap_err();
    assert_eq!(rejection.code, "queue_not_allowed");
    assert!(!rejection.reason.contains("customers"));
}

#[test]
fn a_fifo_message_has_its_group_and_an_id_of_the_sync_and_the_change() {
    let message = with_x(&fifo(), text("eu")).unwrap();
    assert_eq!(message.group_id.as_deref(), Some("eu"));
    assert_eq!(message.dedup_id.unwrap(), format!("{UUID}:42"));
    let columns = names(&["x"]);
    let definition = Definition::compile(&fifo(), &context(&columns, &columns)).unwrap();
    let row = [text("eu")];
    for id in [i64::MIN, i64::MAX] {
        let change = message::Change { id, ..change(Event::Added, &row) };
        let id = definition.render(&change).unwrap().dedup_id.unwrap();
        message::limits::DEDUP_ID.check(&id).unwrap();
    }
}

#[test]
fn a_uuid_that_sqs_would_not_take_is_refused() {
    let columns = names(&["x"]);
    let long = "x".repeat(120);
    for uuid in ["", "a b", "é", &long] {
        let context = Context { sync_uuid: uuid, ..context(&columns, &columns) };
        let error = Definition::compile(&fifo(), &context).unwrap_err();
        assert_eq!(error.property(), "dedup", "{uuid}");
    }
}

#[test]
fn by_content_no_id_is_sent() {
    let source = Source { dedup: Some(Dedup::Content), ..fifo() };
    assert_eq!(with_x(&source, text("eu")).unwrap().dedup_id, None);
    let source = Source { dedup: Some(Dedup::ChangeId), ..fifo() };
    assert!(with_x(&source, text("eu")).unwrap().dedup_id.is_some());
    let both = Source { dedup_id: given("{{row.x}}"), ..source };
    assert_eq!(refused(&both).property(), "dedup");
}

#[test]
fn an_id_of_the_users_own_takes_the_place_of_the_default() {
    let source = Source { dedup_id: given("v-{{row.x}}"), ..fifo() };
    assert_eq!(with_x(&source, text("1")).unwrap().dedup_id.unwrap(), "v-1");
    let lone = Source { dedup_id: given("{{row.x}}"), group_id: given("g"), ..fifo() };
    let rejection = with_x(&lone, Value::Null).unwrap_err();
    assert_eq!(
        (rejection.code, rejection.reason.as_str()),
        ("invalid_dedup_id", "the deduplication id is empty")
    );
    let rejection = with_x(&lone, text(&"x".repeat(129))).unwrap_err();
    assert_eq!(
        rejection.reason,
        "the deduplication id has 129 characters, more than SQS's limit of 128"
    );
}

#[test]
fn a_fifo_queue_needs_a_group_id() {
    let error = refused(&Source { group_id: None, ..fifo() });
    assert_eq!(error.property(), "group_id");
    assert_eq!(error.to_string(), "the queue is a FIFO queue, which needs a group id");
    let ending = Source { queue: given("{{row.x}}.fifo"), group_id: None, ..fifo() };
    assert_eq!(refused(&ending).property(), "group_id");

    assert_eq!(with_x(&fifo(), Value::Null).unwrap_err().code, "missing_group_id");
    let by_row = Source { queue: given("{{row.x}}"), ..template("1") };
    assert_eq!(with_x(&by_row, text("a.fifo")).unwrap_err().code, "missing_group_id");
    assert_eq!(with_x(&by_row, text("a")).unwrap().group_id, None);
}

#[test]
fn a_group_id_that_sqs_does_not_take_is_rejected_with_what_helps() {
    for (x, reason) in [
        (
            text("north east"),
            "the group id holds U+0020: SQS takes ASCII letters, digits and punctuation, and no spaces",
        ),
        (
            text("é"),
            "the group id holds U+00E9: SQS takes ASCII letters, digits and punctuation, and no spaces",
        ),
        (text(&"x".repeat(200)), "the group id has 200 characters, more than SQS's limit of 128"),
    ] {
        let rejection = with_x(&fifo(), x).unwrap_err();
        assert_eq!((rejection.code, rejection.reason.as_str()), ("invalid_group_id", reason));
        let help = if reason.contains("128") { "md5(name)" } else { "{{ row.name | url_encode }}" };
        assert!(rejection.hint.unwrap().contains(help));
    }
    for source in ["a b", "{{row.x}} b", ""] {
        let error = refused(&Source { group_id: given(source), ..fifo() });
        assert_eq!(error.property(), "group_id", "{source}");
    }
}

#[test]
fn what_the_hint_about_characters_says_mends_the_id() {
    let of =
        |template: &str| Source { group_id: given(template), dedup_id: given(template), ..fifo() };
    let row = [("name", text("north east"))];
    let hint = render(&of("{{ row.name }}"), &row).unwrap_err().hint.unwrap();
    let mended: Vec<String> = hint
        .split("{{")
        .skip(1)
        .map(|rest| {
            let template = format!("{{{{{}}}}}", rest.split("}}").next().unwrap());
            render(&of(&template), &row).unwrap().group_id.unwrap().to_string()
        })
        .collect();
    assert_eq!(mended, ["north+east", "north_east"]);
    let row = [("name", text("é\t☃"))];
    let message = render(&of("{{ row.name | url_encode }}"), &row).unwrap();
    assert_eq!(message.dedup_id.unwrap(), "%C3%A9%09%E2%98%83");
}

#[test]
fn a_standard_queue_may_have_groups_and_takes_no_deduplication_id() {
    let source = Source { group_id: given("{{row.x}}"), ..template("1") };
    let message = with_x(&source, text("eu")).unwrap();
    assert_eq!((message.group_id.as_deref(), message.dedup_id), (Some("eu"), None));
    assert_eq!(with_x(&source, Value::Null).unwrap().group_id, None);

    let error = refused(&Source { dedup_id: given("{{row.x}}"), ..template("1") });
    assert_eq!(error.property(), "dedup_id");
    assert!(error.to_string().contains("standard queue"));
    let by_row =
        Source { queue: given("{{row.x}}"), dedup_id: given("{{row.x}}"), ..template("1") };
    assert_eq!(with_x(&by_row, text("a")).unwrap_err().code, "dedup_id_on_standard_queue");
    let without = Source {
        dedup_id: given("{% if row.x contains '.fifo' %}d{% endif %}"),
        group_id: given("g"),
        ..by_row
    };
    assert_eq!(with_x(&without, text("a")).unwrap().dedup_id, None);
    assert_eq!(with_x(&without, text("a.fifo")).unwrap().dedup_id.unwrap(), "d");
}

#[test]
fn a_delay_is_of_standard_queues_and_up_to_900_seconds() {
    let delayed = |delay: &str| Source { delay_seconds: given(delay), ..template("1") };
    assert_eq!(with_x(&delayed("30"), Value::Null).unwrap().delay_seconds, Some(30));
    let by_row = delayed("{{row.x}}");
    assert_eq!(with_x(&by_row, number("900")).unwrap().delay_seconds, Some(900));
    assert_eq!(with_x(&by_row, number("30.000000")).unwrap().delay_seconds, Some(30));
    assert_eq!(with_x(&by_row, Value::Null).unwrap().delay_seconds, None);
    for bad in [number("901"), number("-1"), number("0.5"), text("soon"), number("NaN")] {
        assert_eq!(with_x(&by_row, bad).unwrap_err().code, "invalid_delay");
    }
    for bad in ["901", "soon", ""] {
        assert_eq!(refused(&delayed(bad)).property(), "delay_seconds");
    }

    let error = refused(&Source { delay_seconds: given("30"), ..fifo() });
    assert_eq!(error.property(), "delay_seconds");
    assert!(error.to_string().contains("FIFO queue"));
    let mixed = Source { queue: given("{{row.x}}"), group_id: given("g"), ..delayed("30") };
    assert_eq!(with_x(&mixed, text("a")).unwrap().delay_seconds, Some(30));
    assert_eq!(with_x(&mixed, text("a.fifo")).unwrap_err().code, "delay_on_fifo_queue");
}

#[test]
fn a_message_id_is_any_text_of_bounded_length() {
    let source = Source { message_id: given("order {{row.x}}"), ..template("1") };
    assert_eq!(with_x(&source, text("é/1")).unwrap().message_id.unwrap(), "order é/1");
    let long = "x".repeat(2000);
    assert_eq!(with_x(&source, text(&long)).unwrap_err().code, "invalid_message_id");
    let lone = Source { message_id: given("{{row.x}}"), ..template("1") };
    assert_eq!(with_x(&lone, Value::Null).unwrap().message_id, None);
    assert_eq!(refused(&Source { message_id: given(&long), ..lone }).property(), "message_id");
}

#[test]
fn literals_are_shared_by_all_messages() {
    let source = Source {
        group_id: given("all"),
        attributes: given(r#"{"source": "crm"}"#),
        ..template("{{row.x}}")
    };
    let definition = compile(&source, &[("x", Value::Null)]).unwrap();
    let row = [number("1")];
    let [one, two] = [1, 2].map(|_| definition.render(&change(Event::Added, &row)).unwrap());
    assert!(Arc::ptr_eq(&one.queue, &two.queue));
    assert!(Arc::ptr_eq(&one.group_id.unwrap(), &two.group_id.unwrap()));
    let (one, two) = (&one.attributes[0], &two.attributes[0]);
    assert!(Arc::ptr_eq(&one.name, &two.name) && Arc::ptr_eq(&one.data_type, &two.data_type));
    match (&one.value, &two.value) {
        (message::AttributeValue::Text(one), message::AttributeValue::Text(two)) => {
            assert!(Arc::ptr_eq(one, two));
        }
        other => panic!("{other:?}"),
    }
}
