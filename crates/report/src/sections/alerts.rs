//! Alerts: what they stand at, and whether their channels have been told.

use maud::{Markup, html};

use super::{Row, Table, nothing};
use crate::data::{Alert, Report};
use crate::number::grouped;
use crate::page::Section;

/// Alerts that are listed, and characters of a summary and of an answer.
const SHOWN: usize = 50;
const LETTERS: usize = 300;

pub fn section(report: &Report) -> Section {
    let more = report.alerts.len().saturating_sub(SHOWN) as i64;
    let contents = html! {
        @if report.alerts.is_empty() {
            p class="empty" { "None: " code { "sqs_sync_alert_create" } " has somebody told when a run fails." }
        } @else {
            (table(report))
            @if more > 0 { p class="note" { "And " (grouped(more)) " more in " code { "sqs_sync.alerts" } "." } }
        }
    };
    Section { id: "alerts", title: "Alerts", contents }
}

fn table(report: &Report) -> Markup {
    Table {
        caption: "Those whose condition holds first.",
        class: "alerts",
        columns: &[
            ("Alert", false),
            ("State", false),
            ("Condition", false),
            ("Sync", false),
            ("Since", false),
            ("Channel", false),
            ("Last message", false),
        ],
        rows: report.alerts.iter().take(SHOWN).map(|alert| row(report, alert)).collect(),
    }
    .show()
}

fn row(report: &Report, alert: &Alert) -> Row {
    let now = report.about.at;
    let silenced = alert.silenced_until.filter(|until| *until > now);
    let cells = vec![
        html! { bdi class="name" { (alert.name) } },
        html! {
            (badge(alert.is_firing))
            @if let Some(until) = silenced { small { "silenced, ends " (until.to_come(now)) } }
        },
        html! { code { (alert.condition) } },
        alert.sync.as_ref().map_or_else(nothing, |sync| html! { bdi class="name" { (sync) } }),
        alert.since.ago(now),
        html! { bdi { (alert.channel) } },
        alert.delivery.as_ref().map_or_else(nothing, |delivery| html! { (delivery.state) }),
    ];
    Row { cells, below: below(alert) }
}

fn badge(is_firing: bool) -> Markup {
    let (class, words) = if is_firing { ("bad", "firing") } else { ("good", "ok") };
    html! { span class={ "badge " (class) } { (words) } }
}

/// What is so, and why the channel has not been told.
fn below(alert: &Alert) -> Option<Markup> {
    let failed = alert.delivery.as_ref().filter(|delivery| delivery.state.as_str() != "delivered");
    let answer = failed.and_then(|delivery| delivery.answer.as_ref());
    (alert.summary.is_some() || answer.is_some()).then(|| {
        html! {
            @if let Some(summary) = &alert.summary { p { (summary.cut(LETTERS)) } }
            @if let Some(answer) = answer { p class="why" { "Not delivered: " (answer.cut(LETTERS)) } }
        }
    })
}
