//! What to do next.

use maud::{Markup, html};

use super::names;
use crate::data::Report;
use crate::next::{Advice, Urgency, advice};
use crate::number::counted;
use crate::page::Section;

const SHOWN: usize = 12;

pub fn section(report: &Report) -> Section {
    let all = advice(report);
    let more = all.len().saturating_sub(SHOWN) as i64;
    let contents = html! {
        @if all.is_empty() {
            p class="empty" {
                @if report.syncs.is_empty() {
                    "Create a sync by " code { "sqs_sync_create" } ": it is then seen here."
                } @else { "Nothing." }
            }
        } @else {
            ol class="advice" { @for one in all.iter().take(SHOWN) { (item(report, one)) } }
            @if more > 0 { p class="empty" { "And " (counted(more, "thing", "things")) " less urgent." } }
        }
    };
    Section { id: "next", title: "What to do next", contents }
}

fn item(report: &Report, one: &Advice) -> Markup {
    let (class, word) = match one.urgency {
        Urgency::Act => ("bad", "act"),
        Urgency::Look => ("part", "look"),
        Urgency::Know => ("off", "know"),
    };
    html! {
        li {
            span class={ "badge " (class) } { (word) }
            div {
                p {
                    @if report.only.is_none() && !one.syncs.is_empty() {
                        b { (names(one.syncs.iter())) } ": "
                    }
                    (one.what)
                }
                @if let Some(why) = &one.why { p class="why" dir="auto" { (why.cut(600)) } }
                @if let Some(hint) = &one.hint { p class="hint" dir="auto" { (hint.cut(600)) } }
                @for command in &one.commands { pre { code { (command) } } }
            }
        }
    }
}
