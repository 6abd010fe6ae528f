//! What the page of `sqs_sync_report` is made of, read by the views that everyone may read, with the
//! rights of whoever calls: it shows nothing that they do not.
//!
//! What is read is bounded by the number of syncs, and not by how many runs there were, but for the
//! history, which is of a limited time.

mod alerts;
mod calls;
mod history;
mod processes;
mod rejections;
mod runs;
mod syncs;

use pgrx::datum::DatumWithOid;
use report::data::{About, Report};
use report::text::Text;
use report::time::Time;

use crate::pg::rights;
use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

/// Compiling takes longer than what it would make faster.
const SETTINGS: [(&str, &str); 1] = [("jit", "off")];

/// Of the sync of that name, or of all. Without syncs if there is none that the caller may see.
pub fn read(name: Option<&str>) -> Result<Report> {
    rights::as_caller(&SETTINGS, || {
        let about = about()?;
        let mut recent = runs::Recent::read(name)?;
        let syncs = syncs::read(name, &mut recent)?;
        let hidden_syncs = syncs.iter().filter(|sync| sync.rejected.is_none()).count() as i64;
        Ok(Report {
            history: history::read(name, about.at, recent.requested_at())?,
            runs: recent.latest(),
            rejections: rejections::read(name, hidden_syncs)?,
            calls: calls::read(name)?,
            alerts: alerts::read(name)?,
            processes: processes::read(name)?,
            only: name.map(Text::from),
            about,
            syncs,
        })
    })
}

fn about() -> Result<About> {
    let statement = "SELECT (date_part('epoch', statement_timestamp()) * 1000)::int8, current_database()::text, \
                     current_user::text, current_setting('server_version'), extversion::text \
                     FROM pg_catalog.pg_extension WHERE extname = 'sqs_sync'";
    let about = sql::row(statement, &[], |row| {
        Ok(About {
            at: Time(row.need(1)?),
            database: text(row, 2)?,
            reader: text(row, 3)?,
            postgres: text(row, 4)?,
            extension: text(row, 5)?,
        })
    })?;
    about.ok_or_else(|| Error::internal("the extension is not in this database"))
}

/// What a statement has behind WHERE, and its argument, where it is about one sync: the column that
/// has its name is given.
fn only<'a>(column: &str, name: Option<&'a str>) -> (String, Vec<DatumWithOid<'a>>) {
    match name {
        Some(name) => (format!("{column} = $1"), vec![name.into()]),
        None => ("true".to_owned(), Vec::new()),
    }
}

/// A moment, or a length of time, as the page has it. (`extract` computes in numeric, which is slow.)
fn millis(expression: &str) -> String {
    format!("(date_part('epoch', {expression}) * 1000)::int8")
}

fn text(row: &Row<'_>, column: usize) -> Result<Text> {
    Ok(row.need::<String>(column)?.into())
}

fn maybe_text(row: &Row<'_>, column: usize) -> Result<Option<Text>> {
    Ok(row.get::<String>(column)?.map(Text::from))
}

fn maybe_time(row: &Row<'_>, column: usize) -> Result<Option<Time>> {
    Ok(row.get(column)?.map(Time))
}

fn texts(row: &Row<'_>, column: usize) -> Result<Vec<Text>> {
    Ok(row.need::<Vec<String>>(column)?.into_iter().map(Text::from).collect())
}

/// One of the words that a view has for a state.
fn state<T: std::str::FromStr>(word: &str) -> Result<T> {
    word.parse().map_err(|_| Error::internal(format!("unrecognized state \"{word}\"")))
}
