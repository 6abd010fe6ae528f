//! `sqs_sync_schedule`, `unschedule` and `sqs_sync_run_after`: when a sync runs by itself. Times
//! are pg_cron's: a job of the caller's there, which shows in `cron.job` as any other does.

use cronexpr::{Crontab, MakeTimestamp};
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::access::{own_sync, readable_sync};
use super::syncs::Answer;
use crate::catalog;
use crate::changes::model::role_name;
use crate::pg::rights::{self, as_superuser};
use crate::pg::{Error, Result, sql};

#[pg_extern(sql = false)]
fn sqs_sync_schedule(name: &str, schedule: &str) -> Answer<i64> {
    let schedule = || {
        readable_sync(name)?.owner()?;
        parse(schedule, "UTC")?;
        check_cron(name, schedule)?;
        let run: String = as_superuser(|| {
            sql::value(
                "SELECT pg_catalog.format('SELECT %I.sqs_sync_run(%L)', n.nspname, $1) \
                 FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                 WHERE e.extname = 'sqs_sync'",
                &[name.into()],
            )
        })?;
        let job = job_name(name);
        sql::returning(
            "SELECT cron.schedule($1, $2, $3)",
            &[job.into(), schedule.into(), run.into()],
            |row| row.need(1),
        )?
        .pop()
        .ok_or_else(|| Error::internal("pg_cron gave no job"))
    };
    schedule().map_err(ErrorReport::from)
}

#[pg_extern(sql = false)]
fn sqs_sync_unschedule(name: &str) -> Answer<bool> {
    let unschedule = || {
        readable_sync(name)?;
        let has_cron = as_superuser(has_cron)?;
        if !has_cron {
            return Ok(false);
        }
        let jobs: Vec<i64> = sql::rows(
            "SELECT jobid FROM cron.job WHERE jobname = $1 AND database = pg_catalog.current_database()",
            &[job_name(name).into()],
            |row| row.need(1),
        )?;
        for job in &jobs {
            sql::returning("SELECT cron.unschedule($1)", &[(*job).into()], |_| Ok(()))?;
        }
        Ok(!jobs.is_empty())
    };
    unschedule().map_err(|error: Error| error.into())
}

/// What a sync's job is called in pg_cron.
fn job_name(sync: &str) -> String {
    format!("sqs_sync {sync}")
}

fn has_cron() -> Result<bool> {
    sql::value(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'pg_cron')",
        &[],
    )
}

/// pg_cron must be in this database, and the caller must be let in.
fn check_cron(name: &str, schedule: &str) -> Result<()> {
    let caller = rights::current_user();
    if as_superuser(has_cron)? {
        let may: bool = sql::value(
            "SELECT pg_catalog.has_schema_privilege($1, 'cron', 'USAGE')",
            &[caller.into()],
        )?;
        let role = role_name(caller)?;
        return match may {
            true => Ok(()),
            false => Err(Error::new(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                "permission denied for schema cron",
            )
            .hint(format!("GRANT USAGE ON SCHEMA cron TO {role}."))),
        };
    }
    let home: Option<String> =
        sql::row("SELECT pg_catalog.current_setting('cron.database_name', true)", &[], |row| {
            row.get(1)
        })?
        .flatten();
    let error = Error::new(
        PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
        format!("sync \"{name}\" cannot be scheduled: pg_cron is not in this database"),
    );
    Err(match home {
        Some(home) => error.hint(format!(
            "It is set up for the database {home}. There a superuser calls cron.schedule_in_database({}, {}, {}, {}, {}).",
            spi::quote_literal(job_name(name)),
            spi::quote_literal(schedule),
            spi::quote_literal(format!("SELECT sqs_sync_run({})", spi::quote_literal(name))),
            spi::quote_literal(sql::value::<String>("SELECT pg_catalog.current_database()::text", &[])?),
            spi::quote_literal(role_name(caller)?),
        )),
        None => error.hint("Install the package of pg_cron for this Postgres, add it to shared_preload_libraries, set cron.database_name to this database, restart, and CREATE EXTENSION pg_cron. Anything else that calls sqs_sync_run at times will do, too."),
    })
}

/// Reads the five fields that pg_cron knows.
fn parse(schedule: &str, time_zone: &str) -> Result<Crontab> {
    // Its last line says what is wrong, below a picture of where.
    let malformed = |error: cronexpr::Error| {
        let said = error.to_string();
        let reason = said.lines().last().unwrap_or_default().trim_start_matches([' ', '^']);
        Error::invalid(format!("schedule is no cron expression: {reason}"))
            .hint("It has five fields: minute, hour, day of the month, month and day of the week: '*/5 * * * *'.")
    };
    if schedule.split_whitespace().count() != 5 {
        return Err(Error::invalid("schedule has not five fields").hint(
            "They are minute, hour, day of the month, month and day of the week: '*/5 * * * *'.",
        ));
    }
    cronexpr::parse_crontab(&format!("{schedule} {time_zone}")).map_err(malformed)
}

/// When a schedule comes next after a time, both in seconds since 1970, in the time zone that
/// pg_cron has. None for what is no such schedule: pg_cron knows others.
#[pg_extern(sql = false)]
fn next_time(schedule: &str, time_zone: &str, after: f64) -> Option<f64> {
    let zone = if time_zone.eq_ignore_ascii_case("gmt") { "UTC" } else { time_zone };
    let after = MakeTimestamp::from_second(after as i64).ok()?;
    let next = parse(schedule, zone).ok()?.find_next(after).ok()?;
    Some(next.timestamp().as_second() as f64)
}

#[pg_extern(sql = false)]
fn sqs_sync_run_after(name: Option<&str>, after: Option<&str>) -> Answer<()> {
    let run_after = || {
        let own = own_sync(super::syncs::required("name", name)?)?;
        own.owner()?;
        match after {
            None => as_superuser(|| catalog::sequence::unset(own.sync.id)).map(|_| ()),
            Some(after) => {
                let before = readable_sync(after)?;
                as_superuser(|| catalog::sequence::set(own.sync.id, before.sync.id))
                    .map_err(|error| error.in_sync(&own.sync.name))
            }
        }
    };
    run_after().map_err(ErrorReport::from)
}
