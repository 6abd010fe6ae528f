//! Rows of the change set, read as values that the message crate renders from. The forms:
//! numbers with every digit that Postgres has, JSON as it is, a bytea as its bytes, a timestamptz
//! in UTC with Z, a timestamp bare, and all else by the text of its type. To be run under the
//! output settings ([`super::rights::pin_output`]).

use std::borrow::Cow;
use std::ffi::CStr;

use message::Value;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::spi::{Spi, SpiClient};

use super::varlena::{plain_size, with_bytes};
use super::{Error, Result};

/// Bytes that the values of a row have at most, of those columns that are read: the text of a value
/// can be several times as long, and above a gigabyte Postgres makes none.
pub const MAX_ROW_BYTES: usize = 64 << 20;
/// A value that is no longer than this is read in any case.
const SHORT: usize = 64 << 10;

/// A value that was not read, since its row is too long.
#[derive(Clone)]
pub struct Unread {
    /// Of its column, among those of the row.
    pub place: usize,
    pub bytes: usize,
}

/// One change, with its row.
pub struct ChangeRow {
    pub id: i64,
    pub event: String,
    /// Values of the columns that were asked for.
    pub values: Vec<Value<'static>>,
    /// The same of the row as it was told before, if that was asked for.
    pub old: Option<Vec<Value<'static>>>,
    /// The first value in whose place there is a null.
    pub unread: Option<Unread>,
}

impl ChangeRow {
    /// Memory that it takes.
    pub fn bytes(&self) -> usize {
        let length = |value: &Value<'_>| match value {
            Value::Number(text) | Value::Text(text) | Value::Json(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Null | Value::Bool(_) => 0,
        };
        let values = self.values.iter().chain(self.old.iter().flatten());
        values.map(|value| length(value) + size_of::<Value<'_>>()).sum()
    }
}

/// How much is read at once: what is read stays in memory until it is acknowledged.
#[derive(Clone, Copy)]
pub struct Limit {
    pub rows: usize,
    pub bytes: usize,
}

/// Columns before those of the row: id and event.
const LEADING: usize = 2;
/// Rows fetched at first from a cursor; doubled while they are small.
const FIRST_FETCH: usize = 16;

/// Reads what `statement` selects: id, event, `columns` columns of the row, and as many of the
/// row before or none.
pub fn read_changes(
    statement: &str,
    arguments: &[DatumWithOid<'_>],
    columns: usize,
    limit: Limit,
) -> Result<Vec<ChangeRow>> {
    Spi::connect(|client| read_changes_by(client, statement, arguments, columns, limit))
}

/// The same, where the relations are registered that the statement reads.
pub fn read_changes_by(
    client: &SpiClient<'_>,
    statement: &str,
    arguments: &[DatumWithOid<'_>],
    columns: usize,
    limit: Limit,
) -> Result<Vec<ChangeRow>> {
    let mut cursor = client.try_open_cursor(statement, arguments)?;
    let mut readers = Vec::new();
    let mut changes = Vec::new();
    let (mut bytes, mut fetch) = (0, FIRST_FETCH);
    while changes.len() < limit.rows && bytes < limit.bytes {
        let wanted = fetch.min(limit.rows - changes.len());
        cursor.fetch(wanted as i64)?;
        let room = limit.bytes - bytes;
        // SAFETY: the fetch above has just set the table, which is freed once read.
        let fetched = unsafe { take_tuples(&mut readers, columns, room)? };
        let got = fetched.len();
        bytes += fetched.iter().map(ChangeRow::bytes).sum::<usize>();
        changes.extend(fetched);
        if got < wanted {
            break;
        }
        fetch *= 2;
    }
    Ok(changes)
}

/// Tuples are read until they have filled `room` bytes; the rest is left for the next batch.
/// (Unread, a long value is a pointer of a few bytes.)
///
/// # Safety
/// SPI_tuptable is null or holds tuples of the statement that `readers` are made for.
unsafe fn take_tuples(
    readers: &mut Vec<Reader>,
    columns: usize,
    room: usize,
) -> Result<Vec<ChangeRow>> {
    // SAFETY: by the caller's promise; tuples and descriptor belong together.
    unsafe {
        let table = pg_sys::SPI_tuptable;
        if table.is_null() {
            return Ok(Vec::new());
        }
        let tupdesc = (*table).tupdesc;
        if readers.is_empty() {
            readers.extend(
                (1..=(*tupdesc).natts).map(|n| Reader::of(pg_sys::SPI_gettypeid(tupdesc, n))),
            );
        }
        let tuples = std::slice::from_raw_parts((*table).vals, (*table).numvals as usize);
        let mut changes = Vec::with_capacity(tuples.len());
        let mut bytes = 0;
        for tuple in tuples {
            if bytes >= room {
                break;
            }
            let change = read_change(*tuple, tupdesc, readers, columns)?;
            bytes += change.bytes();
            changes.push(change);
        }
        pg_sys::SPI_freetuptable(table);
        Ok(changes)
    }
}

/// # Safety
/// `tuple` has the columns that `tupdesc` describes and `readers` read.
unsafe fn read_change(
    tuple: pg_sys::HeapTuple,
    tupdesc: pg_sys::TupleDesc,
    readers: &mut [Reader],
    columns: usize,
) -> Result<ChangeRow> {
    let mut values = Vec::with_capacity(readers.len());
    let (mut left, mut unread) = (MAX_ROW_BYTES, None);
    for (i, Reader { form, is_varlena }) in readers.iter_mut().enumerate() {
        let mut null = false;
        // SAFETY: by the caller's promise.
        values.push(unsafe {
            let datum = pg_sys::SPI_getbinval(tuple, tupdesc, i as i32 + 1, &mut null);
            let bytes = if *is_varlena && !null { plain_size(datum) } else { 0 };
            let is_too_long = bytes > left && bytes > SHORT;
            if is_too_long {
                let place = i.saturating_sub(LEADING).checked_rem(columns).unwrap_or(0);
                unread.get_or_insert(Unread { place, bytes });
            } else {
                left = left.saturating_sub(bytes);
            }
            if null || is_too_long { Value::Null } else { form.read(datum)? }
        });
    }
    let mut row = values.split_off(LEADING);
    let old = (row.len() > columns).then(|| row.split_off(columns));
    match <[Value<'static>; 2]>::try_from(values) {
        Ok([Value::Number(id), Value::Text(event)]) => {
            let id = id.parse().map_err(|_| Error::internal("a change id is not a number"))?;
            Ok(ChangeRow { id, event: event.into_owned(), values: row, old, unread })
        }
        _ => Err(Error::internal("the change set does not have the columns it was made with")),
    }
}

/// A column's values.
struct Reader {
    form: Form,
    is_varlena: bool,
}

impl Reader {
    fn of(type_oid: Oid) -> Reader {
        // SAFETY: a catalog lookup of an existing type.
        let is_varlena = unsafe { pg_sys::get_typlen(type_oid) } == -1;
        Reader { form: Form::of(type_oid), is_varlena }
    }
}

/// How they are read.
enum Form {
    Bool,
    Int2,
    Int4,
    Int8,
    Text,
    Json,
    Bytes,
    Array,
    Output(As, Box<pg_sys::FmgrInfo>),
}

#[derive(Clone, Copy)]
enum As {
    Number,
    Json,
    Timestamp,
    Timestamptz,
    Text,
}

impl Form {
    fn of(type_oid: Oid) -> Form {
        let output = |read_as| Form::Output(read_as, output_function(type_oid));
        match type_oid {
            pg_sys::BOOLOID => Form::Bool,
            pg_sys::INT2OID => Form::Int2,
            pg_sys::INT4OID => Form::Int4,
            pg_sys::INT8OID => Form::Int8,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Form::Text,
            pg_sys::JSONOID => Form::Json,
            pg_sys::BYTEAOID => Form::Bytes,
            pg_sys::FLOAT4OID | pg_sys::FLOAT8OID | pg_sys::NUMERICOID | pg_sys::OIDOID => {
                output(As::Number)
            }
            pg_sys::JSONBOID => output(As::Json),
            pg_sys::TIMESTAMPOID => output(As::Timestamp),
            pg_sys::TIMESTAMPTZOID => output(As::Timestamptz),
            other if is_array(other) => Form::Array,
            _ => output(As::Text),
        }
    }

    /// # Safety
    /// `datum` is a non-null value of the type that the reader was made for.
    unsafe fn read(&mut self, datum: Datum) -> Result<Value<'static>> {
        // SAFETY: by the caller's promise.
        unsafe {
            Ok(match self {
                Form::Bool => Value::Bool(datum.value() & 0xff != 0),
                Form::Int2 => number((datum.value() as i16).to_string()),
                Form::Int4 => number((datum.value() as i32).to_string()),
                Form::Int8 => number((datum.value() as i64).to_string()),
                Form::Text => Value::Text(Cow::Owned(varlena_text(datum)?)),
                Form::Json => Value::Json(Cow::Owned(varlena_text(datum)?)),
                Form::Bytes => {
                    Value::Bytes(Cow::Owned(with_bytes(datum, |bytes| bytes.to_owned())))
                }
                Form::Array => Value::Json(Cow::Owned(array_text(datum)?)),
                Form::Output(read_as, function) => {
                    let text = output_text(function, datum)?;
                    match read_as {
                        As::Number => number(text),
                        As::Json => Value::Json(Cow::Owned(text)),
                        As::Timestamp => Value::Text(Cow::Owned(iso_timestamp(text))),
                        As::Timestamptz => Value::Text(Cow::Owned(iso_timestamptz(text))),
                        As::Text => Value::Text(Cow::Owned(text)),
                    }
                }
            })
        }
    }
}

fn number(digits: String) -> Value<'static> {
    Value::Number(Cow::Owned(digits))
}

/// ISO 8601's `T` between date and time. `infinity` and years before Christ stay as they are.
fn iso_timestamp(text: String) -> String {
    if text.ends_with("BC") { text } else { text.replacen(' ', "T", 1) }
}

fn iso_timestamptz(text: String) -> String {
    match text.strip_suffix("+00") {
        Some(utc) => format!("{}Z", utc.replacen(' ', "T", 1)),
        None => text,
    }
}

fn output_function(type_oid: Oid) -> Box<pg_sys::FmgrInfo> {
    let mut function = Box::new(pg_sys::FmgrInfo::default());
    let (mut oid, mut is_varlena) = (pg_sys::InvalidOid, false);
    // SAFETY: a catalog lookup; what the function keeps lives in the transaction's memory,
    // longer than the reader.
    unsafe {
        pg_sys::getTypeOutputInfo(type_oid, &mut oid, &mut is_varlena);
        pg_sys::fmgr_info_cxt(oid, &mut *function, pg_sys::TopTransactionContext);
    }
    function
}

/// # Safety
/// `datum` is a non-null value of the function's type.
unsafe fn output_text(function: &mut pg_sys::FmgrInfo, datum: Datum) -> Result<String> {
    // SAFETY: by the caller's promise; the text is ours to free.
    unsafe {
        let text = pg_sys::OutputFunctionCall(function, datum);
        let copy = utf8(CStr::from_ptr(text).to_bytes());
        pg_sys::pfree(text.cast());
        copy
    }
}

fn is_array(type_oid: Oid) -> bool {
    // SAFETY: a catalog lookup of an existing type.
    unsafe { pg_sys::get_element_type(type_oid) != pg_sys::InvalidOid }
}

/// # Safety
/// `datum` is a non-null array.
unsafe fn array_text(datum: Datum) -> Result<String> {
    // SAFETY: by the caller's promise; the function looks at nothing but the array.
    unsafe {
        let json = pg_sys::OidFunctionCall1Coll(
            Oid::from(pg_sys::F_ARRAY_TO_JSON_ANYARRAY),
            pg_sys::InvalidOid,
            datum,
        );
        let copy = varlena_text(json);
        pg_sys::pfree(json.cast_mut_ptr());
        copy
    }
}

/// # Safety
/// `datum` is a non-null varlena whose bytes are text.
unsafe fn varlena_text(datum: Datum) -> Result<String> {
    // SAFETY: by the caller's promise.
    unsafe { with_bytes(datum, utf8) }
}

fn utf8(bytes: &[u8]) -> Result<String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| not_utf8())
}

fn not_utf8() -> Error {
    Error::internal("a text of the database is not valid UTF-8")
}
