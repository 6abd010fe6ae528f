//! Syncs and how they are; of one alone, what it is.

use std::fmt::Write;

use maud::{Markup, html};

use super::{Row, Table, nothing, number};
use crate::data::{Event, Report, Run, State, Sync};
use crate::health::Health;
use crate::number::{counted, grouped};
use crate::page::Section;

/// Characters of a name, a queue's template or a key that a cell shows.
const SHOWN: usize = 120;
/// Of what an event has of its own.
const OWN: usize = 300;

pub fn section(report: &Report) -> Section {
    let title = if report.only.is_some() { "The sync" } else { "Syncs" };
    let contents = match (&report.only, &report.syncs[..]) {
        (Some(_), [sync]) => alone(report, sync),
        (_, []) => html! {
            p class="empty" {
                "None whose owner's rights " bdi { (report.about.reader) } " has."
            }
        },
        (_, syncs) => table(report, syncs),
    };
    Section { id: "syncs", title, contents }
}

fn table(report: &Report, syncs: &[Sync]) -> Markup {
    let mut syncs: Vec<&Sync> = syncs.iter().collect();
    syncs.sort_by_cached_key(|sync| (Health::of(sync), sync.name.clone()));
    let row = |sync: &&Sync| {
        vec![
            html! {
                bdi class="name" { (sync.name.cut(SHOWN)) }
                small { "to " bdi { (sync.queue.cut(SHOWN)) } }
            },
            html! { (Health::of(sync).badge()) small { (next(report, sync)) } },
            last(report, sync),
            strip(&sync.recent),
            told(report, sync),
            sync.rejected.map_or_else(nothing, number),
        ]
    };
    Table {
        caption: "Each sync, those that need a look first. Bars are runs, the latest on the right; \
                  the taller, the worse it ended.",
        class: "syncs",
        columns: &[
            ("Sync", false),
            ("State", false),
            ("Last run", false),
            ("Latest runs", false),
            ("Last told", false),
            ("Keys not told", true),
        ],
        rows: syncs.iter().map(row).map(Row::from).collect(),
    }
    .show()
}

/// When it runs next, as far as that is known.
fn next(report: &Report, sync: &Sync) -> Markup {
    html! {
        @if let Some(at) = sync.next_at { span { "next " (at.to_come(report.about.at)) } }
        @if let Some(after) = &sync.after { span { "after " bdi { (after.cut(SHOWN)) } } }
    }
}

fn runs_by(report: &Report, sync: &Sync) -> Markup {
    html! {
        @if let Some(schedule) = &sync.schedule { code { (schedule) } " " }
        @if sync.schedule.is_none() && sync.after.is_none() { "when asked to" }
        (next(report, sync))
    }
}

fn last(report: &Report, sync: &Sync) -> Markup {
    let Some(run) = &sync.last else { return nothing() };
    let at = run.finished_at.or(run.started_at).unwrap_or(run.requested_at);
    html! {
        (at.ago(report.about.at))
        small { (sum(run)) }
    }
}

fn sum(run: &Run) -> String {
    let published = counted(run.published, "message", "messages");
    match run.rejected {
        0 => published,
        rejected => format!("{published}, {} rejected", grouped(rejected)),
    }
}

fn told(report: &Report, sync: &Sync) -> Markup {
    match (sync.told_at, sync.recent.len()) {
        (Some(at), _) => at.ago(report.about.at),
        (None, 0) => nothing(),
        (None, runs) => html! { "none in " (counted(runs as i64, "run", "runs")) },
    }
}

fn alone(report: &Report, sync: &Sync) -> Markup {
    let rows = [
        ("Model", html! { code { (sync.model) } }),
        ("Key", html! { code { (sync.key) } }),
        (
            "Owner",
            html! { @match &sync.owner { Some(owner) => bdi { (owner) }, None => "none: its tables are gone" } },
        ),
        ("Server", html! { bdi { (sync.server) } }),
        ("Queue", html! { code { (sync.queue) } }),
        ("Definition", html! { "version " (sync.version) }),
        ("Last run", last(report, sync)),
        ("Last told", told(report, sync)),
        ("Latest runs", strip(&sync.recent)),
        ("Runs", runs_by(report, sync)),
        ("Keys not told", sync.rejected.map_or_else(nothing, number)),
    ];
    html! {
        dl class="definition" {
            @for (what, value) in rows { div { dt { (what) } dd { (value) } } }
            div class="wide" { dt { "Events" } dd { @for event in &sync.events { (published(event)) } } }
        }
    }
}

fn published(event: &Event) -> Markup {
    html! {
        p {
            (event.name)
            @if let Some(own) = &event.own { " with " code dir="auto" { (own.cut(OWN)) } }
            @for (i, property) in event.without.iter().enumerate() {
                @if i == 0 { " without " } @else { ", " }
                (property)
            }
            @if let Some(condition) = &event.condition { " if " code dir="auto" { (condition.cut(OWN)) } }
        }
    }
}

/// A bar a run, the latest on the right; colour and height say how it ended.
fn strip(newest_first: &[State]) -> Markup {
    const CLASSES: [(&str, u8); 6] =
        [("good", 6), ("open", 9), ("off", 9), ("part", 12), ("held", 16), ("bad", 16)];
    if newest_first.is_empty() {
        return nothing();
    }
    let width = newest_first.len() * 5;
    let bars = |class: &str, height: u8| {
        let mut path = String::new();
        for (i, state) in newest_first.iter().rev().enumerate() {
            if state.class() == class {
                // Writing to a String does not fail.
                let _ = write!(path, "M{} 16v-{height}", i * 5 + 2);
            }
        }
        path
    };
    html! {
        svg class="strip" width=(width) height="16" viewBox={ "0 0 " (width) " 16" } role="img" aria-label=(in_words(newest_first)) {
            @for (class, height) in CLASSES {
                @let path = bars(class, height);
                @if !path.is_empty() { path class=(class) d=(path) {} }
            }
        }
    }
}

fn in_words(newest_first: &[State]) -> String {
    let mut counts: Vec<(State, i64)> = Vec::new();
    for state in newest_first {
        match counts.iter_mut().find(|(counted, _)| counted == state) {
            Some((_, count)) => *count += 1,
            None => counts.push((*state, 1)),
        }
    }
    let parts: Vec<String> =
        counts.iter().map(|(state, count)| format!("{count} {}", state.words())).collect();
    format!(
        "{}: {}",
        counted(newest_first.len() as i64, "latest run", "latest runs"),
        parts.join(", ")
    )
}
