//! Runs over time: how they ended, how much and how fast they published, how long they took.

use maud::{Markup, html};

use super::{Row, Table, nothing, number};
use crate::chart::{Chart, Scale, Series};
use crate::data::{History, Report, Span};
use crate::number::{counted, grouped, rated};
use crate::page::Section;

const ENDS: [Series; 5] = [
    Series { class: "good", label: "succeeded", of: |span| span.succeeded as f64 },
    Series { class: "part", label: "partly failed", of: |span| span.partly_failed as f64 },
    Series { class: "bad", label: "failed", of: |span| span.failed as f64 },
    Series { class: "off", label: "cancelled", of: |span| span.cancelled as f64 },
    Series { class: "open", label: "open", of: |span| span.open as f64 },
];
const PUBLISHED: [Series; 1] =
    [Series { class: "ink", label: "published", of: |span| span.published as f64 }];
const RATE: [Series; 1] =
    [Series { class: "ink", label: "rate", of: |span| rate(span).unwrap_or(0.0) }];
const FOUND: [Series; 3] = [
    Series { class: "added", label: "added", of: |span| span.found.added as f64 },
    Series { class: "changed", label: "changed", of: |span| span.found.changed as f64 },
    Series { class: "removed", label: "removed", of: |span| span.found.removed as f64 },
];

/// Messages a second, while runs went on.
fn rate(span: &Span) -> Option<f64> {
    (span.running.0 > 0).then(|| span.published as f64 / span.running.seconds())
}

pub fn section(report: &Report) -> Section {
    let history = &report.history;
    let contents = match history.spans.iter().map(Span::runs).sum::<i64>() {
        0 => html! {
            p class="empty" {
                @match report.runs.first() {
                    Some(run) => {
                        "No run was asked for in the last " (history.words())
                        "; the latest one was, " (run.requested_at.ago(report.about.at)) "."
                    }
                    None => "No run yet.",
                }
            }
        },
        _ => charts(history),
    };
    Section { id: "history", title: "History", contents }
}

fn charts(history: &History) -> Markup {
    let each = format!("each {}", history.span.unit());
    let chart = |title, unit: String, nothing, tell| Chart { title, unit, nothing, history, tell };
    html! {
        p class="lead" {
            "The last " (history.words()) ", from " (history.begin(0)) " UTC. A run counts, with all that it did, where it \
             was asked for. The last bar is of a time that is not over."
        }
        div class="charts" {
            (chart("Runs", format!("runs in {each}"), "", &tell_runs).stacks(Scale::Whole, &ENDS))
            (chart("Messages published", format!("messages in {each}"), "No message was published in this time.", &tell_published)
                .stacks(Scale::Whole, &PUBLISHED))
            (chart("Throughput", "messages a second, from start to end of runs".to_owned(), "No message was published in this time.", &tell_rate)
                .stacks(Scale::Fractions, &RATE))
            (chart("How long runs took", "from start to end".to_owned(), "No run has ended in this time.", &tell_durations).durations())
            (chart("Changes found", format!("rows in {each}, by event"), "No change was found in this time.", &tell_found)
                .stacks(Scale::Whole, &FOUND))
        }
        details { summary { "The same in figures" } (figures(history)) }
    }
}

fn tell_runs(span: &Span) -> String {
    let parts: Vec<String> = ENDS
        .iter()
        .map(|one| ((one.of)(span) as i64, one.label))
        .filter(|(count, _)| *count > 0)
        .map(|(count, label)| format!("{} {label}", grouped(count)))
        .collect();
    parts.join(", ")
}

fn tell_published(span: &Span) -> String {
    counted(span.published, "message", "messages")
}

fn tell_rate(span: &Span) -> String {
    rate(span)
        .map_or("no run has ended".to_owned(), |rate| format!("{} messages a second", rated(rate)))
}

fn tell_durations(span: &Span) -> String {
    match (span.median, span.longest) {
        (Some(median), Some(longest)) => format!("median {median}, longest {longest}"),
        _ => "no run has ended".to_owned(),
    }
}

fn tell_found(span: &Span) -> String {
    let found = span.found;
    format!(
        "{} added, {} changed, {} removed",
        grouped(found.added),
        grouped(found.changed),
        grouped(found.removed)
    )
}

fn figures(history: &History) -> Markup {
    let row = |(i, span): (usize, &Span)| {
        let mut row = vec![html! { (history.begin(i)) }];
        let counts = [
            span.succeeded,
            span.partly_failed,
            span.failed,
            span.cancelled,
            span.open,
            span.published,
            span.found.added,
            span.found.changed,
            span.found.removed,
        ];
        row.extend(counts.map(number));
        row.push(rate(span).map_or_else(nothing, |rate| html! { (rated(rate)) }));
        for duration in [span.median, span.longest] {
            row.push(duration.map_or_else(nothing, |duration| html! { (duration) }));
        }
        row
    };
    let columns = [
        ("From (UTC)", false),
        ("Succeeded", true),
        ("Partly failed", true),
        ("Failed", true),
        ("Cancelled", true),
        ("Open", true),
        ("Published", true),
        ("Added", true),
        ("Changed", true),
        ("Removed", true),
        ("Messages/s", true),
        ("Median", true),
        ("Longest", true),
    ];
    Table {
        caption: "What the charts show. Times without runs are left out.",
        class: "figures",
        columns: &columns,
        rows: history
            .spans
            .iter()
            .enumerate()
            .filter(|(_, span)| span.runs() > 0)
            .map(row)
            .map(Row::from)
            .collect(),
    }
    .show()
}
