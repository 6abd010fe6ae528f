//! What of a diff is due: changes of the events that are published, in the order of the model,
//! which no condition leaves out, and which are not known. A known one was tried before, as it is,
//! and rejected; it is told from others by hashes of its key and of all of its contents, so that
//! also a column that is not compared makes it another.

use message::Event;
use pgrx::spi::SpiClient;

use super::condition::{self, Conditions};
use super::diff::Subject;
use super::key;
use super::layout::contents_hash;
use crate::pg::Result;
use crate::pg::hash;
use crate::pg::kept::Kept;
use crate::pg::spool::{self, Spool};

/// Changes that are known: the columns `id`, `event`, `key_hash` and `content_hash`.
pub struct Known(Kept);

/// The relation that they are read as.
const KNOWN: &str = "sqs_sync_known";

impl Known {
    /// None if there are none.
    pub fn of(rows: Kept) -> Option<Known> {
        match rows.rows() {
            0 => {
                rows.close();
                None
            }
            _ => Some(Known(rows)),
        }
    }

    /// Gives memory and files back.
    pub fn close(self) {
        self.0.close();
    }
}

/// What is to be told of what a diff has found.
#[derive(Clone, Copy)]
pub struct Due<'a> {
    pub found: &'a Spool,
    /// What of it is known, and not due.
    pub known: Option<&'a Known>,
    pub published: &'a [Event],
    pub conditions: &'a Conditions,
    /// Of all changes of these events, left out or not, in the order of the model.
    pub first_id: i64,
}

impl Due<'_> {
    /// Runs `work` with what was found, and what is known, to be read as relations.
    pub fn with_relations<T>(
        &self,
        work: impl FnOnce(&mut SpiClient<'_>) -> Result<T>,
    ) -> Result<T> {
        self.found.with_relations(|client| {
            if let Some(Known(rows)) = self.known {
                rows.register(KNOWN, client)?;
            }
            work(client)
        })
    }
}

impl Subject<'_> {
    /// A SELECT of what is due, from the spooled rows: its id, event, hash, whether a message of it
    /// is due, whether it is only told again, and contents.
    pub fn numbered(&self, due: &Due<'_>) -> String {
        let known = match due.known {
            Some(_) => format!(
                "AND NOT EXISTS (SELECT 1 FROM {KNOWN} AS r WHERE {})",
                self.is_the_same("r", "u")
            ),
            None => String::new(),
        };
        format!(
            "SELECT {}::pg_catalog.int8 - 1 + row_number() OVER ({}) AS id, event, hash, is_due, is_again, {} \
             FROM {} WHERE {} {known}",
            due.first_id,
            self.ordering(),
            self.numbered_columns("u"),
            self.changes("u", due.conditions),
            is_published(due.published),
        )
    }

    /// Which of the known changes were found again, as they were: the column `id` of each. Run as the
    /// owner.
    pub fn met(&self, due: &Due<'_>) -> Result<Kept> {
        let statement = format!(
            "SELECT r.id FROM {KNOWN} AS r WHERE EXISTS (SELECT 1 FROM {} WHERE {} AND {})",
            self.changes("u", &Conditions::default()),
            is_published(due.published),
            self.is_the_same("r", "u")
        );
        due.with_relations(|_| Kept::here(&statement))
    }

    /// That a known change is a found one. They are joined by event and key: what is no equality is
    /// computed, and contents read, only where those are the same.
    fn is_the_same(&self, known: &str, found: &str) -> String {
        let key: Vec<String> =
            self.key_positions().into_iter().map(|n| format!("{found}.c{n}")).collect();
        format!(
            "{known}.event = {found}.event AND {known}.key_hash = sqs_sync.row_hash(ROW({})) \
             AND {known}.content_hash IS NOT DISTINCT FROM {}",
            key.join(", "),
            contents_hash((1..=self.columns.len()).map(|n| format!("{found}.c{n}"))),
        )
    }

    /// All that was found, as a relation of that alias.
    fn changes(&self, alias: &str, conditions: &Conditions) -> String {
        let is_again = format!("p.told_hash = p.hash AND p.told_version = {}", hash::TO_TELL_AGAIN);
        let put: Vec<String> = (1..=self.columns.len()).map(|n| format!("p.c{n}")).collect();
        let contents: Vec<String> = (1..=self.columns.len()).map(|n| format!("c{n}")).collect();
        let gone: Vec<String> = self.columns.iter().map(|c| format!("s.{}", c.quoted())).collect();
        let is_due = self.is_due(conditions);
        format!(
            "(SELECT {EVENT_OF_PUT}, p.hash, {}, COALESCE({is_again}, false), {} FROM {} AS p {} \
              UNION ALL \
              SELECT 'removed', NULL, {}, false, {} FROM {} AS g JOIN {} ON {}) \
             AS {alias} (event, hash, is_due, is_again, {})",
            is_due.of_put,
            put.join(", "),
            spool::PUT,
            is_due.told,
            is_due.of_gone,
            gone.join(", "),
            spool::GONE,
            self.told_as("s"),
            self.is_gone(),
            contents.join(", "),
        )
    }

    /// Whether a message is due for a row of [`spool::PUT`] or [`spool::GONE`], in SQL.
    fn is_due(&self, conditions: &Conditions) -> IsDue {
        let put = |i: usize| format!("p.c{}", i + 1);
        let told = |i: usize| format!("s.{}", self.columns[i].quoted());
        let holds = |event: Event, each: &str, row: &dyn Fn(usize) -> String| {
            let condition = conditions.get(event).as_ref();
            condition.map_or("true".to_owned(), |condition| {
                condition::holds(condition, self.columns, each, row, told)
            })
        };
        let of_put = format!(
            "CASE WHEN p.told_hash IS NULL THEN {} ELSE {} END",
            holds(Event::Added, "p.hash", &put),
            holds(Event::Changed, "p.hash", &put)
        );
        let reads_told = conditions.added.is_some() || conditions.changed.is_some();
        let told_row = || {
            let same_key = key::equal(
                self.key,
                |i| format!("s.{}", self.key[i].column.quoted()),
                |i| format!("p.k{}", i + 1),
            );
            format!("LEFT JOIN {} ON {same_key}", self.told_as("s"))
        };
        IsDue {
            of_put: if reads_told { of_put } else { "true".to_owned() },
            told: if reads_told { told_row() } else { String::new() },
            of_gone: holds(Event::Removed, "s.sqs_sync_hash", &told),
        }
    }

    /// What is inside `OVER (…)`: on a tie, removed rows come before added ones.
    fn ordering(&self) -> String {
        if self.order.is_empty() {
            return String::new();
        }
        let position =
            |name: &str| self.columns.iter().position(|c| c.name == name).unwrap_or(0) + 1;
        let items: Vec<String> = self
            .order
            .iter()
            .map(|o| format!("c{} {}", position(&o.column), o.direction))
            .collect();
        format!("ORDER BY {}, event <> 'removed'", items.join(", "))
    }
}

struct IsDue {
    of_put: String,
    /// Joins what was told of a row to put, as `s`, if that is asked for.
    told: String,
    of_gone: String,
}

/// The event of a row `p` of [`spool::PUT`].
pub const EVENT_OF_PUT: &str = "CASE WHEN p.told_hash IS NULL THEN 'added' ELSE 'changed' END";

fn is_published(events: &[Event]) -> String {
    let events: Vec<String> = events.iter().map(|event| format!("'{event}'")).collect();
    format!("u.event = ANY (ARRAY[{}]::pg_catalog.text[])", events.join(", "))
}
