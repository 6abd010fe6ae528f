//! Keys that are not told, by reason, with examples.

use maud::{Markup, html};

use super::names;
use crate::data::{Reason, Rejection, Report};
use crate::number::counted;
use crate::page::Section;

/// Characters of a key and of a reason that an example shows.
const KEY: usize = 200;
const REASON: usize = 400;

pub fn section(report: &Report) -> Section {
    let reasons = &report.rejections.reasons;
    let contents = html! {
        @if report.rejections.hidden_syncs > 0 {
            p class="note" {
                (report.about.reader) " has not the rights of the owners of "
                (counted(report.rejections.hidden_syncs, "sync", "syncs"))
                ", whose rows are not shown here."
            }
        }
        @if reasons.is_empty() { p class="empty" { "None." } }
        @for reason in reasons { (group(report, reason)) }
    };
    Section { id: "rejections", title: "Rejections", contents }
}

fn group(report: &Report, reason: &Reason) -> Markup {
    let hint = reason.examples.iter().find_map(|example| example.hint.as_ref());
    let shown = reason.examples.len() as i64;
    html! {
        article class="reason" {
            h3 { code { (reason.code) } " " small { (counted(reason.keys, "key", "keys")) } }
            p class="note" {
                @if report.only.is_none() { "In " (names(reason.syncs.iter().map(|(sync, _)| sync))) ". " }
                "First met " (reason.first_at.ago(report.about.at)) ", last " (reason.last_at.ago(report.about.at)) "."
            }
            @if let Some(hint) = hint { p class="hint" dir="auto" { (hint.cut(REASON)) } }
            @if shown > 0 {
                ul class="examples" aria-label={ "Examples of " (reason.code) } {
                    @for example in &reason.examples { (item(report, example)) }
                }
                @if reason.keys > shown { p class="note" { "The latest " (shown) " of " (counted(reason.keys, "key", "keys")) "." } }
            }
        }
    }
}

fn item(report: &Report, example: &Rejection) -> Markup {
    html! {
        li {
            p {
                code dir="auto" { (example.key.cut(KEY)) }
                small {
                    @if report.only.is_none() { "of " bdi { (example.sync) } ", " }
                    @if let Some(event) = &example.event { (event) ", " }
                    @if let Some(id) = &example.message_id { "message " bdi { (id.cut(KEY)) } ", " }
                    "met by " (counted(example.attempts, "run", "runs"))
                    ", tried again when " (example.retried_when)
                }
            }
            p class="why" dir="auto" { (example.reason.cut(REASON)) }
        }
    }
}
