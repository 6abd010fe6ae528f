//! The diff: model against snapshot on the key, in one SELECT, its rows spooled and then
//! written to the change set with their contents and change ids.
//!
//! The model is an ordered subquery, so that Postgres plans it by itself, parallel where it
//! can; of the snapshot only the covering index of key and hash is read. They meet in a merge
//! join ([`crate::pg::planner`]), whose rows come by key, so that neighbours show which keys
//! are not unique ([`crate::pg::spool`]).

use message::Event;
use pgrx::datum::DatumWithOid;
use pgrx::spi::SpiCursor;

use super::change_set;
use super::columns::Column;
use super::due::{Due, EVENT_OF_PUT};
use super::key::{self, KeyColumn, MAX_KEY_BYTES, Order};
use super::tables::Tables;
use super::told::Told;
use crate::catalog::rejection::Rejection;
use crate::pg::planner::{self, MODEL_ALIAS as MODEL};
use crate::pg::spool::{self, Spool};
use crate::pg::{Error, Result, hash, receiver, rights};

/// What a diff compares.
pub struct Subject<'a> {
    /// The model's relation, qualified.
    pub model: &'a str,
    pub tables: &'a Tables,
    /// Columns in the snapshot's order.
    pub columns: &'a [Column],
    /// Those of them that make a row changed.
    pub compared: &'a [Column],
    pub key: &'a [KeyColumn],
    pub order: &'a [Order],
    pub told: Told<'a>,
}

impl Subject<'_> {
    /// Finds what changed. Run as the owner, in a transaction with one snapshot.
    pub fn compare(&self) -> Result<Spool> {
        let compared = self.columns.iter().map(|c| self.told.compares(c, self.compared)).collect();
        planner::as_merge_join(|| {
            Spool::fill(&self.statement(), self.key.len(), compared, MAX_KEY_BYTES as usize)
        })
    }

    /// The plan of the statement, as EXPLAIN shows it. Run as the owner.
    pub fn plan(&self) -> Result<Vec<String>> {
        planner::as_merge_join(|| receiver::explain(&self.statement()))
    }

    /// The numbers of the key's columns.
    pub fn key_positions(&self) -> Vec<usize> {
        let position = |k: &KeyColumn| self.columns.iter().position(|c| c.name == k.column.name);
        self.key.iter().filter_map(position).map(|i| i + 1).collect()
    }

    /// The diff's statement; [`crate::pg::spool`] says what its columns are.
    pub fn statement(&self) -> String {
        let named: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, c)| format!("{} AS c{}", c.stored("m"), i + 1))
            .collect();
        let positions = self.key_positions();
        let order: Vec<String> = positions.iter().map(|n| (n + 1).to_string()).collect();
        let keys: Vec<String> = self
            .key
            .iter()
            .zip(&positions)
            .enumerate()
            .map(|(i, (k, n))| {
                format!("COALESCE({MODEL}.c{n}, s.{}) AS k{}", k.column.quoted(), i + 1)
            })
            .collect();
        let contents: Vec<String> = (1..=named.len()).map(|n| format!("{MODEL}.c{n}")).collect();
        let same_key = key::equal(
            self.key,
            |i| format!("{MODEL}.c{}", positions[i]),
            |i| format!("s.{}", self.key[i].column.quoted()),
        );
        format!(
            "SELECT {MODEL}.present, NULL::pg_catalog.int8 AS hash, s.sqs_sync_hash AS told_hash, \
                    s.sqs_sync_hash_version AS told_version, {}, {} \
             FROM (SELECT true AS present, {} \
                   FROM {} AS m ORDER BY {}) AS {MODEL} \
             FULL JOIN {} ON {same_key}",
            keys.join(", "),
            contents.join(", "),
            named.join(", "),
            self.model,
            order.join(", "),
            self.told_as("s"),
        )
    }

    /// Writes what is due to the change set. Rows that a condition leaves out get their numbers below
    /// zero.
    pub fn write(&self, due: &Due<'_>) -> Result<()> {
        let columns: Vec<String> = self.columns.iter().map(Column::quoted).collect();
        let contents: Vec<String> = (1..=columns.len()).map(|n| format!("c{n}")).collect();
        let statement = format!(
            "INSERT INTO {} (sqs_sync_change_id, sqs_sync_event, sqs_sync_hash, {}) \
             SELECT CASE WHEN is_due THEN id ELSE -id END, event, hash, {} FROM ({}) AS n",
            self.tables.changes,
            columns.join(", "),
            contents.join(", "),
            self.numbered(due),
        );
        due.with_relations(|client| {
            client.update(statement.as_str(), None, &[])?;
            Ok(())
        })
    }

    /// Brings the snapshot in line with changes of these events, of which no message is due.
    pub fn adopt(&self, found: &Spool, silent: &[Event]) -> Result<()> {
        let over = match silent.contains(&Event::Changed) || found.counts.perhaps > 0 {
            true => change_set::over_the_same_key(self.columns, self.key),
            false => String::new(),
        };
        let statement = format!("{} WHERE {EVENT_OF_PUT} = ANY ($2) {over}", self.put());
        found.with_relations(|client| {
            if found.counts.of(silent, &[Event::Added, Event::Changed]) > 0 {
                let arguments: [DatumWithOid<'_>; 2] =
                    [hash::VERSION.into(), names_of(silent).into()];
                client.update(statement.as_str(), None, &arguments)?;
            }
            if found.counts.of(silent, &[Event::Removed]) > 0 {
                let statement = format!(
                    "DELETE FROM ONLY {} AS s USING {} AS g WHERE {}",
                    self.tables.snapshot,
                    spool::GONE,
                    self.is_gone()
                );
                client.update(statement.as_str(), None, &[])?;
            }
            Ok(())
        })
    }

    /// Takes rows as told of which the snapshot has nothing, and leaves alone what it has. Returns how
    /// many that were.
    pub fn adopt_untold(&self, found: &Spool) -> Result<i64> {
        let statement = format!("{} WHERE p.told_version IS NULL", self.put());
        found.with_relations(|client| {
            client.update(statement.as_str(), None, &[hash::VERSION.into()])?;
            Ok(())
        })?;
        Ok(found.counts.untold())
    }

    /// Puts rows `p` of the model into the snapshot, hashed by the version `$1`.
    fn put(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(Column::quoted).collect();
        let put: Vec<String> = (1..=columns.len()).map(|n| format!("p.c{n}")).collect();
        format!(
            "INSERT INTO {} ({}, sqs_sync_hash, sqs_sync_hash_version) SELECT {}, p.hash, $1 FROM {} AS p",
            self.tables.snapshot,
            columns.join(", "),
            put.join(", "),
            spool::PUT,
        )
    }

    /// That the snapshot's row `s` is the one spooled as `g`.
    pub(super) fn is_gone(&self) -> String {
        key::equal(
            self.key,
            |i| format!("s.{}", self.key[i].column.quoted()),
            |i| format!("g.k{}", i + 1),
        )
    }

    /// Hands on, some at a time, the rejections of rows whose key is null, not unique or too
    /// long. Run as the owner.
    pub fn each_unfit(
        &self,
        found: &Spool,
        mut hand_on: impl FnMut(&[Rejection]) -> Result<()>,
    ) -> Result<()> {
        if found.counts.unfit == 0 && found.counts.too_long == 0 {
            return Ok(());
        }
        let statement = self.unfit_statement();
        rights::pin_output();
        found.with_relations(|client| {
            let mut cursor = client.try_open_cursor(statement.as_str(), &[])?;
            loop {
                let rejections = fetch_unfit(&mut cursor, UNFIT_AT_ONCE)?;
                if rejections.is_empty() {
                    return Ok(());
                }
                hand_on(&rejections)?;
            }
        })
    }

    /// The first of the same.
    pub fn some_unfit(&self, found: &Spool, most: usize) -> Result<Vec<Rejection>> {
        if found.counts.unfit == 0 && found.counts.too_long == 0 {
            return Ok(Vec::new());
        }
        let statement = self.unfit_statement();
        let most = i64::try_from(most).map_or(UNFIT_AT_ONCE, |most| most.min(UNFIT_AT_ONCE));
        rights::pin_output();
        found.with_relations(|client| {
            fetch_unfit(&mut client.try_open_cursor(statement.as_str(), &[])?, most)
        })
    }

    /// A key that is not unique was spooled from its second row on.
    fn unfit_statement(&self) -> String {
        // Above a quarter of a gigabyte jsonb takes no text.
        let key = key_json(self.key, |i| {
            format!(
                "CASE WHEN pg_catalog.pg_column_size(k{0}) > {SHOWN_KEY} \
                 THEN pg_catalog.to_jsonb(pg_catalog.left(k{0}::pg_catalog.text, {SHOWN_KEY})) \
                 ELSE pg_catalog.to_jsonb(k{0}) END",
                i + 1
            )
        });
        let nulls: Vec<String> = (1..=self.key.len()).map(|n| format!("k{n} IS NULL")).collect();
        format!(
            "SELECT key, code, CASE code WHEN 'duplicate_key' THEN count(*) + 1 ELSE count(*) END \
             FROM (SELECT {key} AS key, CASE WHEN {} THEN 'null_key' ELSE 'duplicate_key' END AS code FROM {} \
                   UNION ALL SELECT {key}, 'key_too_long' FROM {}) AS u \
             GROUP BY key, code",
            nulls.join(" OR "),
            spool::UNFIT,
            spool::TOO_LONG,
        )
    }
}

fn names_of(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.as_str().to_owned()).collect()
}

/// Rejections read from the spool at once.
const UNFIT_AT_ONCE: i64 = 1000;
/// Letters of a key that a rejection shows.
const SHOWN_KEY: usize = 3000;

fn fetch_unfit(cursor: &mut SpiCursor<'_>, most: i64) -> Result<Vec<Rejection>> {
    let missing = || Error::internal("a rejected key has no text");
    cursor
        .fetch(most)?
        .map(|row| {
            let key = row.get::<String>(1)?.ok_or_else(missing)?;
            let code = row.get::<String>(2)?.ok_or_else(missing)?;
            let rows = row.get::<i64>(3)?.ok_or_else(missing)?;
            Ok(unfit(key, code, rows))
        })
        .collect()
}

/// The key as the text of a JSON object: a SQL expression.
pub fn key_json(key: &[KeyColumn], value: impl Fn(usize) -> String) -> String {
    let pairs: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(i, k)| format!("{}, {}", pgrx::spi::quote_literal(&k.column.name), value(i)))
        .collect();
    format!(
        "pg_catalog.left(pg_catalog.jsonb_build_object({})::pg_catalog.text, {SHOWN_KEY})",
        pairs.join(", ")
    )
}

/// What to do about a key that is not unique.
pub const MAKE_UNIQUE: &str =
    "Make the model return one row for each key, or add a column to the key.";

fn unfit(key: String, code: String, rows: i64) -> Rejection {
    let (reason, hint) = match code.as_str() {
        "null_key" => (
            "the key is null".to_owned(),
            "Leave such rows out of the model, or choose another key.",
        ),
        "duplicate_key" => {
            (format!("the key is not unique: {rows} rows of the model have it"), MAKE_UNIQUE)
        }
        _ => (
            format!("the key is longer than {MAX_KEY_BYTES} bytes"),
            "Choose a shorter key, for example a hash of this one.",
        ),
    };
    Rejection {
        key,
        message_id: None,
        tried: None,
        rows,
        code,
        reason,
        hint: Some(hint.to_owned()),
    }
}
