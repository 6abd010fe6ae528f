//! The guard rail: a run that would announce an implausible share of changes, which more often
//! is a mistake in the model than news, is held before anything of it is written, until somebody
//! decides. What he has approved it does not ask for again, as long as it has not grown.

use message::{Event, PerEvent};

use super::job::Job;
use crate::catalog::hold::Hold;
use crate::catalog::{self, Definition, Guard};
use crate::changes::diff::Subject;
use crate::changes::due::{Due, Known};
use crate::changes::reading::{Counted, take_key};
use crate::pg::rights::as_superuser;
use crate::pg::rows::Limit;
use crate::pg::spool::{Counts, Spool};
use crate::pg::{Error, Result};

/// Keys of each event that are shown.
const SAMPLE: Limit = Limit { rows: 5, bytes: 1 << 20 };
/// What was approved may grow by so much, of itself.
const GROWTH: f64 = 0.1;

/// Why a run is held.
pub struct Held {
    pub error: Error,
    /// None: not for how much it would announce.
    pub hold: Option<Hold>,
}

/// Finds out whether a run is to be held for what its diff has found, of which these events are
/// published.
pub fn examine(
    job: &Job,
    definition: &Definition,
    subject: &Subject<'_>,
    found: &Spool,
    published: &[Event],
) -> Result<Option<Held>> {
    let Counts { told, added, removed, again, .. } = found.counts;
    let mut all = of_each(|event| found.counts.of(published, &[event]));
    all.changed = (all.changed - again).max(0);
    let rail = Rail {
        guard: definition.guard,
        told,
        is_emptied: told > 0 && removed == told && added == 0,
    };
    if rail.lets(&all) {
        return Ok(None);
    }
    let conditions = definition.conditions();
    // What was rejected as it is, by whatever definition, is no news.
    let known = Known::of(as_superuser(|| catalog::rejection::known(job.sync.id))?);
    let due = Due { found, known: known.as_ref(), published, conditions: &conditions, first_id: 1 };
    let held = weigh(job, subject, &due, rail)?;
    if let Some(known) = known {
        known.close();
    }
    Ok(held)
}

fn weigh(job: &Job, subject: &Subject<'_>, due: &Due<'_>, mut rail: Rail) -> Result<Option<Held>> {
    let Counted { due: mut counted, again } =
        job.reading_model(|owner| subject.count_due(due, owner))?;
    // What is told again was asked for.
    counted.changed -= again;
    rail.is_emptied &= counted.removed > 0 || !due.published.contains(&Event::Removed);
    let approved = as_superuser(|| catalog::hold::approved(job.run.id))?;
    if rail.lets(&counted)
        || approved.is_some_and(|approved| rail.has_approved(&counted, &approved))
    {
        return Ok(None);
    }
    let mut keys = PerEvent::default();
    for event in Event::ALL.into_iter().filter(|event| due.published.contains(event)) {
        let due = Due { published: &[event], ..*due };
        let some = job
            .reading_model(|owner| subject.read(&due, owner, SAMPLE))
            .map_err(|error| error.in_sync(&job.sync.name))?;
        *keys.get_mut(event) =
            some.into_iter().map(|mut row| take_key(&mut row)).collect::<Result<_>>()?;
    }
    let error = rail.error(job, &counted);
    Ok(Some(Held { error, hold: Some(Hold { told: rail.told, due: counted, keys }) }))
}

fn of_each(count: impl Fn(Event) -> i64) -> PerEvent<i64> {
    PerEvent {
        added: count(Event::Added),
        changed: count(Event::Changed),
        removed: count(Event::Removed),
    }
}

/// What changes are measured by.
struct Rail {
    guard: Guard,
    told: i64,
    /// Nothing of what was told is left in the model, nor anything else.
    is_emptied: bool,
}

impl Rail {
    fn is_passed_by(&self, count: i64) -> bool {
        let share = |percent: f64| percent / 100.0 * self.told as f64;
        self.guard
            .percent
            .is_some_and(|percent| count > self.guard.rows && count as f64 > share(percent))
    }

    fn holds_empty(&self) -> bool {
        self.is_emptied && self.guard.percent.is_some()
    }

    fn lets(&self, due: &PerEvent<i64>) -> bool {
        !self.holds_empty() && !Event::ALL.iter().any(|event| self.is_passed_by(*due.get(*event)))
    }

    /// Whether what would hold the run was approved, and has not grown since.
    fn has_approved(&self, due: &PerEvent<i64>, approved: &PerEvent<i64>) -> bool {
        Event::ALL.into_iter().all(|event| {
            let is_asked_for = self.is_passed_by(*due.get(event))
                || (self.holds_empty() && event == Event::Removed);
            let limit = *approved.get(event) as f64 * (1.0 + GROWTH);
            !is_asked_for || *due.get(event) as f64 <= limit
        })
    }

    fn error(&self, job: &Job, due: &PerEvent<i64>) -> Error {
        let told = self.told;
        let what = match self.holds_empty() {
            true => format!("the model is empty, and the queue has been told of {told} rows"),
            false => {
                let counts: Vec<String> = Event::ALL
                    .into_iter()
                    .filter(|event| self.is_passed_by(*due.get(*event)))
                    .map(|event| format!("{} rows as {event}", due.get(event)))
                    .collect();
                format!(
                    "the run would announce {}, and the queue has been told of {told} rows",
                    counts.join(" and ")
                )
            }
        };
        let run = job.run.id;
        Error::not_in_state(what).in_sync(&job.sync.name).hint(format!(
            "Nothing of it is sent until you decide. sqs_sync.held shows some of the keys. If it is right: SELECT sqs_sync_approve({run}). If not, mend the model and SELECT sqs_sync_discard({run}). What is let through without asking is set by guard_share and guard_rows of sqs_sync_alter."
        ))
    }
}
