//! `sqs_sync_log`: how much of a sync's calls to SQS is kept. `sqs_sync_trace`: the story of one row.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::prelude::*;

use super::access::{own_sync, readable_sync};
use super::previews::owned;
use super::syncs::{Answer, required};
use crate::catalog::logging::{self, InForce, Kept, Setting};
use crate::catalog::request;
use crate::look::trace::{self, Step};
use crate::pg::rights::as_superuser;
use crate::pg::{Error, Result};

/// How long all calls are kept where nothing is said of an end, in seconds.
const ALL_FOR: f64 = 3600.0;
const LEVELS: &str = "It is 'off', 'errors' (calls that failed, or in which a message did), 'sample' (those, and a share of the others) or 'all'.";

type State = TableIterator<
    'static,
    (
        name!(level, String),
        name!(share, Option<f64>),
        name!(calls, Option<i64>),
        name!(until, Option<TimestampWithTimeZone>),
        name!(afterwards, Option<String>),
    ),
>;

#[pg_extern(sql = false)]
fn sqs_sync_log(
    name: Option<&str>,
    level: Option<&str>,
    share: Option<f64>,
    calls: Option<i64>,
    lasting: Option<Interval>,
) -> Answer<State> {
    let log = || {
        let name = required("name", name)?;
        let wish = Wish { level, share, calls, seconds: lasting.map(seconds).transpose()? };
        let sync_id = match wish.is_none() {
            true => readable_sync(name)?.sync.id,
            false => {
                let kept = wish.check()?;
                let own = own_sync(name)?;
                as_superuser(|| set(own.sync.id, kept, &wish))?;
                own.sync.id
            }
        };
        as_superuser(|| logging::in_force(sync_id, logging::find(sync_id)?.as_ref())).map(shown)
    };
    log().map_err(|error: Error| error.into())
}

struct Wish<'a> {
    level: Option<&'a str>,
    share: Option<f64>,
    calls: Option<i64>,
    seconds: Option<f64>,
}

impl Wish<'_> {
    fn is_none(&self) -> bool {
        self.level.is_none()
            && self.share.is_none()
            && self.calls.is_none()
            && self.seconds.is_none()
    }

    fn check(&self) -> Result<Kept> {
        let level = required("level", self.level)?;
        let kept = Kept::parse(level, self.share).ok_or_else(|| {
            Error::invalid(format!(
                "unrecognized value of level: \"{}\"",
                crate::pg::error::shown(level)
            ))
            .hint(LEVELS)
        })?;
        if self.share.is_some() && kept.share().is_none() {
            return Err(Error::invalid(format!("level \"{level}\" has no share"))
                .hint("A share goes with the level 'sample'."));
        }
        if kept.share().is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            return Err(Error::invalid("share is not above 0 and at most 1")
                .hint("0.01 keeps one call in a hundred."));
        }
        if (self.calls.is_some() || self.seconds.is_some()) && matches!(level, "off" | "errors") {
            return Err(Error::invalid(format!("level \"{level}\" has no end"))
                .hint("calls and lasting go with the levels 'sample' and 'all'."));
        }
        if self.calls.is_some_and(|calls| calls < 1) {
            return Err(Error::invalid("calls is not above 0"));
        }
        Ok(kept)
    }
}

fn seconds(lasting: Interval) -> Result<f64> {
    let seconds = lasting.as_micros() as f64 / 1e6;
    match seconds > 0.0 && seconds <= MAX_SECONDS {
        true => Ok(seconds),
        false => Err(Error::invalid("lasting is not above 0 and at most a year")),
    }
}

const MAX_SECONDS: f64 = 366.0 * 86_400.0;

/// With raised rights. What ends falls back to what lasts.
fn set(sync_id: i32, kept: Kept, wish: &Wish<'_>) -> Result<()> {
    let lasts = match logging::find(sync_id)? {
        Some(before) if before.ends() => before.afterwards,
        Some(before) => before.kept,
        None => Kept::DEFAULT,
    };
    let is_all = kept.name() == "all" && wish.calls.is_none();
    let seconds = wish.seconds.or(is_all.then_some(ALL_FOR));
    let ends = wish.calls.is_some() || seconds.is_some();
    let setting = Setting {
        kept,
        calls: wish.calls,
        after_id: request::last_id()?,
        until: None,
        is_over: false,
        afterwards: if ends { lasts } else { kept },
    };
    logging::set(sync_id, &setting, seconds)
}

fn shown(now: InForce) -> State {
    let until = now.until.and_then(|seconds| to_timestamp(seconds).into());
    TableIterator::once((
        now.kept.name().to_owned(),
        now.kept.share(),
        now.calls,
        until,
        now.afterwards.map(|kept| kept.name().to_owned()),
    ))
}

type Story = TableIterator<
    'static,
    (
        name!(at, Option<TimestampWithTimeZone>),
        name!(what, String),
        name!(event, Option<String>),
        name!(run_id, Option<i64>),
        name!(change_id, Option<i64>),
        name!(message_id, Option<String>),
        name!(code, Option<String>),
        name!(detail, Option<String>),
        name!(request_id, Option<i64>),
    ),
>;

#[pg_extern(sql = false)]
fn sqs_sync_trace(name: Option<&str>, key: Option<&str>) -> Answer<Story> {
    let trace = || {
        let owned = owned("sqs_sync_trace", name)?;
        let steps = trace::trace(&owned, required("key", key)?)?;
        Ok(TableIterator::new(steps.into_iter().map(|s| {
            let Step { at, what, event, run_id, change_id, message_id, code, detail, request_id } =
                s;
            (at, what, event, run_id, change_id, message_id, code, detail, request_id)
        })))
    };
    trace().map_err(|error: Error| error.into())
}
