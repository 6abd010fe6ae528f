//! The request log of a run: how much of its calls is kept, and each as a row.
//!
//! Calls are written in the transaction that settles what they came to. A log that cannot be
//! written loses calls, which are counted, and holds nothing up.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use publisher::{Answered, Exchange, Level, Recording, Told};

use super::on_catalog;
use super::sender::Sender;
use super::settle::Settlement;
use crate::catalog::logging::{self, Setting};
use crate::catalog::request::{self, Request};
use crate::pg::transaction::{attempt, despite_cancel, transaction};
use crate::pg::{Error, Result, process, rights};
use crate::settings;

/// How long a lock is awaited that somebody holds on the log.
const LOCK_TIMEOUT: &str = "100ms";

/// How much of a run's calls is kept.
pub struct Log {
    sync_id: i32,
    setting: Option<Setting>,
    is_on: bool,
    /// Bytes written since the log was last cut to its size.
    written: usize,
    /// Calls that could not be written.
    lost: i64,
}

impl Log {
    pub fn new(sync_id: i32) -> Log {
        Log { sync_id, setting: None, is_on: true, written: 0, lost: 0 }
    }

    /// Whether any call may be kept.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Has what is set now take effect. In a transaction.
    pub fn begin(&mut self, sender: &Sender) -> Result<()> {
        let setting = logging::find(self.sync_id)?;
        let now = logging::in_force(self.sync_id, setting.as_ref())?;
        let recording = Recording {
            level: now.kept.0,
            calls: now.calls.and_then(|calls| u64::try_from(calls).ok()),
            afterwards: now.afterwards.map_or(now.kept.0, |kept| kept.0),
        };
        self.is_on = recording.level != Level::Off || recording.afterwards != Level::Off;
        self.setting = setting;
        sender.record(recording);
        Ok(())
    }

    /// Has it take effect if somebody has changed it, or it is over. In a transaction.
    pub fn look(&mut self, sender: &Sender) -> Result<()> {
        match logging::find(self.sync_id)? == self.setting {
            true => Ok(()),
            false => self.begin(sender),
        }
    }

    /// Notes what was written. A run that writes more than the log may hold cuts it on its way.
    pub fn has_settled(&mut self, settlement: &Settlement) {
        self.lost += settlement.lost_requests();
        self.written += settlement.requests_bytes();
        if self.written > settings::log_max_bytes() / 4 {
            self.written = 0;
            cut(self.sync_id);
        }
    }

    /// A call as it is kept. `about` says of a change its event and its key.
    pub fn row_of<'a>(
        &mut self,
        exchange: Exchange,
        about: impl Fn(i64) -> Option<(&'static str, Option<&'a str>)>,
    ) -> Request {
        let mut row = row_of(exchange, about);
        row.dropped += std::mem::take(&mut self.lost);
        row
    }
}

/// Deletes what is too old, and the oldest where there is too much, some at a time.
pub fn cut(sync_id: i32) {
    let cut = || {
        let bytes = i64::try_from(settings::log_max_bytes()).unwrap_or(i64::MAX);
        let minutes = settings::log_max_minutes();
        let through = on_log_transaction(|| request::beyond(sync_id, bytes, minutes))?;
        while on_log_transaction(|| request::delete_some(sync_id, through))? {}
        Ok(())
    };
    // The next run does it.
    if let Err(Error { message, .. }) = cut() {
        process::log(format!("the request log could not be cut: {message}"));
    }
}

fn on_log_transaction<T>(work: impl Fn() -> Result<T>) -> Result<T> {
    despite_cancel(|| transaction(|| on_log(&work)))
}

fn on_log<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    on_catalog(|| {
        rights::set_locally("lock_timeout", LOCK_TIMEOUT)?;
        work()
    })
}

/// Writes calls, in a transaction of the caller's, which goes on if they cannot be written. Returns
/// whether they were.
pub fn write(sync_id: i32, run_id: i64, requests: &[Request]) -> Result<bool> {
    match attempt(|| on_log(|| request::put(sync_id, run_id, requests))) {
        Ok(()) => Ok(true),
        Err(error) if error.is_cancel() => Err(error),
        Err(_) => Ok(false),
    }
}

fn row_of<'a>(
    exchange: Exchange,
    about: impl Fn(i64) -> Option<(&'static str, Option<&'a str>)>,
) -> Request {
    let is_answered = exchange.entries.iter().any(|told| told.result == Answered::Accepted);
    Request {
        at: seconds_of(exchange.at),
        operation: exchange.operation,
        queue: exchange.queue.to_string(),
        attempt: i32::try_from(exchange.attempt).unwrap_or(i32::MAX),
        latency_ms: exchange.latency.as_secs_f64() * 1000.0,
        status: exchange.status.map(i32::from),
        aws_request_id: exchange.request_id,
        error: exchange.error,
        entries: entries_of(&exchange.entries, about),
        request_bytes: i32::try_from(exchange.request.length()).unwrap_or(i32::MAX),
        request: exchange.request.bytes().and_then(text_of).map(str::to_owned),
        response: exchange.response.bytes().map(|bytes| answer_of(bytes, is_answered)),
        dropped: i64::try_from(exchange.dropped).unwrap_or(i64::MAX),
    }
}

/// A body that is text, and holds nothing that a text of Postgres cannot.
fn text_of(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))
}

/// The JSON of an answer: the answer, or a text of it.
fn answer_of(body: &[u8], is_answered: bool) -> String {
    match text_of(body) {
        Some(text) if is_readable(text, is_answered) => text.to_owned(),
        Some(text) => quoted(text),
        None => quoted(&String::from_utf8_lossy(body)),
    }
}

fn entries_of<'a>(
    entries: &[Told],
    about: impl Fn(i64) -> Option<(&'static str, Option<&'a str>)>,
) -> String {
    let mut text = String::with_capacity(2 + 48 * entries.len());
    text.push('[');
    for (i, Told { id, result }) in entries.iter().enumerate() {
        let (event, key) = about(*id).unwrap_or_default();
        let lead = if i > 0 { "," } else { "" };
        // Writing to a text does not fail.
        let _ = write!(text, "{lead}[{id},\"{event}\",{}", key.unwrap_or("null"));
        let (word, code, error) = match result {
            Answered::Accepted => {
                text.push(']');
                continue;
            }
            Answered::Rejected { code, error } => ("rejected", code, error),
            Answered::NotAccepted { code, error } => ("not accepted", code, error),
            Answered::InDoubt { code, error } => ("in doubt", code, error),
        };
        let code = code.as_deref().map_or_else(|| "null".to_owned(), quoted);
        let _ = write!(text, ",\"{word}\",{code},{}]", quoted(error));
    }
    text.push(']');
    text
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether Postgres takes a text for JSON, and finds its way in it: it has no zero byte, no half of
/// a surrogate pair and no endless depth. What was understood as an `answer` is JSON.
fn is_readable(text: &str, is_answer: bool) -> bool {
    const UNFIT: [&str; 3] = ["\\u0000", "\\ud", "\\uD"];
    if text.contains("\\u") && UNFIT.iter().any(|escape| text.contains(escape)) {
        return false;
    }
    (is_answer && text.len() <= SHALLOW) || serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// A JSON text of so many bytes is not too deep, whatever it holds.
const SHALLOW: usize = 4096;

fn seconds_of(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
