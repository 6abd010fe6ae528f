//! The bytes of values of variable length.

use pgrx::pg_sys::{self, Datum};

/// How many bytes a value has when it is read: not as it is kept.
///
/// # Safety
/// `datum` is a non-null varlena.
pub unsafe fn plain_size(datum: Datum) -> usize {
    let stored: *mut pg_sys::varlena = datum.cast_mut_ptr();
    // SAFETY: by the caller's promise.
    unsafe {
        match pgrx::varatt_is_4b_c(stored) || pgrx::varatt_is_1b_e(stored) {
            true => pg_sys::toast_raw_datum_size(datum),
            false => pgrx::varsize_any(stored),
        }
    }
}

/// Gives `read` the bytes of a value, detoasted only if it has to be: each call into Postgres
/// sets up a guard against its errors, which for a short text costs more than reading it.
///
/// # Safety
/// `datum` is a non-null varlena.
pub unsafe fn with_bytes<T>(datum: Datum, read: impl FnOnce(&[u8]) -> T) -> T {
    // SAFETY: by the caller's promise; what detoasting copied is ours to free.
    unsafe {
        let stored: *mut pg_sys::varlena = datum.cast_mut_ptr();
        if !pgrx::varatt_is_4b_c(stored) && !pgrx::varatt_is_1b_e(stored) {
            return read(pgrx::varlena_to_byte_slice(stored));
        }
        let plain = pg_sys::pg_detoast_datum_packed(stored);
        let value = read(pgrx::varlena_to_byte_slice(plain));
        pg_sys::pfree(plain.cast());
        value
    }
}
