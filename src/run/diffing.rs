//! The diff's transaction: the model is checked, the tables are brought in line with its
//! columns, what changed is found and written to the change set. One snapshot for all of it;
//! nothing of it is kept unless all of it is.

use std::cell::Cell;

use message::{Event, PerEvent};
use pgrx::PgSqlErrorCode;

use super::guard::{self, Held};
use super::inspect::{self, Inspected};
use super::job::Job;
use super::owned::{Owned, Shape};
use crate::catalog::figures::{Found, Reasons};
use crate::catalog::progress::{self, Phase};
use crate::catalog::{self, Definition};
use crate::changes::change_set::ChangeSet;
use crate::changes::columns;
use crate::changes::condition::{self, Conditions};
use crate::changes::diff::Subject;
use crate::changes::due::{Due, Known};
use crate::changes::tables;
use crate::changes::told::Told;
use crate::pg::error::catching;
use crate::pg::rights::as_superuser;
use crate::pg::spool::Spool;
use crate::pg::transaction::{Isolation, timeline, transaction, transaction_at};
use crate::pg::{Error, Result, failpoint, rights, sql};

/// How often a diff is taken that somebody else's change of our catalog has spoiled.
const ATTEMPTS: u32 = 3;

/// Takes the diff. What it returns, if anything, is why the run is to be held.
pub fn diff(job: &Job) -> Result<Option<Error>> {
    check_nothing_in_doubt(job)?;
    make_room(job)?;
    let held =
        super::retried(ATTEMPTS, || take_once(job)).map_err(|error| explain_lock(job, error))?;
    if let Some(Held { hold, .. }) = &held {
        super::catalog_transaction(|| match hold {
            Some(hold) => {
                catalog::figures::set_due(job.run.id, &hold.due)?;
                catalog::hold::record(job.run.id, hold)
            }
            None => catalog::hold::forget(job.run.id),
        })?;
    }
    Ok(held.map(|held| held.error))
}

/// A diff forgets what is in the change set: only what certainly was never sent may be there.
fn check_nothing_in_doubt(job: &Job) -> Result<()> {
    match transaction(|| job.count_in_doubt())? {
        0 => Ok(()),
        left => Err(Error::internal(format!("{left} changes in doubt were not sent again"))
            .in_sync(&job.sync.name)),
    }
}

/// Somebody keeps the model, or a table of ours, locked for longer than a run waits.
fn explain_lock(job: &Job, error: Error) -> Error {
    if error.code != PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE {
        return error;
    }
    let message =
        format!("a lock on the model {} or on the sync's tables was not to be had", job.sync.model);
    Error::new(error.code, message)
        .in_sync(&job.sync.name)
        .hint("Somebody holds one: pg_locks says who. The next run tries again.")
}

/// Truncates a change set that has grown large, in a transaction of its own: in the diff's it
/// would keep pg_dump out until the end. If somebody reads it now, it is left for another run.
fn make_room(job: &Job) -> Result<()> {
    let truncated = transaction(|| {
        let shape = as_superuser(|| Shape::of(job))?;
        let set = shape.change_set(job);
        rights::as_owner(job.owner, &[("lock_timeout", "100ms")], || {
            if set.is_worth_truncating()? { set.truncate() } else { Ok(()) }
        })
    });
    match truncated {
        Err(error) if error.is_passing() => Ok(()),
        other => other,
    }
}

/// A run that is to be held leaves everything as it was: its transaction is rolled back.
fn take_once(job: &Job) -> Result<Option<Held>> {
    let reading_model = Cell::new(false);
    let held = Cell::new(None);
    let taken = transaction_at(Isolation::RepeatableRead, || {
        let (definition, inspected) = super::on_catalog(|| {
            let definition = catalog::definition::load(job.sync.id, job.version()?)?;
            let inspected = inspect::inspect(job, &definition)?;
            Ok((definition, inspected))
        })?;
        let why = match inspected {
            Ok(inspected) => take(job, &definition, &inspected, &reading_model)?,
            Err(error) => Some(Held { error, hold: None }),
        };
        let Some(why) = why else { return Ok(()) };
        let error = why.error.clone();
        held.set(Some(why));
        Err(error)
    });
    match (held.take(), taken) {
        (Some(held), _) => Ok(Some(held)),
        (None, Err(error)) if reading_model.get() => Err(inspect::explain(job, error)),
        (None, taken) => taken.map(|()| None),
    }
}

fn take(
    job: &Job,
    definition: &Definition,
    inspected: &Inspected,
    reading_model: &Cell<bool>,
) -> Result<Option<Held>> {
    let told_rows = as_superuser(|| catalog::position::told_rows(job.sync.id))?;
    job.as_owner(|| tables::check_not_emptied(&job.tables, told_rows))
        .map_err(|error| error.in_sync(&job.sync.name))?;
    let found = compare(job, definition, inspected, reading_model)?;
    let subject = inspected.subject(&job.tables, Told::default());
    failpoint::reach("compared");
    let initial_done = as_superuser(|| catalog::position::initial_done(job.sync.id))?;
    let published = inspect::due(job, definition, initial_done);
    if initial_done
        && let Some(held) = guard::examine(job, definition, &subject, &found, &published)?
    {
        return Ok(Some(held));
    }
    let known =
        Known::of(as_superuser(|| catalog::rejection::left_alone(job.sync.id, job.version()?))?);
    let conditions = definition.conditions();
    let due = Due {
        found: &found,
        known: known.as_ref(),
        published: &published,
        conditions: &conditions,
        first_id: 0,
    };
    keep(job, &subject, due)?;
    as_superuser(check_not_replaced)?;
    if inspect::skips(job, initial_done) {
        super::on_catalog(|| catalog::position::set_initial_done(job.sync.id))?;
    }
    failpoint::reach("diff_kept");
    found.close();
    if let Some(known) = known {
        known.close();
    }
    Ok(None)
}

/// Empties the change set, in which nothing is in doubt, brings the tables in line with the
/// model's columns, and compares.
pub(super) fn compare(
    owned: &Owned,
    definition: &Definition,
    inspected: &Inspected,
    reading_model: &Cell<bool>,
) -> Result<Spool> {
    let Inspected { model, layout, compared, .. } = inspected;
    let before = as_superuser(|| Shape::of(owned))?;
    owned.as_owner(|| before.change_set(owned).clear())?;
    let hashed = as_superuser(|| catalog::position::hashed(owned.sync.id))?;
    reading_model.set(true);
    owned.reading_model(|owner| {
        let hashed = hashed.as_deref();
        layout.adapt(&model.name, &owned.tables, &before.key, hashed, compared, owner)
    })?;
    reading_model.set(false);
    super::on_catalog(|| {
        let names = definition.compare.as_ref().map(|_| columns::names(compared));
        catalog::position::set_hashed(owned.sync.id, names)
    })?;
    let subject = inspected.subject(&owned.tables, Told::default());
    reading_model.set(true);
    let found = owned.reading_model(|owner| owner.run(|| subject.compare()))?;
    reading_model.set(false);
    as_superuser(check_not_replaced)?;
    Ok(found)
}

/// The snapshot of this transaction is older than its locks. A table that was truncated and
/// filled again, rewritten or swapped while the diff waited for its lock seems empty by that
/// snapshot, and all its rows would be announced as removed: the diff is then taken anew.
/// `pg_class` shows what the snapshot sees, and `pg_relation_filenode` what is there now.
fn check_not_replaced() -> Result<()> {
    let replaced: bool = sql::value(
        "SELECT EXISTS ( \
           SELECT 1 FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation \
           WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.database <> 0 \
             AND (c.oid IS NULL OR (c.relfilenode <> 0 \
                  AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid))))",
        &[],
    )?;
    match replaced {
        true => Err(Error::new(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            "a table of the model was replaced or rewritten while the diff began",
        )),
        false => Ok(()),
    }
}

/// Writes the change set, what moves silently and the rejections, and what the run has found.
fn keep(job: &Job, subject: &Subject<'_>, due: Due<'_>) -> Result<()> {
    let Due { found, published, .. } = due;
    let counts = found.counts;
    let silent: Vec<Event> =
        Event::ALL.into_iter().filter(|event| !published.contains(event)).collect();
    let left = leave_alone(job, subject, &due)?;
    let news = counts.of(published, &Event::ALL) - left.rows();
    let mut left_out = PerEvent::default();
    if news > 0 {
        left_out = write(job, subject, due)?;
    }
    let unannounced = counts.of(&silent, &Event::ALL);
    if unannounced > 0 {
        job.as_owner(|| subject.adopt(found, &silent))?;
    }
    let (unfit, unfit_dismissed) = reject_unfit(job, subject, found)?;
    let added = counts.of(&silent, &[Event::Added]) + left_out.added;
    let removed = counts.of(&silent, &[Event::Removed]) + left_out.removed;
    let told = counts.told + added - removed;
    let left_out = left_out.added + left_out.changed + left_out.removed;
    super::on_catalog(|| {
        catalog::position::set_told_rows(job.sync.id, told)?;
        catalog::figures::add_reasons(job.run.id, &left.reasons)?;
        catalog::figures::set_found(
            job.run.id,
            &Found {
                added: counts.added - left.of.added,
                changed: counts.changed - left.of.changed,
                removed: counts.removed - left.of.removed,
                silent: unannounced + left_out,
                rejected: unfit + left.rejected,
                still_rejected: left.rejected,
                dismissed: left.dismissed + unfit_dismissed,
            },
        )?;
        progress::enter(job.run.id, Phase::Publishing, Some(news - left_out))
    })
}

/// What a run leaves alone, since it was rejected as it is, or dismissed.
#[derive(Default)]
struct Left {
    of: PerEvent<i64>,
    rejected: i64,
    dismissed: i64,
    /// Of those that are rejected.
    reasons: Reasons,
}

impl Left {
    fn rows(&self) -> i64 {
        self.of.added + self.of.changed + self.of.removed
    }
}

/// Finds what is left alone; all other rejections of the sync are so no more.
fn leave_alone(job: &Job, subject: &Subject<'_>, due: &Due<'_>) -> Result<Left> {
    let met = match due.known {
        Some(_) => Some(job.as_owner(|| subject.met(due))?),
        None => None,
    };
    let mut left = Left::default();
    let left_alone = super::on_catalog(|| {
        catalog::rejection::leave_alone(job.sync.id, job.run.id, met.as_ref())
    })?;
    for one in left_alone {
        let event: Event = one.event.parse().map_err(|_| Error::internal("a rejection's event"))?;
        *left.of.get_mut(event) += one.rows;
        if one.is_dismissed {
            left.dismissed += one.rows;
        } else if !one.is_counted {
            left.rejected += one.rows;
            *left.reasons.entry(one.code).or_default() += one.rows;
        }
    }
    if let Some(met) = met {
        met.close();
    }
    Ok(left)
}

/// Rejects keys that are null, not unique or too long. Returns how many there are, and how many more
/// are dismissed.
fn reject_unfit(job: &Job, subject: &Subject<'_>, found: &Spool) -> Result<(i64, i64)> {
    let (mut rejected, mut dismissed) = (0, 0);
    job.as_owner(|| {
        subject.each_unfit(found, |rejections| {
            let reasons = super::on_catalog(|| {
                let reasons = catalog::rejection::record(job.sync.id, job.run.id, rejections)?;
                catalog::figures::add_reasons(job.run.id, &reasons)?;
                Ok(reasons)
            })?;
            let open = reasons.values().sum::<i64>();
            rejected += open;
            dismissed += rejections.len() as i64 - open;
            Ok(())
        })
    })?;
    Ok((rejected, dismissed))
}

/// Writes what is due to the change set. Returns what the conditions have left out of it.
fn write(job: &Job, subject: &Subject<'_>, due: Due<'_>) -> Result<PerEvent<i64>> {
    let most = due.found.counts.of(due.published, &Event::ALL);
    let first_id = super::on_catalog(|| {
        catalog::position::begin_change_set(job.sync.id, job.run.id, most, timeline())
    })?;
    let due = Due { first_id, ..due };
    if *due.conditions == Conditions::default() {
        job.as_owner(|| subject.write(&due))?;
        return Ok(PerEvent::default());
    }
    job.reading_model(|owner| owner.run(|| catching(|| subject.write(&due))))
        .map_err(|error| condition::explain(error).in_sync(&job.sync.name))?;
    let set = ChangeSet { tables: subject.tables, columns: subject.columns, key: subject.key };
    job.as_owner(|| set.adopt_left_out())
}
