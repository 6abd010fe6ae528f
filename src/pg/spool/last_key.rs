//! The key of the row before: rows come in the order of the key, so that to compare each with its
//! neighbour shows which keys are not unique. Compared by the equality of the key's types.

use std::ffi::CStr;

use pgrx::pg_sys;

/// How two values of a key column are compared, and copied.
struct KeyColumn {
    equal: *mut pg_sys::FmgrInfo,
    collation: pg_sys::Oid,
    length: i16,
    by_value: bool,
    /// Values are equal exactly if their datums are.
    by_bits: bool,
}

impl KeyColumn {
    const BY_BITS: [pg_sys::Oid; 7] = [
        pg_sys::INT2OID,
        pg_sys::INT4OID,
        pg_sys::INT8OID,
        pg_sys::OIDOID,
        pg_sys::DATEOID,
        pg_sys::TIMESTAMPOID,
        pg_sys::TIMESTAMPTZOID,
    ];
}

pub(super) struct LastKey {
    columns: Vec<KeyColumn>,
    /// Its values, held in `memory`; none before the first row.
    values: Option<Vec<pg_sys::Datum>>,
    memory: Scratch,
    /// What functions of types leave behind.
    pub(super) scratch: Scratch,
}

impl LastKey {
    /// # Safety
    /// In a memory context that lives longer than what is made here.
    pub(super) unsafe fn new() -> LastKey {
        // SAFETY: by the caller's promise.
        let (memory, scratch) =
            unsafe { (Scratch::new(c"sqs_sync key"), Scratch::new(c"sqs_sync comparison")) };
        LastKey { columns: Vec::new(), values: None, memory, scratch }
    }

    /// # Safety
    /// The column's type has an equality, and the type cache keeps what it gives.
    pub(super) unsafe fn add(&mut self, column: &pg_sys::FormData_pg_attribute) {
        // SAFETY: by the caller's promise.
        let equal = unsafe {
            let entry =
                pg_sys::lookup_type_cache(column.atttypid, pg_sys::TYPECACHE_EQ_OPR_FINFO as i32);
            &raw mut (*entry).eq_opr_finfo
        };
        self.columns.push(KeyColumn {
            equal,
            collation: column.attcollation,
            length: column.attlen,
            by_value: column.attbyval,
            by_bits: column.attbyval && KeyColumn::BY_BITS.contains(&column.atttypid),
        });
    }

    /// What the snapshot's index needs for a key.
    ///
    /// # Safety
    /// `key` holds non-null values of the columns' types.
    pub(super) unsafe fn bytes_of(&self, key: &[pg_sys::Datum]) -> usize {
        let sizes = self.columns.iter().zip(key).map(|(column, value)| match column.length {
            // SAFETY: a type of length -1 is a varlena.
            -1 => unsafe { pg_sys::toast_raw_datum_size(*value) },
            length => length.unsigned_abs() as usize,
        });
        // Each column of an index begins at a multiple of eight at the most.
        sizes.map(|size| size.next_multiple_of(8)).sum()
    }

    /// # Safety
    /// As `bytes_of`.
    pub(super) unsafe fn is(&self, key: &[pg_sys::Datum]) -> bool {
        let Some(values) = &self.values else { return false };
        let mut pairs = self.columns.iter().zip(values).zip(key);
        // SAFETY: both are values of the column's type, and the function its equality, which
        // returns a boolean: nothing that it allocates is needed afterwards.
        unsafe {
            self.scratch.run(|| {
                pairs.all(|((column, before), now)| {
                    if column.by_bits {
                        return before.value() == now.value();
                    }
                    let equal = column.equal;
                    pg_sys::FunctionCall2Coll(equal, column.collation, *before, *now).value() & 0xff
                        != 0
                })
            })
        }
    }

    /// # Safety
    /// As `bytes_of`.
    pub(super) unsafe fn become_that(&mut self, key: &[pg_sys::Datum]) {
        let LastKey { columns, values, memory, .. } = self;
        let copies = values.get_or_insert_default();
        copies.clear();
        // SAFETY: the old copies are no longer referred to; the new ones go to that memory.
        unsafe {
            memory.empty();
            memory.enter(|| {
                for (column, value) in columns.iter().zip(key) {
                    copies.push(match column.by_value {
                        true => *value,
                        false => pg_sys::ffi::pg_guard_ffi_boundary(|| {
                            datumCopy(*value, false, i32::from(column.length))
                        }),
                    });
                }
            });
        }
    }
}

/// A small memory context of its own.
pub(super) struct Scratch(pg_sys::MemoryContext);

impl Scratch {
    /// # Safety
    /// In a memory context that lives longer than this.
    unsafe fn new(name: &'static CStr) -> Scratch {
        // SAFETY: by the caller's promise; the name lives for ever.
        Scratch(unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                name.as_ptr(),
                pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
                pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
                pg_sys::ALLOCSET_SMALL_MAXSIZE as usize,
            )
        })
    }

    /// Runs `work`, whose result refers to nothing that it has allocated of Postgres.
    ///
    /// # Safety
    /// Nothing in this context is referred to any more.
    pub(super) unsafe fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: by the caller's promise.
        unsafe {
            let result = self.enter(work);
            self.empty();
            result
        }
    }

    /// # Safety
    /// The context exists.
    unsafe fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: an ERROR in `work` has Postgres choose a context of its own.
        unsafe {
            let outer = pg_sys::CurrentMemoryContext;
            pg_sys::CurrentMemoryContext = self.0;
            let result = work();
            pg_sys::CurrentMemoryContext = outer;
            result
        }
    }

    /// # Safety
    /// Nothing in this context is referred to any more.
    unsafe fn empty(&self) {
        // SAFETY: by the caller's promise.
        unsafe {
            if !(*self.0).isReset {
                pg_sys::MemoryContextReset(self.0);
            }
        }
    }
}

unsafe extern "C-unwind" {
    fn datumCopy(value: pg_sys::Datum, by_value: bool, length: i32) -> pg_sys::Datum;
}
