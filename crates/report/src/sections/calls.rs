//! The last calls of SQS's API that are kept.

use maud::{Markup, html};

use super::{Row, Table, nothing, number};
use crate::data::{Call, Report};
use crate::number::{counted, grouped};
use crate::page::Section;

/// Characters of a queue, and of an error.
const QUEUE: usize = 200;
const ERROR: usize = 300;

pub fn section(report: &Report) -> Section {
    let contents = html! {
        @if report.calls.is_empty() {
            p class="empty" {
                "None is kept: those that fail are, and all of a sync's where " code { "sqs_sync_log" } " has said so."
            }
        } @else { (table(report)) }
    };
    Section { id: "calls", title: "Last API calls", contents }
}

fn table(report: &Report) -> Markup {
    Table {
        caption: "The newest first, of those that are kept; sqs_sync.requests has all of them, with what was sent and answered.",
        class: "calls",
        columns: &[
            ("Call", false),
            ("Status", false),
            ("Made", false),
            ("Run", false),
            ("Operation", false),
            ("Queue", false),
            ("Attempt", true),
            ("Latency", true),
            ("AWS request id", false),
        ],
        rows: report.calls.iter().map(|call| row(report, call)).collect(),
    }
    .show()
}

fn row(report: &Report, call: &Call) -> Row {
    let cells = vec![
        html! {
            span class="id" { "#" (call.id) }
            @if report.only.is_none() { " " bdi class="name" { (call.sync) } }
        },
        badge(call),
        call.at.ago(report.about.at),
        html! { span class="id" { "#" (call.run_id) } },
        html! { code { (call.operation) } },
        html! { bdi { (call.queue.cut(QUEUE)) } },
        number(call.attempt.into()),
        html! { (call.latency) },
        call.aws_request_id.as_ref().map_or_else(nothing, |id| html! { code { (id.cut(QUEUE)) } }),
    ];
    Row { cells, below: below(call) }
}

/// What came back, and in which colour.
fn badge(call: &Call) -> Markup {
    let went_through = call.error.is_none() && matches!(call.status, Some(200..=299));
    let class = match call.refused {
        _ if !went_through => "bad",
        0 => "good",
        _ => "part",
    };
    html! {
        span class={ "badge " (class) } {
            @match call.status { Some(status) => (status), None => "no answer" }
        }
    }
}

/// Why it failed, or what of it did.
fn below(call: &Call) -> Option<Markup> {
    if let Some(error) = &call.error {
        return Some(html! { (error.cut(ERROR)) });
    }
    (call.refused > 0).then(|| {
        html! {
            (grouped(call.refused)) " of " (counted(call.messages, "message", "messages")) " not accepted"
            @if let Some(refusal) = &call.refusal { ": " (refusal.cut(ERROR)) }
        }
    })
}
