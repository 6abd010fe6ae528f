//! The document: its head, what is said first, and the sections in their order.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::data::{About, Report, Span, Sync};
use crate::health::Health;
use crate::number::{counted, grouped};
use crate::sections;

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded, and nothing runs, whatever stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                    %3Cpath d='M2 4h12M2 8h8M2 12h12' stroke='%231a7f4b' stroke-width='2.4'/%3E%3C/svg%3E";

/// A part of the page: where its link leads, what it is called, and what is in it.
pub struct Section {
    pub id: &'static str,
    pub title: &'static str,
    pub contents: Markup,
}

/// In the order in which they stand.
fn sections(report: &Report) -> Vec<Section> {
    vec![
        sections::next::section(report),
        sections::syncs::section(report),
        sections::history::section(report),
        sections::mix::section(report),
        sections::rejections::section(report),
        sections::runs::section(report),
        sections::calls::section(report),
        sections::alerts::section(report),
        sections::processes::section(report),
    ]
}

/// The whole page.
pub fn page(report: &Report) -> String {
    let sections = sections(report);
    let title = match &report.only {
        Some(name) => format!("{name} – sqs_sync"),
        None => format!("Syncs of {} – sqs_sync", report.about.database),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#next" { "Skip to what to do next" }
                header { (head_line(&report.about)) (headline(report)) (facts(report)) }
                nav aria-label="Sections" {
                    ul { @for one in &sections { li { a href={ "#" (one.id) } { (one.title) } } } }
                }
                main {
                    @for one in &sections {
                        section id=(one.id) aria-labelledby={ (one.id) "-title" } {
                            h2 id={ (one.id) "-title" } { (one.title) }
                            (one.contents)
                        }
                    }
                }
                footer { (foot_line(&report.about)) }
            }
        }
    };
    ascii(&page.into_string())
}

fn head_line(about: &About) -> Markup {
    html! {
        p class="brand" {
            b { "sqs_sync" } " in database " bdi { (about.database) }
            span class="at" { "seen " (about.at) " UTC" }
        }
    }
}

/// How it goes, in a sentence.
fn headline(report: &Report) -> Markup {
    let count = |is: fn(Health) -> bool| {
        report.syncs.iter().filter(|sync| is(Health::of(sync))).count() as i64
    };
    let all = report.syncs.len() as i64;
    let still = count(Health::stands_still);
    let partly = count(|health| health == Health::Partly);
    if let (Some(name), [sync]) = (&report.only, &report.syncs[..]) {
        return html! { h1 { bdi { (name) } " " (Health::of(sync).badge()) } };
    }
    let of_all = |some: i64, one: &str, many: &str| {
        let verb = if some == 1 { one } else { many };
        format!("{} of {} {verb}", grouped(some), counted(all, "sync", "syncs"))
    };
    let sentence = match (all, still, partly) {
        (0, ..) => "There is no sync to see".to_owned(),
        (_, 0, 0) => format!("All is well with {}", counted(all, "sync", "syncs")),
        (_, 0, partly) => of_all(partly, "leaves rows out", "leave rows out"),
        (_, still, _) => of_all(still, "stands still", "stand still"),
    };
    html! { h1 { (sentence) } }
}

fn facts(report: &Report) -> Markup {
    let history = &report.history;
    let sum = |of: fn(&Span) -> i64| history.spans.iter().map(of).sum::<i64>();
    let rejected = report.rejections.reasons.iter().map(|reason| reason.keys).sum::<i64>();
    let under_way = report.syncs.iter().filter_map(|sync: &Sync| sync.last.as_ref());
    let under_way = under_way.filter(|run| run.state.is_open()).count() as i64;
    let over = format!("in the last {}", history.words());
    let known = match report.rejections.hidden_syncs {
        0 => "at present".to_owned(),
        hidden => format!("of the syncs that you own; {} not shown", grouped(hidden)),
    };
    let facts = [
        ("Runs", grouped(sum(Span::runs)), over.as_str()),
        ("Messages published", grouped(sum(|span| span.published)), over.as_str()),
        ("Keys not told", grouped(rejected), known.as_str()),
        ("Runs open", grouped(under_way), "queued, under way or held"),
    ];
    html! {
        dl class="facts" {
            @for (what, count, note) in facts {
                div { dt { (what) } dd { (count) small { (note) } } }
            }
        }
    }
}

fn foot_line(about: &About) -> Markup {
    html! {
        p {
            "Made by sqs_sync " (about.extension) " on PostgreSQL " (about.postgres) " for the role "
            bdi { (about.reader) } ", who sees the syncs whose owners' rights it has. Times are UTC."
        }
    }
}

/// Every other character as a reference to it.
fn ascii(page: &str) -> String {
    let mut text = String::with_capacity(page.len() + page.len() / 8);
    for letter in page.chars() {
        match letter.is_ascii() {
            true => text.push(letter),
            false => text.push_str(&format!("&#{};", u32::from(letter))),
        }
    }
    text
}
