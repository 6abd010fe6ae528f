//! A sync as a run would find it that began now: its definition and its model, what is in doubt
//! and would be sent again first, and what the queue has been told then.

use std::collections::HashMap;

use message::{Definitions, Event, PerEvent};

use super::shown::Shown;
use super::suppressed;
use crate::catalog::position::{self, Origin};
use crate::catalog::rejection::Rejection;
use crate::catalog::{self, Definition};
use crate::changes::change_set::Wanted;
use crate::changes::columns::{self, Column};
use crate::changes::condition::Conditions;
use crate::changes::diff::Subject;
use crate::changes::due::{Due, Known};
use crate::changes::layout::AsOwner;
use crate::changes::reading::take_key;
use crate::changes::tables;
use crate::changes::told::{Pending, Told};
use crate::pg::error::catching;
use crate::pg::rights::as_superuser;
use crate::pg::rows::{ChangeRow, Limit};
use crate::pg::spool::Spool;
use crate::pg::transaction::timeline;
use crate::pg::{Error, Result, sql};
use crate::run::compile;
use crate::run::inspect::{self, Inspected};
use crate::run::owned::{Owned, Shape};

pub struct Sight {
    pub owned: Owned,
    pub definition: Definition,
    pub inspected: Inspected,
    pub definitions: Definitions,
    /// The names of the columns that rows are rendered from.
    pub columns: Vec<String>,
    /// The events that a run sends messages of.
    pub published: Vec<Event>,
    /// The run that would be.
    pub origin: Origin,
    /// Changes up to this id would be sent again; 0: none.
    pub doubt_through: i64,
    /// They would not: they are given up.
    is_given_up: bool,
    /// Of the columns that are compared those that the queue has been told of.
    covered: Vec<Column>,
    /// The snapshot's hashes cover others.
    hashes_again: bool,
    conditions: Conditions,
}

impl Sight {
    pub fn of(owned: Owned) -> Result<Sight> {
        let in_sync = |error: Error| error.in_sync(&owned.sync.name);
        let doubt_through = check_and_find_doubt(&owned).map_err(in_sync)?;
        Sight::beside(owned, doubt_through, false)
    }

    /// As a baseline would find it, of a sync whose snapshot somebody has emptied.
    pub fn without_snapshot(owned: Owned) -> Result<Sight> {
        as_superuser(|| owned.check_plain())?;
        let doubt_through = doubt_through(&owned)?;
        Sight::beside(owned, doubt_through, true)
    }

    fn beside(owned: Owned, doubt_through: i64, is_given_up: bool) -> Result<Sight> {
        let (definition, inspected) = as_superuser(|| {
            let definition = catalog::definition::load(owned.sync.id, owned.sync.version)?;
            let inspected = inspect::inspect(&owned, &definition)?.map_err(would_hold)?;
            Ok((definition, inspected))
        })?;
        let columns = columns::names(&inspected.columns);
        let (definitions, initial_done, origin, hashed) = as_superuser(|| {
            Ok((
                compile(&owned.sync, &definition, &columns)?,
                position::initial_done(owned.sync.id)?,
                position::next_origin(owned.sync.id, owned.sync.version)?,
                position::hashed(owned.sync.id)?,
            ))
        })?;
        let covered = inspected.layout.covered(&inspected.compared);
        let hashes_again = !inspected.layout.is_hashed_by(hashed.as_deref(), &covered);
        let published = inspect::due(&owned, &definition, initial_done);
        Ok(Sight {
            conditions: definition.conditions(),
            owned,
            definition,
            inspected,
            definitions,
            columns,
            published,
            origin,
            doubt_through,
            is_given_up,
            covered,
            hashes_again,
        })
    }

    pub fn subject(&self) -> Subject<'_> {
        let pending = Pending {
            layout: &self.inspected.layout,
            covered: &self.covered,
            hashes_again: self.hashes_again,
        };
        let told = Told {
            through: self.doubt_through,
            given_up: self.is_given_up,
            pending: Some(pending),
        };
        self.inspected.subject(&self.owned.tables, told)
    }

    /// Runs `work` as the owner, reading the model; an ERROR of the model's says which one it is.
    /// After one the transaction must end.
    pub fn reading_model<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        catching(|| self.owned.reading_model(|owner| owner.run(work)))
            .map_err(|error| inspect::explain(&self.owned, error))
    }

    /// What the diff of a run would find. To be closed.
    pub fn compare(&self) -> Result<Spool> {
        self.reading_model(|| self.subject().compare())
    }

    /// The changes that a run would send after what is in doubt, as many as there is room for.
    pub fn changes(&self, found: &Spool, limit: Limit) -> Result<Vec<Shown>> {
        if limit.rows == 0 || found.counts.of(&self.published, &Event::ALL) == 0 {
            return Ok(Vec::new());
        }
        let rows = self.reading_due(found, |due, owner| self.subject().read(due, owner, limit))?;
        let mut shown = within(limit, rows, |row| self.show(row))?;
        suppressed::mark(&mut shown, &self.definition.has_own_dedup_id());
        Ok(shown)
    }

    /// How many changes of each event a run would send messages of.
    pub fn count_due(&self, found: &Spool) -> Result<PerEvent<i64>> {
        let counted = self.reading_due(found, |due, owner| self.subject().count_due(due, owner))?;
        Ok(counted.due)
    }

    /// How many changes a run would leave alone, since they were rejected as they are, or dismissed;
    /// some of the rejections.
    pub fn left_alone(&self, found: &Spool, most: usize) -> Result<(i64, Vec<Rejection>)> {
        self.reading_due(found, |due, owner| {
            if due.known.is_none() {
                return Ok((0, Vec::new()));
            }
            let met = owner.run(|| self.subject().met(due))?;
            let some = as_superuser(|| catalog::rejection::some_of(&met, most))?;
            let left = met.rows();
            met.close();
            Ok((left, some))
        })
    }

    fn reading_due<T>(
        &self,
        found: &Spool,
        read: impl FnOnce(&Due<'_>, &AsOwner<'_>) -> Result<T>,
    ) -> Result<T> {
        let sync = &self.owned.sync;
        let (first_id, known) = as_superuser(|| {
            let first_id = position::next_change_id(sync.id, timeline())?;
            let known = catalog::rejection::left_alone(sync.id, sync.version)?;
            Ok((first_id, Known::of(known)))
        })?;
        let due = Due {
            found,
            known: known.as_ref(),
            published: &self.published,
            conditions: &self.conditions,
            first_id,
        };
        let result = self
            .owned
            .reading_model(|owner| read(&due, owner))
            .map_err(|error| error.in_sync(&sync.name))?;
        if let Some(known) = known {
            known.close();
        }
        Ok(result)
    }

    /// A change whose last value is its key.
    pub fn show(&self, mut row: ChangeRow) -> Result<Shown> {
        let key = take_key(&mut row)?;
        Ok(Shown::of(row, key, &self.columns, &self.definitions, &self.origin))
    }

    /// The rows that a run would reject for their keys, some of them.
    pub fn unfit(&self, found: &Spool, most: usize) -> Result<Vec<Rejection>> {
        self.owned.as_owner(|| self.subject().some_unfit(found, most))
    }

    /// How many changes would be sent again.
    pub fn count_in_doubt(&self) -> Result<i64> {
        let statement = format!(
            "SELECT count(*) FROM ONLY {} WHERE sqs_sync_change_id <= $1",
            self.owned.tables.changes
        );
        self.owned.as_owner(|| sql::value(&statement, &[self.doubt_through.into()]))
    }

    /// What would be sent again, as it was sent before: by the definition and the run that it was
    /// found under.
    pub fn in_doubt(&self, limit: Limit) -> Result<Vec<Shown>> {
        if limit.rows == 0 || self.doubt_through == 0 {
            return Ok(Vec::new());
        }
        let sync = &self.owned.sync;
        let (origin, shape, definitions) = as_superuser(|| {
            let origin = position::origin(sync.id)?
                .ok_or_else(|| Error::internal("the change set comes from no run"))?;
            let definition = catalog::definition::load(sync.id, origin.version)?;
            let shape = Shape::of(&self.owned)?;
            let definitions = compile(sync, &definition, &columns::names(&shape.columns))?;
            Ok((origin, shape, definitions))
        })?;
        let names = columns::names(&shape.columns);
        let set = shape.change_set(&self.owned);
        let wanted = Wanted { columns: shape.columns.clone(), old: true };
        let (rows, keys) = self.owned.on_batch(|| {
            let rows = set.read(&wanted, 0, self.doubt_through, limit)?;
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            Ok((rows, set.identify(&ids)?))
        })?;
        let mut keys: HashMap<i64, String> =
            keys.into_iter().map(|change| (change.id, change.key)).collect();
        within(limit, rows, |row| {
            let key = keys.remove(&row.id).unwrap_or_default();
            Ok(Shown::again(row, key, &names, &definitions, &origin))
        })
    }
}

/// The first of these rows as they are shown: a template can make much of a small one.
fn within(
    limit: Limit,
    rows: Vec<ChangeRow>,
    mut show: impl FnMut(ChangeRow) -> Result<Shown>,
) -> Result<Vec<Shown>> {
    let (mut shown, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    for row in rows {
        if bytes >= limit.bytes {
            break;
        }
        let next = show(row)?;
        bytes += next.cost;
        shown.push(next);
    }
    Ok(shown)
}

fn would_hold(held: Error) -> Error {
    Error { message: format!("a run would be held: {}", held.message), ..held }
}

/// Checks the tables as a run does first, and finds up to which change it would send again.
fn check_and_find_doubt(owned: &Owned) -> Result<i64> {
    let told_rows = as_superuser(|| {
        owned.check_plain()?;
        position::told_rows(owned.sync.id)
    })?;
    owned.as_owner(|| tables::check_not_emptied(&owned.tables, told_rows))?;
    doubt_through(owned)
}

fn doubt_through(owned: &Owned) -> Result<i64> {
    let handed = as_superuser(|| position::handed_through(owned.sync.id, timeline()))?;
    owned.last_in_doubt(handed, |step| step())
}
