//! What a diff has found, read without being written: by the statement that a run writes it to
//! the change set with.

use message::{Event, PerEvent};

use super::condition::{self, Conditions};
use super::diff::{Subject, key_json};
use super::due::Due;
use super::key;
use super::layout::AsOwner;
use crate::pg::error::catching;
use crate::pg::kept::{KEPT, Kept};
use crate::pg::rows::{self, ChangeRow, Limit};
use crate::pg::{Error, Result, rights, sql};

/// How many changes are due.
#[derive(Debug, Default)]
pub struct Counted {
    pub due: PerEvent<i64>,
    /// Of those that are changed, what is only told again.
    pub again: i64,
}

impl Subject<'_> {
    /// The first changes, as many as there is room for, each with the row as it was told before.
    /// The last of a row's values is the key as the text of a JSON object.
    pub fn read(&self, due: &Due<'_>, owner: &AsOwner<'_>, limit: Limit) -> Result<Vec<ChangeRow>> {
        let numbered = self.numbered(due);
        let first = format!(
            "SELECT id, event, {} FROM ({numbered}) AS n WHERE is_due ORDER BY id LIMIT {}",
            self.numbered_columns("n"),
            limit.rows
        );
        // A condition runs under the model's settings; what it leaves is printed under ours.
        let kept = owner.run(|| {
            catching(|| due.with_relations(|_| Kept::here(&first)))
                .map_err(|error| explained(error, due))
        })?;
        let told: Vec<String> = self.columns.iter().map(|c| format!("s.{}", c.quoted())).collect();
        let positions = self.key_positions();
        let same_key = key::equal(
            self.key,
            |i| format!("n.c{}", positions[i]),
            |i| format!("s.{}", self.key[i].column.quoted()),
        );
        let statement = format!(
            "SELECT n.id, n.event, {}, {}, {} \
             FROM {KEPT} AS n LEFT JOIN {} ON n.event = 'changed' AND {same_key} ORDER BY n.id",
            self.numbered_columns("n"),
            self.key_of("n"),
            told.join(", "),
            self.told_as("s"),
        );
        let rows = owner.run(|| {
            rights::pin_output();
            let columns = self.columns.len() + 1;
            kept.with_relation(|client| {
                rows::read_changes_by(client, &statement, &[], columns, limit)
            })
        })?;
        kept.close();
        Ok(rows)
    }

    /// How many changes are due of each event.
    pub fn count_due(&self, due: &Due<'_>, owner: &AsOwner<'_>) -> Result<Counted> {
        let mut counted = Counted::default();
        if *due.conditions == Conditions::default() && due.known.is_none() {
            for event in Event::ALL {
                *counted.due.get_mut(event) = due.found.counts.of(due.published, &[event]);
            }
            if due.published.contains(&Event::Changed) {
                counted.again = due.found.counts.again;
            }
            return Ok(counted);
        }
        let statement = format!(
            "SELECT event, count(*), count(*) FILTER (WHERE is_again) \
             FROM ({}) AS n WHERE is_due GROUP BY event",
            self.numbered(due)
        );
        let rows = owner.run(|| {
            catching(|| {
                due.with_relations(|client| {
                    sql::rows_by(client, &statement, &[], |row| {
                        Ok((row.need::<String>(1)?, row.need::<i64>(2)?, row.need::<i64>(3)?))
                    })
                })
            })
            .map_err(|error| explained(error, due))
        })?;
        for (event, count, again) in rows {
            if let Ok(event) = event.parse() {
                *counted.due.get_mut(event) = count;
            }
            counted.again += again;
        }
        Ok(counted)
    }

    /// The model's columns of a relation of ours, where they are `c1` and so on.
    pub fn numbered_columns(&self, of: &str) -> String {
        (1..=self.columns.len()).map(|n| format!("{of}.c{n}")).collect::<Vec<_>>().join(", ")
    }

    /// The key of such a relation's row, as the text of a JSON object.
    pub fn key_of(&self, of: &str) -> String {
        let positions = self.key_positions();
        key_json(self.key, |i| format!("{of}.c{}", positions[i]))
    }
}

/// The key that [`Subject::read`], or a statement like it, has put behind a row's values.
pub fn take_key(row: &mut ChangeRow) -> Result<String> {
    match row.values.pop() {
        Some(message::Value::Text(key)) => Ok(key.into_owned()),
        _ => Err(Error::internal("a change has no key")),
    }
}

/// Only a condition can fail where what was found is read.
fn explained(error: Error, due: &Due<'_>) -> Error {
    match *due.conditions == Conditions::default() {
        true => error,
        false => condition::explain(error),
    }
}
