//! Receives the rows of the diff and spools what is to be told, to disk beyond a few megabytes.
//!
//! While the diff's statement runs, nothing happens here but comparing a row with its
//! neighbour and appending it: no SQL of ours runs while a model is open. Afterwards the
//! spooled rows can be read by SQL as relations.
//!
//! The diff's columns, in this order: whether the model has the row (true or null), a null in
//! whose place the hash of the model's row is put here, the hash of the snapshot's row (null:
//! none), the version of the snapshot's hash, the key's columns, then the model's columns.

mod last_key;

use std::time::{Duration, Instant};

use message::Event;
use pgrx::prelude::*;
use pgrx::spi::SpiClient;
use pgrx::{PgMemoryContexts, pg_sys};

use super::hash::{self, RowHasher};
use super::receiver::{self, Receives};
use super::{Error, Result};
use last_key::LastKey;

/// Memory of each store, in kB, before it goes to disk: a backfill must not hold more than a
/// small run does, whatever work_mem allows for a sort.
const MEMORY_KB: i32 = 4096;

/// After so many rows it is looked whether it is time to tell how many were read, and how often that is.
const TELL_AFTER_ROWS: u64 = 256;
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Rows to put: added and changed.
pub const PUT: &str = "sqs_sync_put";
/// Rows of the snapshot that the model no longer has.
pub const GONE: &str = "sqs_sync_gone";
/// Rows whose key is null, and one row for each further row of a key that is not unique.
pub const UNFIT: &str = "sqs_sync_unfit";
/// Rows whose key is longer than the snapshot's index can hold.
pub const TOO_LONG: &str = "sqs_sync_too_long";

const PRESENT: usize = 0;
const MODEL_HASH: usize = 1;
const SNAPSHOT_HASH: usize = 2;
const SNAPSHOT_VERSION: usize = 3;
/// Columns before the key's.
pub const LEADING: usize = 4;

#[derive(Default, Clone, Copy, Debug)]
pub struct Counts {
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    /// Of those that count as changed, what is only to be told again.
    pub again: i64,
    /// Of those that count as added, what the snapshot has as perhaps told.
    pub perhaps: i64,
    pub unfit: i64,
    pub too_long: i64,
    /// Rows of the snapshot, whether they changed or not.
    pub told: i64,
}

impl Counts {
    /// Rows of the model of which the snapshot has nothing.
    pub fn untold(&self) -> i64 {
        self.added - self.perhaps
    }

    /// How many changes are of one of `events` and of one of `among`.
    pub fn of(&self, events: &[Event], among: &[Event]) -> i64 {
        let count = |event: &Event| match event {
            Event::Added => self.added,
            Event::Changed => self.changed,
            Event::Removed => self.removed,
        };
        events.iter().filter(|event| among.contains(event)).map(count).sum()
    }
}

/// What a diff found. Valid until the end of the transaction that made it.
pub struct Spool {
    pub counts: Counts,
    tupdesc: pg_sys::TupleDesc,
    stores: [*mut pg_sys::Tuplestorestate; 4],
}

impl Spool {
    /// Runs `statement`, whose key has `key_columns` columns, and spools its rows. Of the model's
    /// columns those enter the hash that `compared` says. A key of more than `max_key_bytes` is
    /// too long.
    pub fn fill(
        statement: &str,
        key_columns: usize,
        compared: Vec<bool>,
        max_key_bytes: usize,
    ) -> Result<Spool> {
        let mut collector = Collector::new(key_columns, compared, max_key_bytes);
        receiver::select(statement, &mut collector)?;
        collector.finish()
    }

    /// Runs `work` with the spooled rows to be read as [`PUT`], [`GONE`], [`UNFIT`] and
    /// [`TOO_LONG`].
    pub fn with_relations<T>(
        &self,
        work: impl FnOnce(&mut SpiClient<'_>) -> Result<T>,
    ) -> Result<T> {
        let counts = [
            self.counts.added + self.counts.changed,
            self.counts.removed,
            self.counts.unfit,
            self.counts.too_long,
        ];
        Spi::connect_mut(|client| {
            let names = [PUT, GONE, UNFIT, TOO_LONG];
            for ((name, store), rows) in names.iter().zip(self.stores).zip(counts) {
                // SAFETY: connected; the stores live until the end of the transaction.
                unsafe { receiver::register(name, store, self.tupdesc, rows)? };
            }
            work(client)
        })
    }

    /// Gives memory and files back. (Files that are still open at a commit are warned of; a
    /// rollback closes them by itself.)
    pub fn close(self) {
        for store in self.stores {
            // SAFETY: made by `fill`, and nothing refers to it any more: self is consumed.
            unsafe { pg_sys::tuplestore_end(store) };
        }
    }
}

struct Collector {
    key_columns: usize,
    compared: Vec<bool>,
    max_key_bytes: usize,
    columns: usize,
    tupdesc: pg_sys::TupleDesc,
    /// Of the row before.
    key: LastKey,
    hasher: RowHasher,
    /// The change of the row before, until the next key shows that it was unique.
    pending: *mut pg_sys::TupleTableSlot,
    pending_is: Option<Event>,
    pending_is_again: bool,
    pending_is_perhaps: bool,
    stores: [*mut pg_sys::Tuplestorestate; 4],
    counts: Counts,
    unknown_version: Option<i16>,
    rows: u64,
    told_at: Instant,
}

impl Collector {
    fn new(key_columns: usize, compared: Vec<bool>, max_key_bytes: usize) -> Collector {
        // SAFETY: in a transaction; what is made here goes with it.
        let (stores, key) = unsafe {
            PgMemoryContexts::TopTransactionContext.switch_to(|_| {
                let store = || pg_sys::tuplestore_begin_heap(true, false, MEMORY_KB);
                ([store(), store(), store(), store()], LastKey::new())
            })
        };
        Collector {
            key_columns,
            compared,
            max_key_bytes,
            columns: 0,
            tupdesc: std::ptr::null_mut(),
            key,
            hasher: RowHasher::new(std::iter::empty()),
            pending: std::ptr::null_mut(),
            pending_is: None,
            pending_is_again: false,
            pending_is_perhaps: false,
            stores,
            counts: Counts::default(),
            unknown_version: None,
            rows: 0,
            told_at: Instant::now(),
        }
    }

    /// # Safety
    /// The values of a row of the diff that the model has.
    unsafe fn hash(&mut self, values: &[pg_sys::Datum], nulls: &[bool]) -> i64 {
        let contents = LEADING + self.key_columns..;
        // SAFETY: by the caller's promise; what is left behind is not referred to any more.
        unsafe {
            let Collector { key, hasher, .. } = self;
            key.scratch.run(|| hasher.hash(&values[contents.clone()], &nulls[contents]))
        }
    }

    /// What a row is, by the hash of the model's row, if the model has it.
    fn change_of(
        &mut self,
        hash: Option<i64>,
        values: &[pg_sys::Datum],
        nulls: &[bool],
    ) -> Option<Event> {
        self.pending_is_perhaps = false;
        if nulls[SNAPSHOT_HASH] {
            return Some(Event::Added);
        }
        let version = values[SNAPSHOT_VERSION].value() as i16;
        let is_again = version == hash::TO_TELL_AGAIN;
        self.pending_is_perhaps = version == hash::PERHAPS_TOLD;
        if version != hash::VERSION && !is_again && !self.pending_is_perhaps {
            self.unknown_version = Some(version);
        }
        let Some(hash) = hash else { return Some(Event::Removed) };
        if self.pending_is_perhaps {
            return Some(Event::Added);
        }
        let is_changed = hash != values[SNAPSHOT_HASH].value() as i64;
        self.pending_is_again = is_again && !is_changed;
        (is_again || is_changed).then_some(Event::Changed)
    }

    /// # Safety
    /// `slot` holds a row of the diff.
    unsafe fn put_unfit(&mut self, slot: *mut pg_sys::TupleTableSlot) {
        self.counts.unfit += 1;
        // SAFETY: the store is open.
        unsafe { pg_sys::tuplestore_puttupleslot(self.stores[2], slot) };
    }

    /// Tells from time to time how far this has come.
    fn count_row(&mut self) {
        self.rows += 1;
        if self.rows.is_multiple_of(TELL_AFTER_ROWS) && self.told_at.elapsed() >= TELL_EVERY {
            self.told_at = Instant::now();
            super::process::report_rows_read(self.rows);
        }
    }

    /// Hands the row before on, now that its key has shown to be unique.
    fn flush(&mut self) {
        let Some(event) = self.pending_is.take() else { return };
        let store = match event {
            Event::Added => {
                self.counts.added += 1;
                self.counts.perhaps += i64::from(self.pending_is_perhaps);
                self.stores[0]
            }
            Event::Changed => {
                self.counts.changed += 1;
                self.counts.again += i64::from(self.pending_is_again);
                self.stores[0]
            }
            Event::Removed => {
                self.counts.removed += 1;
                self.stores[1]
            }
        };
        // SAFETY: the pending slot holds a row since `pending_is` was set.
        unsafe { pg_sys::tuplestore_puttupleslot(store, self.pending) };
    }

    fn finish(mut self) -> Result<Spool> {
        self.flush();
        if let Some(version) = self.unknown_version {
            return Err(Error::not_in_state(format!(
                "the snapshot holds row hashes of version {version}, which this version of sqs_sync does not know"
            ))
            .hint("A newer sqs_sync wrote them: install that one."));
        }
        // SAFETY: the slot was made in `start`; the stores stay.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.pending) };
        Ok(Spool { counts: self.counts, tupdesc: self.tupdesc, stores: self.stores })
    }
}

impl Receives for Collector {
    unsafe fn start(&mut self, tupdesc: pg_sys::TupleDesc) {
        // SAFETY: copies live as long as the transaction; the key's types have an equality,
        // which creation checked, and the type cache keeps what it gives.
        unsafe {
            PgMemoryContexts::TopTransactionContext.switch_to(|_| {
                self.tupdesc = pg_sys::CreateTupleDescCopy(tupdesc);
                self.pending = pg_sys::MakeSingleTupleTableSlot(
                    self.tupdesc,
                    &raw const pg_sys::TTSOpsVirtual,
                );
            });
            self.columns = (*tupdesc).natts as usize;
            let attributes = pgrx::PgTupleDesc::from_pg_unchecked(self.tupdesc);
            for attribute in attributes.iter().skip(LEADING).take(self.key_columns) {
                self.key.add(attribute);
            }
            let contents = attributes.iter().skip(LEADING + self.key_columns);
            let types = contents.map(|a| a.atttypid);
            self.hasher = RowHasher::new(types.zip(self.compared.iter().copied()));
        }
    }

    unsafe fn receive(&mut self, slot: *mut pg_sys::TupleTableSlot) {
        self.count_row();
        // SAFETY: all columns are deformed first; their types are the diff's.
        unsafe {
            if ((*slot).tts_nvalid as usize) < self.columns {
                pg_sys::slot_getsomeattrs(slot, self.columns as i32);
            }
            let values = std::slice::from_raw_parts((*slot).tts_values, self.columns);
            let nulls = std::slice::from_raw_parts((*slot).tts_isnull, self.columns);
            let key = LEADING..LEADING + self.key_columns;
            if nulls[key.clone()].contains(&true) {
                self.put_unfit(slot);
            } else if self.key.bytes_of(&values[key.clone()]) > self.max_key_bytes {
                self.counts.too_long += 1;
                pg_sys::tuplestore_puttupleslot(self.stores[3], slot);
            } else if self.key.is(&values[key.clone()]) {
                self.pending_is = None;
                self.put_unfit(slot);
            } else {
                self.flush();
                self.key.become_that(&values[key]);
                self.counts.told += i64::from(!nulls[SNAPSHOT_HASH]);
                let hash = (!nulls[PRESENT]).then(|| self.hash(values, nulls));
                self.pending_is = self.change_of(hash, values, nulls);
                if self.pending_is.is_some() {
                    pg_sys::ExecCopySlot(self.pending, slot);
                    if let Some(hash) = hash {
                        *(*self.pending).tts_values.add(MODEL_HASH) = pg_sys::Datum::from(hash);
                        *(*self.pending).tts_isnull.add(MODEL_HASH) = false;
                    }
                    // What is told as added was not told before.
                    if self.pending_is_perhaps {
                        *(*self.pending).tts_isnull.add(SNAPSHOT_HASH) = true;
                    }
                }
            }
        }
    }
}
