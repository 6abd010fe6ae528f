//! The change set: read in batches, and moved to the snapshot when SQS has acknowledged.
//! Everything here runs as the sync's owner.

use message::{Event, PerEvent};
use pgrx::datum::DatumWithOid;

use super::columns::Column;
use super::diff::key_json;
use super::key::{self, KeyColumn};
use super::layout::{contents_hash, hash_of};
use super::tables::{self, Tables};
use crate::pg::hash::{PERHAPS_TOLD, TO_TELL_AGAIN};
use crate::pg::rows::{self, ChangeRow, Limit};
use crate::pg::{Error, Result, rights, sql};

pub struct ChangeSet<'a> {
    pub tables: &'a Tables,
    pub columns: &'a [Column],
    pub key: &'a [KeyColumn],
}

/// What is read of a change.
pub struct Wanted {
    pub columns: Vec<Column>,
    /// The row as it was told before, too.
    pub old: bool,
}

/// What a change is of.
pub struct Identity {
    pub id: i64,
    pub event: String,
    /// The text of a JSON object.
    pub key: String,
    pub key_hash: i64,
    /// Of all columns, compared or not.
    pub content_hash: i64,
}

/// What the diff numbers below zero.
const LEFT_OUT: &str = "sqs_sync_change_id < 0";
/// A change set emptied by more than this is truncated, not deleted row by row: bytes.
const WORTH_TRUNCATING: i64 = 8 << 20;

impl ChangeSet<'_> {
    /// The next changes after `after`, up to and including `through`.
    pub fn read(
        &self,
        wanted: &Wanted,
        after: i64,
        through: i64,
        limit: Limit,
    ) -> Result<Vec<ChangeRow>> {
        let these = "c.sqs_sync_change_id > $1 AND c.sqs_sync_change_id <= $2";
        self.read_where(these, &[after.into(), through.into()], wanted, limit)
    }

    /// These changes in their order, as many as there is room for.
    pub fn read_these(&self, wanted: &Wanted, ids: &[i64], limit: Limit) -> Result<Vec<ChangeRow>> {
        let these = "c.sqs_sync_change_id = ANY ($1)";
        self.read_where(these, &[ids.to_vec().into()], wanted, limit)
    }

    fn read_where(
        &self,
        these: &str,
        arguments: &[DatumWithOid<'_>],
        wanted: &Wanted,
        limit: Limit,
    ) -> Result<Vec<ChangeRow>> {
        let contents = |of: &str| -> String {
            wanted.columns.iter().map(|c| format!(", {of}.{}", c.quoted())).collect()
        };
        let (mut selected, mut told) = (contents("c"), String::new());
        if wanted.old {
            selected += &contents("s");
            let same_key = key::equal(
                self.key,
                |i| format!("s.{}", self.key[i].column.quoted()),
                |i| format!("c.{}", self.key[i].column.quoted()),
            );
            told = format!(
                "LEFT JOIN ONLY {} AS s ON c.sqs_sync_event = 'changed' AND {same_key} ",
                self.tables.snapshot
            );
        }
        let statement = format!(
            "SELECT c.sqs_sync_change_id, c.sqs_sync_event{selected} FROM ONLY {} AS c {told}\
             WHERE {these} ORDER BY c.sqs_sync_change_id",
            self.tables.changes
        );
        rights::pin_output();
        rows::read_changes(&statement, arguments, wanted.columns.len(), limit)
    }

    /// Moves acknowledged changes to the snapshot. All of them, or an error: what is counted
    /// here is what the queue has been told. An added row that the snapshot has already is an
    /// error too, as is a removed one that it has not, unless `over` says to go over that.
    pub fn acknowledge(&self, ids: &PerEvent<Vec<i64>>, over: bool) -> Result<()> {
        let Tables { snapshot, changes } = self.tables;
        let same_key = key::equal(
            self.key,
            |i| format!("s.{}", self.key[i].column.quoted()),
            |i| format!("c.{}", self.key[i].column.quoted()),
        );
        let gone = format!(
            "DELETE FROM ONLY {snapshot} AS s USING ONLY {changes} AS c WHERE {same_key} AND"
        );
        match (self.move_each(&gone, &ids.removed, "")?, ids.removed.len()) {
            (moved, all) if moved == all || over => {}
            (moved, all) => return Err(self.unlike(moved, all)),
        }
        let columns: Vec<String> = self.columns.iter().map(Column::quoted).collect();
        let columns = columns.join(", ");
        let put = format!(
            "INSERT INTO {snapshot} ({columns}, sqs_sync_hash, sqs_sync_hash_version) \
             SELECT {columns}, sqs_sync_hash, {} FROM ONLY {changes} AS c WHERE",
            crate::pg::hash::VERSION
        );
        let over_it = over_the_same_key(self.columns, self.key);
        let moved = self.move_each(&put, &ids.changed, &over_it)?
            + self.move_each(&put, &ids.added, if over { &over_it } else { "" })?;
        let put_ids = ids.changed.len() + ids.added.len();
        if moved != put_ids {
            return Err(self.unlike(moved, put_ids));
        }
        let all = [&ids.removed[..], &ids.changed, &ids.added].concat();
        let left = self.move_each(&format!("DELETE FROM ONLY {changes} AS c WHERE"), &all, "")?;
        match left == all.len() {
            true => Ok(()),
            false => Err(self.unlike(left, all.len())),
        }
    }

    /// Moves to the snapshot, silently, what a condition has left out, and tells how much of each
    /// event that was. In the diff's transaction: nobody else ever sees an id below zero.
    pub fn adopt_left_out(&self) -> Result<PerEvent<i64>> {
        let Tables { snapshot, changes } = self.tables;
        let counted = sql::rows(
            &format!(
                "SELECT sqs_sync_event, count(*) FROM ONLY {changes} WHERE {LEFT_OUT} GROUP BY 1"
            ),
            &[],
            |row| Ok((row.need::<String>(1)?, row.need::<i64>(2)?)),
        )?;
        let mut left_out = PerEvent::default();
        for (event, rows) in counted {
            *left_out.get_mut(event_named(&event)?) = rows;
        }
        if left_out == PerEvent::default() {
            return Ok(left_out);
        }
        let columns: Vec<String> = self.columns.iter().map(Column::quoted).collect();
        let columns = columns.join(", ");
        let same_key = key::equal(
            self.key,
            |i| format!("s.{}", self.key[i].column.quoted()),
            |i| format!("c.{}", self.key[i].column.quoted()),
        );
        let statements = [
            format!(
                "DELETE FROM ONLY {snapshot} AS s USING ONLY {changes} AS c \
                 WHERE {LEFT_OUT} AND c.sqs_sync_event = 'removed' AND {same_key}"
            ),
            format!(
                "INSERT INTO {snapshot} ({columns}, sqs_sync_hash, sqs_sync_hash_version) \
                 SELECT {columns}, sqs_sync_hash, {} FROM ONLY {changes} AS c \
                 WHERE {LEFT_OUT} AND c.sqs_sync_event <> 'removed' {}",
                crate::pg::hash::VERSION,
                over_the_same_key(self.columns, self.key)
            ),
            format!("DELETE FROM ONLY {changes} WHERE {LEFT_OUT}"),
        ];
        for statement in statements {
            sql::execute(&statement, &[])?;
        }
        Ok(left_out)
    }

    fn unlike(&self, moved: usize, acknowledged: usize) -> Error {
        Error::not_in_state(format!(
            "{acknowledged} changes were acknowledged, but {moved} were found in {} and {}",
            self.tables.changes, self.tables.snapshot
        ))
        .hint("Somebody has written to tables that sqs_sync keeps.")
    }

    /// Runs a statement whose `WHERE` is to be followed by these changes of `c`. Returns how many
    /// rows it has touched.
    fn move_each(&self, statement: &str, ids: &[i64], end: &str) -> Result<usize> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(0);
        };
        // Ids that lie close together are found by one way down the index, not by one each.
        let is_dense = last.abs_diff(*first) < 4 * ids.len() as u64;
        let id = if is_dense { "(c.sqs_sync_change_id + 0)" } else { "c.sqs_sync_change_id" };
        sql::execute(
            &format!(
                "{statement} c.sqs_sync_change_id BETWEEN $1 AND $2 AND {id} = ANY ($3) {end}"
            ),
            &[(*first).into(), (*last).into(), ids.to_vec().into()],
        )
    }

    /// What each of these changes is of.
    pub fn identify(&self, ids: &[i64]) -> Result<Vec<Identity>> {
        let key_columns: Vec<Column> = self.key.iter().map(|k| k.column.clone()).collect();
        let statement = format!(
            "SELECT sqs_sync_change_id, sqs_sync_event, {}, {}, {} FROM ONLY {} AS c \
             WHERE sqs_sync_change_id = ANY ($1)",
            key_json(self.key, |i| self.key[i].column.quoted()),
            hash_of(&key_columns, "c"),
            contents_hash(self.columns.iter().map(|c| format!("c.{}", c.quoted()))),
            self.tables.changes
        );
        rights::pin_output();
        sql::rows(&statement, &[ids.to_vec().into()], |row| {
            Ok(Identity {
                id: row.need(1)?,
                event: row.need(2)?,
                key: row.need(3)?,
                key_hash: row.need(4)?,
                content_hash: row.need(5)?,
            })
        })
    }

    /// The ids of the next changes after `after`, up to and including `through`, at most so many: all,
    /// or those of the key in a relation `k`.
    pub fn ids_between(
        &self,
        after: i64,
        through: i64,
        of_key: Option<&str>,
        most: i64,
    ) -> Result<Vec<i64>> {
        let (relation, same_key) = match of_key {
            None => (String::new(), "true".to_owned()),
            Some(relation) => {
                let column = |of: &str, i: usize| format!("{of}.{}", self.key[i].column.quoted());
                let same_key = key::equal(self.key, |i| column("c", i), |i| column("k", i));
                (format!(", {relation}"), same_key)
            }
        };
        let statement = format!(
            "SELECT c.sqs_sync_change_id FROM ONLY {} AS c{relation} \
             WHERE c.sqs_sync_change_id > $1 AND c.sqs_sync_change_id <= $2 AND {same_key} \
             ORDER BY c.sqs_sync_change_id LIMIT {most}",
            self.tables.changes
        );
        sql::rows(&statement, &[after.into(), through.into()], |row| row.need(1))
    }

    /// Gives up changes that may have been sent: the next diff finds what they are of, whatever the
    /// queue has been told of it, and though somebody has taken the row from the snapshot. Returns how
    /// many more rows the snapshot has.
    pub fn give_up(&self, ids: &[i64]) -> Result<usize> {
        let Tables { snapshot, changes } = self.tables;
        let columns: Vec<String> = self.columns.iter().map(Column::quoted).collect();
        let columns = columns.join(", ");
        let key: Vec<String> = self.key.iter().map(|k| k.column.quoted()).collect();
        let same_key = key::equal(
            self.key,
            |i| format!("s.{}", self.key[i].column.quoted()),
            |i| format!("c.{}", self.key[i].column.quoted()),
        );
        let mark = format!(
            "UPDATE ONLY {snapshot} AS s SET sqs_sync_hash_version = CASE c.sqs_sync_event WHEN 'changed' \
               THEN LEAST(s.sqs_sync_hash_version, {TO_TELL_AGAIN}::pg_catalog.int2) ELSE {PERHAPS_TOLD} END \
             FROM ONLY {changes} AS c WHERE {same_key} AND"
        );
        self.move_each(&mark, ids, "")?;
        // A removed row has no hash, and needs none: the diff finds it whatever that is.
        let put = format!(
            "INSERT INTO {snapshot} ({columns}, sqs_sync_hash, sqs_sync_hash_version) \
             SELECT {columns}, COALESCE(sqs_sync_hash, 0), \
                    CASE c.sqs_sync_event WHEN 'changed' THEN {TO_TELL_AGAIN} ELSE {PERHAPS_TOLD} END \
             FROM ONLY {changes} AS c WHERE"
        );
        let is_there = format!("ON CONFLICT ({}) DO NOTHING", key.join(", "));
        let more_rows = self.move_each(&put, ids, &is_there)?;
        self.move_each(&format!("DELETE FROM ONLY {changes} AS c WHERE"), ids, "")?;
        Ok(more_rows)
    }

    /// Whether the change set takes so much room that truncating it is worth a lock.
    pub fn is_worth_truncating(&self) -> Result<bool> {
        let bytes: i64 = sql::value(
            "SELECT pg_catalog.pg_table_size($1)",
            &[tables::oid(&self.tables.changes)?.into()],
        )?;
        Ok(bytes > WORTH_TRUNCATING)
    }

    /// Empties the change set, in which nothing is in doubt, and gives its room back. Takes a
    /// lock that keeps readers out, pg_dump too: not for a long transaction.
    pub fn truncate(&self) -> Result<()> {
        sql::execute(&format!("TRUNCATE ONLY {}", self.tables.changes), &[]).map(|_| ())
    }

    /// Empties the change set, in which nothing is in doubt.
    pub fn clear(&self) -> Result<()> {
        sql::execute(&format!("DELETE FROM ONLY {}", self.tables.changes), &[]).map(|_| ())
    }
}

/// What an INSERT into the snapshot does with a row that it already has.
pub fn over_the_same_key(columns: &[Column], key: &[KeyColumn]) -> String {
    let set: Vec<String> =
        columns.iter().map(|c| format!("{0} = EXCLUDED.{0}", c.quoted())).collect();
    let key: Vec<String> = key.iter().map(|k| k.column.quoted()).collect();
    format!(
        "ON CONFLICT ({}) DO UPDATE SET {}, sqs_sync_hash = EXCLUDED.sqs_sync_hash, \
         sqs_sync_hash_version = EXCLUDED.sqs_sync_hash_version",
        key.join(", "),
        set.join(", ")
    )
}

fn event_named(name: &str) -> Result<Event> {
    name.parse().map_err(|_| Error::internal(format!("the change set has an event \"{name}\"")))
}

/// Drops changes that certainly were not accepted: the next diff finds them again.
pub fn drop_unsent(tables: &Tables, ids: &[i64]) -> Result<()> {
    let statement =
        format!("DELETE FROM ONLY {} WHERE sqs_sync_change_id = ANY ($1)", tables.changes);
    sql::execute(&statement, &[ids.to_vec().into()]).map(|_| ())
}
