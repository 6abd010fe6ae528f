//! The latest runs.

use maud::{Markup, html};

use super::{Row, Table, nothing, number};
use crate::data::{Report, Run, State};
use crate::number::{counted, grouped, rated};
use crate::page::Section;
use crate::time::Duration;

/// Characters of an error that a row shows.
const ERROR: usize = 300;

pub fn section(report: &Report) -> Section {
    let contents = match report.runs.is_empty() {
        true => html! { p class="empty" { "None yet." } },
        false => table(report),
    };
    Section { id: "runs", title: "Latest runs", contents }
}

fn table(report: &Report) -> Markup {
    let rows = report.runs.iter().map(|run| row(report, run)).collect();
    Table {
        caption: "The newest first. A rate is what was published, by the time from start to end.",
        class: "runs",
        columns: &[
            ("Run", false),
            ("State", false),
            ("Asked for", false),
            ("Waited", true),
            ("Took", true),
            ("Added", true),
            ("Changed", true),
            ("Removed", true),
            ("Published", true),
            ("Messages/s", true),
            ("Rejected", true),
            ("In doubt", true),
        ],
        rows,
    }
    .show()
}

fn row(report: &Report, run: &Run) -> Row {
    let waited = run.started_at.map(|started| started.since(run.requested_at));
    let took = run.started_at.zip(run.finished_at).map(|(started, ended)| ended.since(started));
    let duration = |of: Option<Duration>| of.map_or_else(nothing, |of| html! { (of) });
    let rate = took
        .filter(|took| took.0 > 0 && run.published > 0)
        .map_or_else(nothing, |took| html! { (rated(run.published as f64 / took.seconds())) });
    let cells = vec![
        html! {
            span class="id" { "#" (run.id) }
            @if report.only.is_none() { " " bdi class="name" { (run.sync) } }
        },
        run.state.badge(),
        run.requested_at.ago(report.about.at),
        duration(waited),
        duration(took),
        number(run.found.added),
        number(run.found.changed),
        number(run.found.removed),
        html! { (grouped(run.published)) },
        rate,
        number(run.rejected),
        number(run.in_doubt),
    ];
    Row { cells, below: explanation(run) }
}

/// Why it is not further.
fn explanation(run: &Run) -> Option<Markup> {
    let waiting = run.waiting_for.as_ref().map(|what| html! { "waits for " (what.cut(ERROR)) });
    let error = run.error.as_ref().map(|error| {
        html! {
            @if let Some(code) = &run.sqlstate { code { (code) } " " }
            (error.cut(ERROR))
        }
    });
    error.or(waiting).or_else(|| progress(run))
}

fn progress(run: &Run) -> Option<Markup> {
    let all = run.found.added + run.found.changed + run.found.removed;
    let done = run.published + run.rejected + run.found.silent;
    (run.state == State::Publishing)
        .then(|| html! { (grouped(done)) " of " (counted(all, "change", "changes")) " done" })
}
