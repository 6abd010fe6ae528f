//! `sqs_sync.logging`: how much of a sync's calls is kept. Runners read it and never write it, so
//! that a transaction that changes it and is left open holds up no run.

use publisher::Level;

use crate::pg::sql::{self, Row};
use crate::pg::{Error, Result};

/// A level by its name, with its share if it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept(pub Level);

impl Kept {
    /// What is kept where nobody has said anything.
    pub const DEFAULT: Kept = Kept(Level::Errors);
    /// The share of a sample that none was given for.
    pub const DEFAULT_SHARE: f64 = 0.01;

    pub fn parse(name: &str, share: Option<f64>) -> Option<Kept> {
        Some(Kept(match name {
            "off" => Level::Off,
            "errors" => Level::Errors,
            "sample" => Level::Sample(share.unwrap_or(Kept::DEFAULT_SHARE)),
            "all" => Level::All,
            _ => return None,
        }))
    }

    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Off => "off",
            Level::Errors => "errors",
            Level::Sample(_) => "sample",
            Level::All => "all",
        }
    }

    pub fn share(self) -> Option<f64> {
        match self.0 {
            Level::Sample(share) => Some(share),
            _ => None,
        }
    }
}

/// What was set.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub kept: Kept,
    /// It holds for so many calls after that of `after_id`; none: for as many as there are.
    pub calls: Option<i64>,
    pub after_id: i64,
    /// Seconds since 1970 at which it ends.
    pub until: Option<f64>,
    pub is_over: bool,
    /// What holds afterwards.
    pub afterwards: Kept,
}

impl Setting {
    pub fn ends(&self) -> bool {
        self.calls.is_some() || self.until.is_some()
    }
}

fn read(row: &Row<'_>) -> Result<Setting> {
    let kept = |name, share| {
        Kept::parse(&row.need::<String>(name)?, row.get(share)?)
            .ok_or_else(|| Error::internal("unrecognized level of the request log"))
    };
    Ok(Setting {
        kept: kept(1, 2)?,
        calls: row.get(3)?,
        after_id: row.need(4)?,
        until: row.get(5)?,
        is_over: row.need(6)?,
        afterwards: kept(7, 8)?,
    })
}

pub fn find(sync_id: i32) -> Result<Option<Setting>> {
    sql::row(
        "SELECT level, share, calls, after_id, pg_catalog.date_part('epoch', until), \
                COALESCE(until <= pg_catalog.clock_timestamp(), false), afterwards, afterwards_share \
         FROM sqs_sync.logging WHERE sync_id = $1",
        &[sync_id.into()],
        read,
    )
}

/// Sets it, for so many seconds if that is given.
pub fn set(sync_id: i32, setting: &Setting, seconds: Option<f64>) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.logging AS l (sync_id, level, share, calls, after_id, until, afterwards, afterwards_share) \
         VALUES ($1, $2, $3, $4, $5, pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $6), $7, $8) \
         ON CONFLICT (sync_id) DO UPDATE SET level = EXCLUDED.level, share = EXCLUDED.share, calls = EXCLUDED.calls, \
           after_id = EXCLUDED.after_id, until = EXCLUDED.until, afterwards = EXCLUDED.afterwards, \
           afterwards_share = EXCLUDED.afterwards_share",
        &[
            sync_id.into(),
            setting.kept.name().into(),
            setting.kept.share().into(),
            setting.calls.into(),
            setting.after_id.into(),
            seconds.into(),
            setting.afterwards.name().into(),
            setting.afterwards.share().into(),
        ],
    )?;
    Ok(())
}

/// What holds now: how much is kept, how many calls more (none: no limit), and what afterwards.
pub struct InForce {
    pub kept: Kept,
    pub calls: Option<i64>,
    pub until: Option<f64>,
    pub afterwards: Option<Kept>,
}

/// What holds of a setting now.
pub fn in_force(sync_id: i32, setting: Option<&Setting>) -> Result<InForce> {
    let lasting = |kept| InForce { kept, calls: None, until: None, afterwards: None };
    let Some(setting) = setting else { return Ok(lasting(Kept::DEFAULT)) };
    if !setting.ends() {
        return Ok(lasting(setting.kept));
    }
    let left = match setting.calls {
        Some(calls) => Some(calls - super::request::count_after(sync_id, setting.after_id, calls)?),
        None => None,
    };
    if setting.is_over || left.is_some_and(|left| left <= 0) {
        return Ok(lasting(setting.afterwards));
    }
    Ok(InForce {
        kept: setting.kept,
        calls: left,
        until: setting.until,
        afterwards: Some(setting.afterwards),
    })
}
