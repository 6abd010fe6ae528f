//! The one error type of the extension: what Postgres shows (SQLSTATE, message, detail and
//! hint), as a value that can be returned, stored in a run, or raised at the SQL edge.

use pgrx::pg_sys::panic::{CaughtError, ErrorReport, ErrorReportWithLevel};
use pgrx::prelude::PgTryBuilder;
use pgrx::{PgSqlErrorCode, spi};

pub type Result<T> = std::result::Result<T, Error>;

/// Letters of a name that an error repeats.
const SHOWN_LETTERS: usize = 200;

/// A name of the user's, cut where it is so long that it would fill the log.
pub fn shown(name: &str) -> &str {
    name.char_indices().nth(SHOWN_LETTERS).map_or(name, |(end, _)| &name[..end])
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub code: PgSqlErrorCode,
    /// Lower case, no full stop; names the sync, column, key or option.
    pub message: String,
    pub detail: Option<String>,
    /// Sentences that say what to do.
    pub hint: Option<String>,
}

impl Error {
    pub fn new(code: PgSqlErrorCode, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), detail: None, hint: None }
    }

    /// An option that the caller gave is wrong (22023).
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
    }

    /// Something that our own code relies on does not hold (XX000).
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message)
    }

    /// The thing is there, but not in a state in which this can be done (55000).
    pub fn not_in_state(message: impl Into<String>) -> Error {
        Error::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Error {
        self.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Names the sync in front of the message.
    pub fn in_sync(mut self, name: &str) -> Error {
        self.message = format!("sync \"{name}\": {}", self.message);
        self
    }

    /// A cancel that a user asked for: `pg_cancel_backend`, `sqs_sync_cancel`, a timeout.
    pub fn is_cancel(&self) -> bool {
        self.code == PgSqlErrorCode::ERRCODE_QUERY_CANCELED
    }

    /// The five letters of the SQLSTATE, which Postgres packs six bits each.
    pub fn sqlstate(&self) -> String {
        let packed = self.code as i32;
        (0..5).map(|i| char::from(((packed >> (6 * i)) & 0x3f) as u8 + b'0')).collect()
    }

    /// A name in a statement is not found.
    pub fn is_undefined_name(&self) -> bool {
        matches!(
            self.code,
            PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE
                | PgSqlErrorCode::ERRCODE_UNDEFINED_FUNCTION
                | PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT
                | PgSqlErrorCode::ERRCODE_INVALID_SCHEMA_NAME
        )
    }

    /// Somebody else was in the way: the same may go through when it is tried again.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.code,
            PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE
                | PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE
                | PgSqlErrorCode::ERRCODE_T_R_DEADLOCK_DETECTED
                | PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION
        )
    }

    /// The message with its detail, for where there is room for one text only.
    pub fn with_detail(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} ({detail})", self.message),
            None => self.message.clone(),
        }
    }

    /// The code that five letters stand for.
    pub fn code_of(sqlstate: Option<&str>) -> PgSqlErrorCode {
        let packed = sqlstate.map(|letters| {
            letters.bytes().enumerate().fold(0, |packed, (i, letter)| {
                packed | (i32::from(letter.wrapping_sub(b'0') & 0x3f) << (6 * i))
            })
        });
        packed.map_or(PgSqlErrorCode::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION, PgSqlErrorCode::from)
    }

    pub fn from_caught(caught: CaughtError) -> Error {
        match caught {
            CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => {
                Error::from(&report)
            }
            CaughtError::RustPanic { ereport, .. } => Error::from(&ereport),
        }
    }
}

/// Returns what `work` raises as a value. The transaction, or a savepoint around it, has to be
/// rolled back all the same.
pub fn catching<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    PgTryBuilder::new(std::panic::AssertUnwindSafe(work))
        .catch_others(|caught| Err(Error::from_caught(caught)))
        .execute()
}

impl From<&ErrorReportWithLevel> for Error {
    fn from(report: &ErrorReportWithLevel) -> Error {
        Error {
            code: report.sql_error_code(),
            message: report.message().to_owned(),
            detail: report.detail().map(str::to_owned),
            hint: report.hint().map(str::to_owned),
        }
    }
}

impl From<message::DefinitionError> for Error {
    fn from(error: message::DefinitionError) -> Error {
        let code = match error.kind() {
            message::ErrorKind::Invalid => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            message::ErrorKind::UndefinedColumn => PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
            message::ErrorKind::NotAllowed => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        };
        let message = match error.property() {
            "body" | "key" => error.to_string(),
            property => format!("{property}: {error}"),
        };
        let message = match error.event() {
            Some(event) => format!("{event}: {message}"),
            None => message,
        };
        Error { hint: error.hint().map(str::to_owned), ..Error::new(code, message) }
    }
}

impl From<spi::SpiError> for Error {
    fn from(error: spi::SpiError) -> Error {
        Error::internal(error.to_string())
    }
}

impl From<Error> for ErrorReport {
    fn from(error: Error) -> ErrorReport {
        let mut report = ErrorReport::new(error.code, error.message, "sqs_sync");
        if let Some(detail) = error.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = error.hint {
            report = report.set_hint(hint);
        }
        report
    }
}
