//! The workers, and what waits for one.

use maud::{Markup, html};

use super::{Row, Table, nothing};
use crate::data::{Process, Report};
use crate::number::counted;
use crate::page::Section;

/// Queued runs that are listed.
const SHOWN: usize = 20;

pub fn section(report: &Report) -> Section {
    let contents = html! {
        ul class="health" { @for line in in_words(report) { li { (line) } } }
        @if !report.processes.running.is_empty() {
            (table(report, "Processes of this database, and the launcher of the server.", &report.processes.running))
        }
        @if !report.processes.queued.is_empty() {
            (table(report, "Queued runs, and what they wait for.", report.processes.queued.iter().take(SHOWN)))
        }
    };
    Section { id: "workers", title: "Workers", contents }
}

fn in_words(report: &Report) -> Vec<String> {
    let processes = &report.processes;
    let count = |kind: &str| {
        processes.running.iter().filter(|process| process.kind.as_str() == kind).count() as i64
    };
    if processes.on_standby {
        return vec!["The server is a standby, on which nothing runs.".to_owned()];
    }
    let launcher = match count("launcher") {
        0 => {
            "No launcher: the library is not preloaded, so a worker is started by the session that asks for a run."
        }
        _ => "The launcher is there: it keeps a worker in each database that has the extension.",
    };
    let worker = match (count("worker"), processes.queued.is_empty()) {
        (0, true) => "No worker at present, and no run that needs one.",
        (0, false) => "No worker at present, though runs are queued.",
        _ => "The worker is there.",
    };
    let runners = format!(
        "{} at work, of at most {}. {} queued.",
        counted(count("runner"), "runner", "runners"),
        processes.max_runners,
        counted(processes.queued.len() as i64, "run is", "runs are")
    );
    vec![launcher.to_owned(), worker.to_owned(), runners]
}

fn table<'a>(
    report: &Report,
    caption: &str,
    processes: impl IntoIterator<Item = &'a Process>,
) -> Markup {
    let row = |process: &Process| {
        vec![
            html! { (process.kind) @if let Some(pid) = process.pid { small { "pid " (pid) } } },
            process
                .sync
                .as_ref()
                .map_or_else(nothing, |sync| html! { bdi class="name" { (sync) } }),
            process.run_id.map_or_else(nothing, |run| html! { "#" (run) }),
            process.since.map_or_else(nothing, |since| since.ago(report.about.at)),
            process.activity.as_ref().map_or_else(nothing, |activity| html! { (activity) }),
        ]
    };
    Table {
        caption,
        class: "processes",
        columns: &[
            ("Process", false),
            ("Sync", false),
            ("Run", false),
            ("Since", false),
            ("Waits for, or does", false),
        ],
        rows: processes.into_iter().map(row).map(Row::from).collect(),
    }
    .show()
}
