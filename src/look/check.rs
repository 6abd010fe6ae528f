//! `sqs_sync_check`: whether all that a run needs is there. What is wrong is a row, never an
//! exception; each part is looked at in a subtransaction of its own, so that one that fails leaves
//! the others to be told.

use std::collections::BTreeMap;

use message::{Event, Message};

use super::reach::{self, Used};
use super::shown::any_queue;
use super::sight::Sight;
use super::{moved, single};
use crate::catalog::{self, Definition, State};
use crate::changes::columns;
use crate::changes::layout::Layout;
use crate::changes::model::Model;
use crate::changes::tables;
use crate::connection;
use crate::home;
use crate::pg::background::{self, Kind};
use crate::pg::rights::as_superuser;
use crate::pg::rows::{ChangeRow, Limit};
use crate::pg::transaction::attempt;
use crate::pg::{Error, Result, database};
use crate::run::inspect;
use crate::run::owned::Owned;
use crate::run::rendering::{self, Refused};

/// One thing that was looked at.
pub struct Item {
    pub item: String,
    /// False: a run would fail or leave rows out. None: it is not known, or worth knowing.
    pub ok: Option<bool>,
    pub detail: String,
    pub hint: Option<String>,
}

impl Item {
    pub fn good(item: &str, detail: impl Into<String>) -> Item {
        Item { item: item.to_owned(), ok: Some(true), detail: detail.into(), hint: None }
    }

    pub fn bad(item: &str, detail: impl Into<String>, hint: Option<String>) -> Item {
        Item { item: item.to_owned(), ok: Some(false), detail: detail.into(), hint }
    }

    pub fn worth_knowing(item: &str, detail: impl Into<String>, hint: &str) -> Item {
        let hint = Some(hint.to_owned());
        Item { item: item.to_owned(), ok: None, detail: detail.into(), hint }
    }

    fn failed(item: &str, error: Error) -> Item {
        let hint = error.hint.clone();
        Item::bad(item, error.with_detail(), hint)
    }
}

/// Rows of the model that are rendered for a check.
const SAMPLE: Limit = Limit { rows: 1000, bytes: 8 << 20 };
/// Letters of a key that an item shows.
const SHOWN_KEY: usize = 100;

/// Looks at everything.
pub fn check(owned: Owned) -> Result<Vec<Item>> {
    let definition = as_superuser(|| catalog::definition::load(owned.sync.id, owned.sync.version))?;
    let mut looked = Looked { items: Vec::new() };
    let connection = looked.at("privileges", || {
        as_superuser(|| connection::of(&definition.server, owned.owner, &owned.sync.name))
    })?;
    if connection.is_some() {
        let detail = format!("the sync's owner may use the server {}", definition.server);
        looked.items.push(Item::good("privileges", detail));
    }
    let has_tables = look_at_tables(&mut looked, &owned)?;
    let fits = look_at_model(&mut looked, &owned, &definition)?;
    let mut used = Vec::new();
    if has_tables
        && fits
        && let Some(sight) = looked.at("message", || Sight::of(owned.clone()))?
    {
        used = look_at_rows(&mut looked, &sight)?;
    }
    if let Some(connection) = connection {
        looked.items.extend(reach::look(&connection, with_literals(used, &definition))?);
    }
    looked.items.extend(waits(&owned)?);
    looked.items.extend(copy()?);
    looked.items.push(worker());
    Ok(looked.items)
}

/// What has been looked at so far.
struct Looked {
    items: Vec<Item>,
}

impl Looked {
    /// Does a part of the check. What is wrong becomes an item; a cancel is no such thing.
    fn at<T>(&mut self, item: &str, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        match attempt(work) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_cancel() => Err(error),
            Err(error) => {
                self.items.push(Item::failed(item, error));
                Ok(None)
            }
        }
    }
}

fn look_at_tables(looked: &mut Looked, owned: &Owned) -> Result<bool> {
    let told = looked.at("tables", || {
        let told = as_superuser(|| {
            owned.check_plain()?;
            catalog::position::told_rows(owned.sync.id)
        })?;
        owned.as_owner(|| tables::check_not_emptied(&owned.tables, told)).map(|()| told)
    })?;
    if let Some(told) = told {
        let detail = format!(
            "{} is as it was made; the queue has been told of {}",
            owned.tables.snapshot,
            counted(told)
        );
        looked.items.push(Item::good("tables", detail));
    }
    Ok(told.is_some())
}

/// Model, columns and message, each of which the next one stands on: whether all is well.
fn look_at_model(looked: &mut Looked, owned: &Owned, definition: &Definition) -> Result<bool> {
    let found = looked.at("model", || as_superuser(|| inspect::find(owned)))?;
    let (model, layout) = match found {
        None => return Ok(false),
        Some(Err(held)) => {
            let detail = format!("a run would be held: {}", held.message);
            looked.items.push(Item::bad("model", detail, held.hint));
            return Ok(false);
        }
        Some(Ok(found)) => found,
    };
    looked.items.push(Item::good("model", format!("{} is there, and its owner's", model.name)));
    looked.items.push(of_columns(&layout));
    look_at_message(looked, owned, definition, model, layout)
}

fn of_columns(layout: &Layout) -> Item {
    if layout.is_as_told() {
        return Item::good("columns", format!("all {} are as they were told", layout.kept.len()));
    }
    let added: Vec<&str> = layout.added.iter().map(|c| c.name.as_str()).collect();
    let mut parts = Vec::new();
    if !added.is_empty() {
        parts.push(format!("{} added", added.join(", ")));
    }
    if !layout.dropped.is_empty() {
        parts.push(format!("{} dropped", layout.dropped.join(", ")));
    }
    Item::worth_knowing(
        "columns",
        format!("{} since the last run", parts.join(", ")),
        "The next run adopts this: rows whose other columns are as they were told are not announced.",
    )
}

fn look_at_message(
    looked: &mut Looked,
    owned: &Owned,
    definition: &Definition,
    model: Model,
    layout: Layout,
) -> Result<bool> {
    let resolve = || as_superuser(|| inspect::resolve(owned, definition, model, layout));
    let Some(resolved) = looked.at("message", resolve)? else { return Ok(false) };
    let events: Vec<&str> = definition.published().iter().map(|event| event.as_str()).collect();
    let detail = format!("the definition fits the columns; published: {}", events.join(", "));
    looked.items.push(Item::good("message", detail));
    for moved in moved::moved(&owned.sync, definition, &columns::names(&resolved.columns))? {
        let (property, columns) = (moved.property.as_str(), moved.columns.join(", "));
        looked.items.push(Item::worth_knowing(
            "rows that move",
            format!("{property} comes from {columns}, which is not part of the key"),
            "A row in which that changes is announced in its new place only: who reads the old one is not told. Add it to the key if that matters.",
        ));
    }
    Ok(true)
}

/// The key over all rows, and the messages of a sample.
fn look_at_rows(looked: &mut Looked, sight: &Sight) -> Result<Vec<Used>> {
    let compared = looked.at("model", || {
        let found = sight.compare()?;
        let unfit = sight.unfit(&found, 1)?.pop();
        let (left_alone, _) = sight.left_alone(&found, 0)?;
        let counts = found.counts;
        found.close();
        Ok((counts, unfit, left_alone))
    })?;
    let Some((counts, unfit, left_alone)) = compared else { return Ok(Vec::new()) };
    looked.items.push(match unfit {
        None => Item::good("key", "unique, not null and short enough in all rows of the model"),
        Some(first) => {
            let rows = counted(counts.unfit + counts.too_long);
            let (key, code, reason) = (brief(&first.key), first.code, first.reason);
            let detail = format!(
                "{rows} of the model would be rejected for the key, such as {key}: {code}: {reason}"
            );
            Item::bad("key", detail, first.hint)
        }
    });
    let mut detail = format!(
        "a run would find {} added, {} changed and {} removed rows",
        counts.added, counts.changed, counts.removed
    );
    if left_alone > 0 {
        detail += &format!(
            ", {left_alone} of which it leaves alone, since they were rejected as they are, or dismissed"
        );
    }
    looked.items.push(Item::good("changes", detail));
    let Some(rows) = looked.at("messages", || single::sample(sight, SAMPLE))? else {
        return Ok(Vec::new());
    };
    let mut used = Vec::new();
    for event in sight.definition.published() {
        looked.items.extend(messages(sight, &rows, event, &mut used));
    }
    Ok(used)
}

/// `1 row`, `2 rows`
fn counted(rows: impl TryInto<i64>) -> String {
    report::number::counted(rows.try_into().unwrap_or(i64::MAX), "row", "rows")
}

/// Renders the sample for an event: an item for each thing that rows are rejected for.
fn messages(
    sight: &Sight,
    rows: &[(ChangeRow, String)],
    event: Event,
    used: &mut Vec<Used>,
) -> Vec<Item> {
    let item = format!("messages: {event}");
    let mut rejected: BTreeMap<String, (usize, Refused, &str)> = BTreeMap::new();
    for (row, key) in rows {
        match rendered(sight, row, event) {
            Ok(message) => reach::note(used, &message),
            Err(refused) => {
                let first = (0, refused.clone(), key.as_str());
                rejected.entry(refused.code).or_insert(first).0 += 1;
            }
        }
    }
    if rejected.is_empty() {
        return vec![Item::good(&item, format!("made of {} of the model", counted(rows.len())))];
    }
    rejected
        .into_iter()
        .map(|(code, (count, refused, key))| {
            let detail = format!(
                "not made of {count} of {} of the model, such as {}: {code}: {}",
                counted(rows.len()),
                brief(key),
                refused.reason
            );
            Item::bad(&item, detail, refused.hint)
        })
        .collect()
}

fn rendered(sight: &Sight, row: &ChangeRow, event: Event) -> std::result::Result<Message, Refused> {
    let change = ChangeRow {
        id: row.id,
        event: event.as_str().to_owned(),
        values: row.values.clone(),
        old: row.old.clone(),
        unread: row.unread.clone(),
    };
    rendering::render(&sight.definitions, &sight.columns, &change, &sight.origin, any_queue)
        .map(|(_, message)| message)
}

fn brief(key: &str) -> String {
    match key.char_indices().nth(SHOWN_KEY) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

/// Queues that the definition names itself belong to it, whatever rows there are.
fn with_literals(mut used: Vec<Used>, definition: &Definition) -> Vec<Used> {
    let by_row = definition.row_names_queue();
    for event in definition.published() {
        let own =
            definition.events.get(event).as_ref().and_then(|own| own.message.set.queue.as_ref());
        if let Some(queue) = own.or(definition.message.queue.as_ref())
            && !by_row.get(event)
        {
            reach::note_queue(&mut used, queue);
        }
    }
    used
}

/// What keeps the sync from running, by its owner's wish or for his decision.
fn waits(owned: &Owned) -> Result<Option<Item>> {
    let waiting = as_superuser(|| {
        let Some(run_id) = catalog::run::waiting(owned.sync.id)? else { return Ok(None) };
        catalog::run::find(run_id)
    })?;
    if let Some(run) = waiting.filter(|run| run.state == State::Held) {
        let why = run.error.unwrap_or_default();
        return Ok(Some(Item::bad("runs", format!("run {} is held: {why}", run.id), run.hint)));
    }
    Ok(owned.sync.paused.then(|| {
        Item::worth_knowing("runs", "the sync is paused", "sqs_sync_resume lets it run again.")
    }))
}

fn copy() -> Result<Option<Item>> {
    Ok(home::why_not()?.map(|why| {
        let hint = "sqs_sync_take_over, by a superuser or the database's owner, starts its syncs.";
        Item::bad("copy", format!("this database is a copy: {why}"), Some(hint.to_owned()))
    }))
}

fn worker() -> Item {
    let count = |kind, database| background::running(kind, database).len();
    let launchers = count(Kind::Launcher, pgrx::pg_sys::InvalidOid);
    if count(Kind::Worker, database::current()) > 0 {
        return Item::good("worker", "the database's worker runs");
    }
    match launchers {
        0 => Item::worth_knowing(
            "worker",
            "no worker runs, and no launcher that would start one with the server",
            "sqs_sync_run starts one. Add sqs_sync to shared_preload_libraries, so that runs go on after a restart.",
        ),
        _ => Item::worth_knowing(
            "worker",
            "no worker runs now; the launcher runs",
            "The launcher starts one soon, if max_worker_processes has room.",
        ),
    }
}
