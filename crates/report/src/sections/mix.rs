//! What the runs of the history found, and what became of it.

use maud::{Markup, html};

use crate::data::{Found, Report, Span};
use crate::number::{grouped, percent};
use crate::page::Section;

/// What it is called, the class of its colour, how many.
type Part<'a> = (&'a str, &'a str, i64);

pub fn section(report: &Report) -> Section {
    let spans = &report.history.spans;
    let sum = |of: fn(&Span) -> i64| spans.iter().map(of).sum::<i64>();
    let found = Found {
        added: sum(|span| span.found.added),
        changed: sum(|span| span.found.changed),
        removed: sum(|span| span.found.removed),
        silent: sum(|span| span.found.silent),
    };
    let events = [
        ("added", "added", found.added),
        ("changed", "changed", found.changed),
        ("removed", "removed", found.removed),
    ];
    let fates = [
        ("published", "good", sum(|span| span.published)),
        ("silent", "off", found.silent),
        ("rejected", "part", sum(|span| span.rejected)),
    ];
    let contents = html! {
        p class="lead" { "Of all runs of the last " (report.history.words()) "." }
        div class="mix" {
            (whole("What the diffs found", "", "No change.", &events))
            (whole(
                "What became of it",
                "Silent changes move the snapshot without a message: events that a sync does not publish, what a \
                 condition leaves out, a first run that skips. A row that is rejected counts in each run that meets \
                 it; a message that is sent again counts twice.",
                "Nothing was published, rejected or passed over.",
                &fates,
            ))
        }
    };
    Section { id: "mix", title: "Change mix", contents }
}

/// Parts of a whole, as a bar and in figures.
fn whole(title: &str, note: &str, empty: &str, parts: &[Part<'_>]) -> Markup {
    let all: i64 = parts.iter().map(|(.., count)| *count).sum();
    html! {
        div {
            h3 { (title) }
            @if all == 0 { p class="empty" { (empty) } }
            @else {
                div class="whole" aria-hidden="true" {
                    @for (_, class, count) in parts.iter().filter(|(.., count)| *count > 0) {
                        i class=(class) style={ "flex-grow:" (count) } {}
                    }
                }
                dl class="parts" {
                    @for (name, class, count) in parts {
                        div { dt { span class={ "key " (class) } {} (name) } dd { (grouped(*count)) small { (percent(*count, all)) } } }
                    }
                }
                @if !note.is_empty() { p class="note" { (note) } }
            }
        }
    }
}
