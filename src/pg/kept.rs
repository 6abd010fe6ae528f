//! A few rows of a SELECT, kept as they are to be read by SQL: what a model returns is evaluated
//! under its own settings, and printed under ours afterwards.

use pgrx::prelude::*;
use pgrx::spi::SpiClient;
use pgrx::{PgMemoryContexts, pg_sys};

use super::Result;
use super::receiver::{self, Receives};

/// The relation that the rows are read as.
pub const KEPT: &str = "sqs_sync_kept";

/// Memory before rows go to disk, in kB.
const MEMORY_KB: i32 = 4096;

/// Valid until the end of the transaction that made it.
pub struct Kept {
    rows: i64,
    tupdesc: pg_sys::TupleDesc,
    store: *mut pg_sys::Tuplestorestate,
}

impl Kept {
    /// Runs a SELECT and keeps its rows.
    pub fn of(statement: &str) -> Result<Kept> {
        Spi::connect(|_| Kept::here(statement))
    }

    /// The same, connected to SPI already: it may read the relations that are registered there.
    pub fn here(statement: &str) -> Result<Kept> {
        // SAFETY: in a transaction, which the store goes with.
        let store = unsafe {
            PgMemoryContexts::TopTransactionContext
                .switch_to(|_| pg_sys::tuplestore_begin_heap(true, false, MEMORY_KB))
        };
        let mut kept = Kept { rows: 0, tupdesc: std::ptr::null_mut(), store };
        receiver::select_here(statement, &mut kept)?;
        Ok(kept)
    }

    /// How many rows there are.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    /// Makes the rows a relation of that name in the statements of a connection to SPI.
    pub fn register(&self, name: &str, _connection: &SpiClient<'_>) -> Result<()> {
        // SAFETY: connected; store and descriptor live until the end of the transaction.
        unsafe { receiver::register(name, self.store, self.tupdesc, self.rows) }
    }

    /// Runs `work` with the rows to be read as [`KEPT`].
    pub fn with_relation<T>(
        &self,
        work: impl FnOnce(&mut SpiClient<'_>) -> Result<T>,
    ) -> Result<T> {
        Spi::connect_mut(|client| {
            self.register(KEPT, client)?;
            work(client)
        })
    }

    /// Gives memory and files back.
    pub fn close(self) {
        // SAFETY: made by `here`, and nothing refers to it any more: self is consumed.
        unsafe { pg_sys::tuplestore_end(self.store) };
    }
}

impl Receives for Kept {
    unsafe fn start(&mut self, tupdesc: pg_sys::TupleDesc) {
        // SAFETY: the copy lives as long as the transaction.
        unsafe {
            PgMemoryContexts::TopTransactionContext
                .switch_to(|_| self.tupdesc = pg_sys::CreateTupleDescCopy(tupdesc));
        }
    }

    unsafe fn receive(&mut self, slot: *mut pg_sys::TupleTableSlot) {
        self.rows += 1;
        // SAFETY: the store is open.
        unsafe { pg_sys::tuplestore_puttupleslot(self.store, slot) };
    }
}
