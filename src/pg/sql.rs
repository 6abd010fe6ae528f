//! Statements of ours, run through SPI: a statement, its arguments, and its rows as values.
//!
//! Whoever calls says whose rights they run with ([`super::rights`]); names in them are
//! qualified all the same.

use pgrx::datum::{DatumWithOid, FromDatum, IntoDatum};
use pgrx::spi::{Spi, SpiClient, SpiHeapTupleData};

use super::{Error, Result};

/// One row of a result; columns count from 1.
pub struct Row<'a>(SpiHeapTupleData<'a>);

impl Row<'_> {
    pub fn get<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<Option<T>> {
        Ok(self.0.get::<T>(column)?)
    }

    /// A column that cannot be null.
    pub fn need<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<T> {
        self.get(column)?
            .ok_or_else(|| Error::internal(format!("column {column} of a catalog row is null")))
    }
}

/// Runs a statement that writes; returns how many rows it touched.
pub fn execute(statement: &str, arguments: &[DatumWithOid<'_>]) -> Result<usize> {
    Spi::connect_mut(|client| Ok(client.update(statement, None, arguments)?.len()))
}

/// Runs a statement that writes and returns rows.
pub fn returning<T>(
    statement: &str,
    arguments: &[DatumWithOid<'_>],
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    Spi::connect_mut(|client| {
        client.update(statement, None, arguments)?.map(|tuple| read(&Row(tuple))).collect()
    })
}

/// Reads rows.
pub fn rows<T>(
    statement: &str,
    arguments: &[DatumWithOid<'_>],
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    Spi::connect(|client| rows_by(client, statement, arguments, read))
}

/// Reads rows by a connection to SPI, and so of relations that are registered there.
pub fn rows_by<T>(
    client: &SpiClient<'_>,
    statement: &str,
    arguments: &[DatumWithOid<'_>],
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    client.select(statement, None, arguments)?.map(|tuple| read(&Row(tuple))).collect()
}

/// Reads the only row, if there is one.
pub fn row<T>(
    statement: &str,
    arguments: &[DatumWithOid<'_>],
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(rows(statement, arguments, read)?.pop())
}

/// Reads one value that is always there.
pub fn value<T: FromDatum + IntoDatum>(
    statement: &str,
    arguments: &[DatumWithOid<'_>],
) -> Result<T> {
    row(statement, arguments, |row| row.need(1))?
        .ok_or_else(|| Error::internal("a statement of ours returned no row"))
}
