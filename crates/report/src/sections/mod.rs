//! The parts of the page, one file each.

pub mod alerts;
pub mod calls;
pub mod history;
pub mod mix;
pub mod next;
pub mod processes;
pub mod rejections;
pub mod runs;
pub mod syncs;

use maud::{Markup, html};

use crate::number::grouped;

/// A table that is cards on a narrow screen: there each cell says its column.
struct Table<'a> {
    caption: &'a str,
    class: &'a str,
    /// What each column is called, and whether it holds numbers.
    columns: &'a [(&'a str, bool)],
    rows: Vec<Row>,
}

struct Row {
    /// The first names the row.
    cells: Vec<Markup>,
    /// What stands below them, over the whole width.
    below: Option<Markup>,
}

impl From<Vec<Markup>> for Row {
    fn from(cells: Vec<Markup>) -> Row {
        Row { cells, below: None }
    }
}

impl Table<'_> {
    fn show(self) -> Markup {
        let class = |numbers: bool| numbers.then_some("n");
        html! {
            table class=(self.class) {
                caption { (self.caption) }
                thead {
                    tr { @for (name, numbers) in self.columns { th scope="col" class=[class(*numbers)] { (name) } } }
                }
                tbody {
                    @for row in self.rows {
                        tr {
                            @for (i, (cell, (name, numbers))) in row.cells.into_iter().zip(self.columns).enumerate() {
                                @if i == 0 { th scope="row" { (cell) } }
                                @else { td class=[class(*numbers)] data-label=(name) { (cell) } }
                            }
                        }
                        @if let Some(below) = row.below {
                            tr class="below" { td colspan=(self.columns.len()) dir="auto" { (below) } }
                        }
                    }
                }
            }
        }
    }
}

/// A count in a table, where zero is not worth a look.
fn number(count: i64) -> Markup {
    match count {
        0 => html! { span class="zero" { "0" } },
        _ => html! { (grouped(count)) },
    }
}

fn nothing() -> Markup {
    html! { span class="zero" { "–" } }
}

/// Names of syncs, the first few of them.
fn names<'a>(all: impl ExactSizeIterator<Item = &'a crate::text::Text>) -> Markup {
    const SHOWN: usize = 4;
    let more = all.len().saturating_sub(SHOWN) as i64;
    html! {
        @for (i, name) in all.take(SHOWN).enumerate() {
            @if i > 0 { ", " }
            bdi class="name" { (name) }
        }
        @if more > 0 { " and " (grouped(more)) " more" }
    }
}
