//! Rows of a statement, handed on one by one while it runs, without a copy in SPI's memory; and
//! kept rows given back to SQL as a relation.

use std::ffi::CString;

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::varlena::with_bytes;
use super::{Error, Result};

/// What takes the rows of a statement. It runs no SQL.
pub trait Receives {
    /// # Safety
    /// `tupdesc` describes the rows that will come.
    unsafe fn start(&mut self, tupdesc: pg_sys::TupleDesc);

    /// # Safety
    /// `slot` holds such a row.
    unsafe fn receive(&mut self, slot: *mut pg_sys::TupleTableSlot);
}

/// Runs a SELECT and hands its rows to `to`.
pub fn select(statement: &str, to: &mut dyn Receives) -> Result<()> {
    Spi::connect(|_| select_here(statement, to))
}

/// The same, connected to SPI already: it may read the relations that are registered there.
pub fn select_here(statement: &str, to: &mut dyn Receives) -> Result<()> {
    run(statement, pg_sys::SPI_OK_SELECT, to)
}

/// The plan of a SELECT, as EXPLAIN shows it, a line a row.
pub fn explain(statement: &str) -> Result<Vec<String>> {
    let mut lines = Lines(Vec::new());
    let statement = format!("EXPLAIN {statement}");
    Spi::connect(|_| run(&statement, pg_sys::SPI_OK_UTILITY, &mut lines))?;
    Ok(lines.0)
}

struct Lines(Vec<String>);

impl Receives for Lines {
    unsafe fn start(&mut self, _tupdesc: pg_sys::TupleDesc) {}

    unsafe fn receive(&mut self, slot: *mut pg_sys::TupleTableSlot) {
        // SAFETY: EXPLAIN gives rows of one text each, never null.
        let line = unsafe {
            pg_sys::slot_getsomeattrs(slot, 1);
            with_bytes(*(*slot).tts_values, |bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        self.0.push(line);
    }
}

fn run(statement: &str, expected: u32, to: &mut dyn Receives) -> Result<()> {
    let statement = super::rights::c_string(statement)?;
    let mut receiver = Receiver::new(to);
    // SAFETY: where it is not connected, SPI says so by its status; the receiver and what it hands
    // rows to outlive the statement.
    let status = unsafe {
        let options = pg_sys::SPIExecuteOptions {
            read_only: false,
            dest: (&raw mut receiver).cast(),
            ..Default::default()
        };
        pg_sys::SPI_execute_extended(statement.as_ptr(), &options)
    };
    match status == expected as i32 {
        true => Ok(()),
        false => {
            Err(Error::internal(format!("a statement of ours ended with SPI status {status}")))
        }
    }
}

/// Makes kept rows a relation of this name, in the statements of the current SPI connection.
///
/// # Safety
/// Connected to SPI. The store holds rows that `tupdesc` describes; both outlive the connection.
pub unsafe fn register(
    name: &str,
    store: *mut pg_sys::Tuplestorestate,
    tupdesc: pg_sys::TupleDesc,
    rows: i64,
) -> Result<()> {
    let name: CString = super::rights::c_string(name)?;
    // SAFETY: SPI's memory context holds the entry as long as it is needed.
    let status = unsafe {
        let entry = pg_sys::palloc0(size_of::<pg_sys::EphemeralNamedRelationData>())
            .cast::<pg_sys::EphemeralNamedRelationData>();
        (*entry).md.name = pg_sys::pstrdup(name.as_ptr());
        (*entry).md.tupdesc = tupdesc;
        (*entry).md.enrtype = pg_sys::EphemeralNameRelationType::ENR_NAMED_TUPLESTORE;
        (*entry).md.enrtuples = rows as f64;
        (*entry).reldata = store.cast();
        pg_sys::SPI_register_relation(entry)
    };
    match status == pg_sys::SPI_OK_REL_REGISTER as i32 {
        true => Ok(()),
        false => Err(Error::internal(format!("kept rows: SPI status {status}"))),
    }
}

/// What Postgres calls for each row; its first field is what Postgres knows of it.
#[repr(C)]
struct Receiver<'a> {
    base: pg_sys::DestReceiver,
    to: &'a mut dyn Receives,
}

impl<'a> Receiver<'a> {
    fn new(to: &'a mut dyn Receives) -> Receiver<'a> {
        let base = pg_sys::DestReceiver {
            receiveSlot: Some(receive),
            rStartup: Some(start),
            rShutdown: Some(ignore),
            rDestroy: Some(ignore),
            mydest: pg_sys::CommandDest::DestTuplestore,
        };
        Receiver { base, to }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn start(
    receiver: *mut pg_sys::DestReceiver,
    _operation: i32,
    tupdesc: pg_sys::TupleDesc,
) {
    // SAFETY: called with the receiver that was passed, which is a `Receiver`.
    unsafe { (*receiver.cast::<Receiver<'_>>()).to.start(tupdesc) };
}

#[pg_guard]
unsafe extern "C-unwind" fn receive(
    slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: as above; the slot holds a row of the statement.
    unsafe { (*receiver.cast::<Receiver<'_>>()).to.receive(slot) };
    true
}

#[pg_guard]
unsafe extern "C-unwind" fn ignore(_receiver: *mut pg_sys::DestReceiver) {}
