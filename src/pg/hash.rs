//! The row hash, and the text of a value that it falls back to.
//!
//! Promise: the hash of equal contents is equal after VACUUM FULL, another TOAST compression,
//! dump and restore and a major upgrade, whatever the session's settings, since otherwise
//! every row would be announced again. So it covers detoasted values free of object ids: the
//! bytes of Postgres's own scalar types, whose layout pg_upgrade keeps and a restore makes
//! again, and the output text of all else. These bytes are part of the format of every
//! snapshot on disk: a change of anything here needs a new [`VERSION`].

use std::ffi::CStr;

use pgrx::pg_sys::{self, Datum, FunctionCallInfo, Oid};
use pgrx::prelude::*;
use pgrx::{PgMemoryContexts, PgTupleDesc};
use xxhash_rust::xxh3::xxh3_64;

/// The way of hashing, kept with each snapshot row.
pub const VERSION: i16 = 1;

/// In place of a version: the row is to be told again, though it is as it was told.
pub const TO_TELL_AGAIN: i16 = 0;

/// In place of a version: the queue may have been told of the row, or that it is gone. What the
/// model has of it is told as added, that it has it not, as removed.
pub const PERHAPS_TOLD: i16 = -1;

/// Oids below this belong to what Postgres itself makes, the same in every database.
const FIRST_NORMAL_OID: u32 = 16384;

/// Settings that the text of a value depends on, as each output of ours has them.
pub const OUTPUT_SETTINGS: [(&CStr, &CStr); 7] = [
    (c"timezone", c"UTC"),
    (c"datestyle", c"ISO, YMD"),
    (c"intervalstyle", c"postgres"),
    (c"extra_float_digits", c"1"),
    (c"bytea_output", c"hex"),
    (c"lc_monetary", c"C"),
    // A regclass and its like print identifiers.
    (c"quote_all_identifiers", c"off"),
];

/// How a value enters the hash.
enum Form {
    /// The low bytes of a value that is passed in the datum itself.
    ByValue(usize),
    /// A float by value, all its NaNs being one.
    Float4,
    Float8,
    /// The bytes of a type of fixed length.
    Fixed(usize),
    /// The detoasted bytes after the length word.
    Varlena,
    /// An array: its shape, then each element in its own form.
    Array {
        element: Box<Form>,
        oid: Oid,
        length: i16,
        by_value: bool,
        align: i8,
    },
    /// The text that the type's output function makes.
    Text(Oid),
}

/// Hashes rows of given columns. What it makes of a value (a detoasted copy, a text) it leaves
/// behind in the current memory context.
pub struct RowHasher {
    /// None: a column that does not enter the hash.
    forms: Vec<Option<Form>>,
    bytes: Vec<u8>,
}

impl RowHasher {
    /// Of columns of these types, each with whether it enters the hash. In a transaction: types
    /// are looked up.
    pub fn new(columns: impl Iterator<Item = (Oid, bool)>) -> RowHasher {
        let forms = columns.map(|(of, enters)| enters.then(|| form_of(of))).collect();
        RowHasher { forms, bytes: Vec::with_capacity(512) }
    }

    /// # Safety
    /// `values`, where not null, are of the types that the hasher was made for.
    pub unsafe fn hash(&mut self, values: &[Datum], nulls: &[bool]) -> i64 {
        self.bytes.clear();
        for ((form, value), null) in self.forms.iter().zip(values).zip(nulls) {
            let Some(form) = form else { continue };
            self.bytes.push(u8::from(!null));
            if !null {
                // SAFETY: by the caller's promise.
                unsafe { put(&mut self.bytes, *value, form) };
            }
        }
        xxh3_64(&self.bytes) as i64
    }
}

/// What is kept between the calls of one statement: for rows whose columns have these types. (A row
/// of the same type may have others: what a statement calls can alter a type on the way.)
struct RowForm {
    types: Vec<Oid>,
    hasher: RowHasher,
    values: Vec<Datum>,
    nulls: Vec<bool>,
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_row_hash_wrapper() -> &'static pg_sys::Pg_finfo_record {
    const V1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &V1
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_value_hash_wrapper() -> &'static pg_sys::Pg_finfo_record {
    pg_finfo_row_hash_wrapper()
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_stable_text_wrapper() -> &'static pg_sys::Pg_finfo_record {
    pg_finfo_row_hash_wrapper()
}

/// `sqs_sync.row_hash(record) returns bigint`. (The diff hashes its rows without it, where it
/// receives them: no row has to be made of them first.)
///
/// # Safety
/// To be called by Postgres, for a STRICT function of one record.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn row_hash_wrapper(fcinfo: FunctionCallInfo) -> Datum {
    // SAFETY: STRICT and declared with one record: the argument is a non-null row, whose
    // header names its type; what is cached lives as long as the statement's function info.
    unsafe {
        let datum = (*fcinfo).args.as_slice(1)[0].value;
        let header: pg_sys::HeapTupleHeader = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
        let columns = RowColumns::of(header);
        let row = row_form(fcinfo, &columns);
        let mut tuple = pg_sys::HeapTupleData {
            t_len: pgrx::varsize_4b(header.cast()) as u32,
            t_data: header,
            ..Default::default()
        };
        pg_sys::heap_deform_tuple(
            &mut tuple,
            columns.0,
            row.values.as_mut_ptr(),
            row.nulls.as_mut_ptr(),
        );
        Datum::from(row.hasher.hash(&row.values, &row.nulls))
    }
}

/// `sqs_sync.value_hash(anyelement) returns bigint`. A row would hold all that it is made of, detoasted.
///
/// # Safety
/// To be called by Postgres, for a STRICT function of one argument.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn value_hash_wrapper(fcinfo: FunctionCallInfo) -> Datum {
    // SAFETY: STRICT and declared with one polymorphic argument, whose type the call names;
    // fn_extra is ours, null or what was put there below, alive as fn_mcxt is.
    unsafe {
        let value = (*fcinfo).args.as_slice(1)[0].value;
        let flinfo = (*fcinfo).flinfo;
        if (*flinfo).fn_extra.is_null() {
            let argument = pg_sys::get_fn_expr_argtype(flinfo, 0);
            let hasher = RowHasher::new(std::iter::once((argument, true)));
            let mut context = PgMemoryContexts::For((*flinfo).fn_mcxt);
            (*flinfo).fn_extra = context.leak_and_drop_on_delete(hasher).cast();
        }
        let hasher = &mut *(*flinfo).fn_extra.cast::<RowHasher>();
        Datum::from(hasher.hash(&[value], &[false]))
    }
}

/// `sqs_sync.stable_text(anyelement) returns text`.
///
/// # Safety
/// To be called by Postgres, for a STRICT function of one argument.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn stable_text_wrapper(fcinfo: FunctionCallInfo) -> Datum {
    // SAFETY: STRICT and declared with one polymorphic argument, whose type the call names.
    unsafe {
        let value = (*fcinfo).args.as_slice(1)[0].value;
        let argument = pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, 0);
        let text = with_output_settings(|| {
            pg_sys::OidOutputFunctionCall(output_function(argument), value)
        });
        Datum::from(pg_sys::cstring_to_text(text))
    }
}

/// What Postgres says now of a row's columns, given back when it is dropped.
struct RowColumns(pg_sys::TupleDesc);

impl RowColumns {
    /// # Safety
    /// `header` is a row.
    unsafe fn of(header: pg_sys::HeapTupleHeader) -> RowColumns {
        // SAFETY: the type comes from a row's header, so it can be looked up.
        unsafe {
            let datum = (*header).t_choice.t_datum;
            RowColumns(pg_sys::lookup_rowtype_tupdesc(datum.datum_typeid, datum.datum_typmod))
        }
    }

    /// Their types; that of a column that was dropped is invalid.
    fn types(&self) -> impl Iterator<Item = Oid> {
        // SAFETY: a valid descriptor for as long as this lives.
        let attributes = unsafe { PgTupleDesc::from_pg_unchecked(self.0) };
        let count = attributes.len();
        (0..count).map(move |i| {
            attributes.get(i).filter(|a| !a.attisdropped).map_or(pg_sys::InvalidOid, |a| a.atttypid)
        })
    }
}

impl Drop for RowColumns {
    fn drop(&mut self) {
        // SAFETY: looked up above, which counts a reference if there is a count.
        unsafe {
            if !std::thread::panicking() && (*self.0).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(self.0);
            }
        }
    }
}

/// # Safety
/// `fcinfo` is a call of `row_hash`.
unsafe fn row_form<'a>(fcinfo: FunctionCallInfo, columns: &RowColumns) -> &'a mut RowForm {
    // SAFETY: fn_extra is ours, null or what was put there below, alive as fn_mcxt is.
    unsafe {
        let flinfo = (*fcinfo).flinfo;
        let cached = (*flinfo).fn_extra.cast::<RowForm>();
        if cached.is_null() {
            let mut context = PgMemoryContexts::For((*flinfo).fn_mcxt);
            let kept = context.leak_and_drop_on_delete(RowForm::of(columns));
            (*flinfo).fn_extra = kept.cast();
            return &mut *kept;
        }
        if !columns.types().eq((*cached).types.iter().copied()) {
            *cached = RowForm::of(columns);
        }
        &mut *cached
    }
}

impl RowForm {
    fn of(columns: &RowColumns) -> RowForm {
        let types: Vec<Oid> = columns.types().collect();
        let hasher = RowHasher::new(types.iter().map(|of| (*of, *of != pg_sys::InvalidOid)));
        let (values, nulls) = (vec![Datum::null(); types.len()], vec![true; types.len()]);
        RowForm { types, hasher, values, nulls }
    }
}

fn form_of(column_type: Oid) -> Form {
    // SAFETY: catalog lookups of an existing type, inside a transaction.
    unsafe {
        let base = pg_sys::getBaseType(column_type);
        let element = pg_sys::get_element_type(base);
        let (mut length, mut by_value, mut align) = (0i16, false, 0i8);
        if element != pg_sys::InvalidOid {
            pg_sys::get_typlenbyvalalign(element, &mut length, &mut by_value, &mut align);
            let form = Box::new(form_of(element));
            return Form::Array { element: form, oid: element, length, by_value, align };
        }
        if base.to_u32() >= FIRST_NORMAL_OID || names_an_object(base) {
            return Form::Text(output_function(base));
        }
        pg_sys::get_typlenbyvalalign(base, &mut length, &mut by_value, &mut align);
        match (base, length, by_value) {
            (pg_sys::FLOAT4OID, ..) => Form::Float4,
            (pg_sys::FLOAT8OID, ..) => Form::Float8,
            (_, length, true) => Form::ByValue(length as usize),
            (_, length @ 1.., false) => Form::Fixed(length as usize),
            (_, -1, false) if pg_sys::get_typtype(base) != pg_sys::TYPTYPE_COMPOSITE as i8 => {
                Form::Varlena
            }
            _ => Form::Text(output_function(base)),
        }
    }
}

/// Types of Postgres's own that hold an object id, which a restore gives anew.
fn names_an_object(base: Oid) -> bool {
    const TYPES: [Oid; 13] = [
        pg_sys::REGPROCOID,
        pg_sys::REGPROCEDUREOID,
        pg_sys::REGOPEROID,
        pg_sys::REGOPERATOROID,
        pg_sys::REGCLASSOID,
        pg_sys::REGCOLLATIONOID,
        pg_sys::REGTYPEOID,
        pg_sys::REGROLEOID,
        pg_sys::REGNAMESPACEOID,
        pg_sys::REGCONFIGOID,
        pg_sys::REGDICTIONARYOID,
        pg_sys::ACLITEMOID,
        pg_sys::RECORDOID,
    ];
    TYPES.contains(&base)
}

/// # Safety
/// `value` is a non-null value of the type that `form` was made for.
unsafe fn put(bytes: &mut Vec<u8>, value: Datum, form: &Form) {
    // SAFETY: by the caller's promise the datum has the shape that each form reads.
    unsafe {
        match form {
            Form::ByValue(length) => {
                bytes.extend_from_slice(&(value.value() as u64).to_le_bytes()[..*length]);
            }
            Form::Float4 => {
                let float = f32::from_bits(value.value() as u32);
                let float = if float.is_nan() { f32::NAN } else { float };
                bytes.extend_from_slice(&float.to_bits().to_le_bytes());
            }
            Form::Float8 => {
                let float = f64::from_bits(value.value() as u64);
                let float = if float.is_nan() { f64::NAN } else { float };
                bytes.extend_from_slice(&float.to_bits().to_le_bytes());
            }
            Form::Fixed(length) => bytes
                .extend_from_slice(std::slice::from_raw_parts(value.cast_mut_ptr::<u8>(), *length)),
            Form::Varlena => {
                super::varlena::with_bytes(value, |content| put_sized(bytes, content));
            }
            Form::Array { element, oid, length, by_value, align } => {
                put_array(bytes, value, element, (*oid, *length, *by_value, *align));
            }
            Form::Text(output) => {
                let text = with_output_settings(|| pg_sys::OidOutputFunctionCall(*output, value));
                put_sized(bytes, CStr::from_ptr(text).to_bytes());
            }
        }
    }
}

/// # Safety
/// `value` is an array whose elements have `form` and the storage given.
unsafe fn put_array(
    bytes: &mut Vec<u8>,
    value: Datum,
    form: &Form,
    (oid, length, by_value, align): (Oid, i16, bool, i8),
) {
    // SAFETY: the array is detoasted first; its shape words follow its header, as arrays are
    // laid out on disk; deconstruct_array sets the three results.
    unsafe {
        let array = pg_sys::pg_detoast_datum(value.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
        let dimensions = (*array).ndim as usize;
        let shape = array.add(1).cast::<i32>();
        bytes.push(dimensions as u8);
        for word in std::slice::from_raw_parts(shape, 2 * dimensions) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let (mut elements, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
        pg_sys::deconstruct_array(
            array,
            oid,
            i32::from(length),
            by_value,
            align,
            &mut elements,
            &mut nulls,
            &mut count,
        );
        for i in 0..count as usize {
            let null = *nulls.add(i);
            bytes.push(u8::from(!null));
            if !null {
                put(bytes, *elements.add(i), form);
            }
        }
    }
}

fn put_sized(bytes: &mut Vec<u8>, value: &[u8]) {
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value);
}

fn output_function(of: Oid) -> Oid {
    let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
    // SAFETY: a catalog lookup; an unknown type raises an ERROR.
    unsafe { pg_sys::getTypeOutputInfo(of, &mut output, &mut is_varlena) };
    output
}

/// The settings are those of the whole call, and go with it, whatever the session has.
fn with_output_settings<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: a nest level of its own; GUC_ACTION_SAVE is what parallel workers may do.
    unsafe {
        let nest = pg_sys::NewGUCNestLevel();
        for (name, value) in OUTPUT_SETTINGS {
            super::rights::set_config(name, value);
        }
        let result = work();
        pg_sys::AtEOXact_GUC(false, nest);
        result
    }
}
