//! Conditions held against what is known, and what of that is news: in one transaction the
//! standings move and the messages are queued, so that each change of state is told once,
//! whatever dies in between.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use notifier::{
    Alert as Message, Condition, Facts, Finding, News, Policy, Standing, Subject, Verdict, Watched,
    judge,
};

use super::facts::{self, epoch, time};
use crate::catalog::alert::{self, Alert, Changed, Pair};
use crate::catalog::delivery;
use crate::pg::transaction::transaction_in_passing;
use crate::pg::{Error, Result, sql};

/// Syncs that are looked at in one transaction, and the alerts of these.
const SYNCS: i64 = 100;
const PAIRS: i64 = 1000;

/// How far a sweep over all syncs has come: the sync and the alert that were judged last.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    after: (i32, i32),
    /// As it was when the sweep began.
    worker_seen_at: Option<SystemTime>,
}

/// What is to be written.
#[derive(Default)]
struct Written {
    changed: Vec<Changed>,
    queued: Vec<delivery::New>,
}

/// Whether there is an alert at all.
pub fn is_needed() -> Result<bool> {
    transaction_in_passing(alert::exists)
}

/// Begins to look at all syncs, by what is known of the database.
pub fn begin() -> Result<Sweep> {
    transaction_in_passing(|| {
        let worker_seen_at = alert::worker_seen_at()?.map(time);
        let pairs = alert::of_database(PAIRS)?;
        judge_all(&pairs, &HashMap::new(), worker_seen_at)?;
        Ok(Sweep { after: (0, 0), worker_seen_at })
    })
}

/// Goes on with a sweep, by one transaction of milliseconds; None once it is through.
pub fn go_on(sweep: Sweep) -> Result<Option<Sweep>> {
    transaction_in_passing(|| {
        let syncs = alert::watched_syncs(sweep.after.0, SYNCS)?;
        let after = judge_syncs(&syncs, sweep)?;
        match syncs.len() as i64 == SYNCS || after.1 < i32::MAX {
            true => Ok(Some(Sweep { after, ..sweep })),
            false => {
                tell_of_unwatched()?;
                alert::worker_is_there()?;
                Ok(None)
            }
        }
    })
}

/// Looks at some syncs alone, of which something is new.
pub fn look_at(syncs: &[i32]) -> Result<()> {
    transaction_in_passing(|| {
        let worker_seen_at = alert::worker_seen_at()?.map(time);
        judge_syncs(syncs, Sweep { after: (0, 0), worker_seen_at }).map(|_| ())
    })
}

/// Judges the alerts of these syncs behind the last one. Returns which was the last one now.
fn judge_syncs(syncs: &[i32], sweep: Sweep) -> Result<(i32, i32)> {
    let pairs = alert::pairs(syncs, sweep.after, PAIRS)?;
    let mut of_pairs: Vec<i32> = pairs.iter().map(|pair| pair.sync_id).collect();
    of_pairs.dedup();
    let known = facts::read(&of_pairs, sweep.worker_seen_at)?;
    judge_all(&pairs, &known, sweep.worker_seen_at)?;
    let last = pairs.last().filter(|_| pairs.len() as i64 == PAIRS);
    Ok(match last {
        Some(pair) => (pair.sync_id, pair.alert.id),
        None => (syncs.last().copied().unwrap_or(i32::MAX), i32::MAX),
    })
}

fn judge_all(
    pairs: &[Pair],
    known: &HashMap<i32, Facts>,
    worker_seen_at: Option<SystemTime>,
) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let (now, database) = (SystemTime::now(), database_name()?);
    let of_database = facts::of_database(worker_seen_at);
    let mut news = Written::default();
    for pair in pairs {
        let facts = if pair.sync_id == 0 { Some(&of_database) } else { known.get(&pair.sync_id) };
        let Some(facts) = facts else { continue };
        let verdict = match pair.shows_rows {
            true => verdict(&pair.alert, facts, now)?,
            false => verdict(&pair.alert, &facts::without_rows(facts), now)?,
        };
        news.add(pair, &verdict, &database, now)?;
    }
    news.write()
}

fn verdict(alert: &Alert, facts: &Facts, now: SystemTime) -> Result<Verdict> {
    let condition = condition(alert)?;
    // Nobody looked for the worker before there was the alert.
    let seen = facts.worker_seen_at.max(Some(time(alert.created_at)));
    match condition {
        Condition::WorkerDown { .. } => {
            let facts = Facts { worker_seen_at: seen, ..facts::of_database(None) };
            Ok(judge(condition, &facts, now))
        }
        _ => Ok(judge(condition, facts, now)),
    }
}

pub fn condition(alert: &Alert) -> Result<Condition> {
    let within =
        alert.within.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
    Condition::new(&alert.condition, alert.over.as_deref(), within).map_err(Error::from)
}

/// What a message is about.
pub fn watched(alert: &Alert, sync: Option<&str>, database: &str) -> Result<Watched> {
    Ok(Watched {
        name: alert.name.clone(),
        subject: sync.map_or(Subject::All, |name| Subject::Sync(name.to_owned())),
        condition: condition(alert)?.kind(),
        database: database.to_owned(),
        dedup_key: match sync {
            Some(sync) => format!("sqs_sync/{}/{sync}", alert.uuid),
            None => format!("sqs_sync/{}", alert.uuid),
        },
    })
}

pub fn database_name() -> Result<String> {
    sql::value("SELECT pg_catalog.current_database()::text", &[])
}

/// A message as it is kept until it is delivered.
pub fn kept(alert_id: i32, sync: Option<String>, message: &Message) -> Result<delivery::New> {
    Ok(delivery::New {
        alert_id,
        sync,
        news: message.news.name(),
        title: message.title.clone(),
        summary: message.summary.clone(),
        message: serde_json::to_string(message)
            .map_err(|error| Error::internal(format!("an alert cannot be kept: {error}")))?,
    })
}

impl Written {
    /// What of a verdict is news.
    fn add(
        &mut self,
        pair: &Pair,
        verdict: &Verdict,
        database: &str,
        now: SystemTime,
    ) -> Result<()> {
        let before = standing(pair);
        let policy = Policy {
            remind_every: pair
                .alert
                .remind_every
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            silenced_until: pair.alert.silenced_until.map(time),
        };
        let (after, news) = before.step(verdict, &policy, now);
        if after == before {
            return Ok(());
        }
        let finding = match verdict {
            Verdict::Firing(finding) | Verdict::Clear(finding) => finding,
            Verdict::Unknown => return Ok(()),
        };
        self.changed.push(Changed {
            alert_id: pair.alert.id,
            sync_id: pair.sync_id,
            sync: pair.sync.clone(),
            standing: alert::Standing {
                is_firing: after.is_firing,
                since: epoch(after.since),
                told_at: after.told_at.map(epoch),
            },
            summary: finding.summary.clone(),
        });
        match news {
            Some(news) => self.tell(pair, news, finding, database, now),
            None => Ok(()),
        }
    }

    fn tell(
        &mut self,
        pair: &Pair,
        news: News,
        finding: &Finding,
        database: &str,
        now: SystemTime,
    ) -> Result<()> {
        let watched = watched(&pair.alert, pair.sync.as_deref(), database)?;
        // Its id is that of its row, which there is not yet.
        let message = Message::telling(String::new(), &watched, news, finding, now);
        self.queued.push(kept(pair.alert.id, pair.sync.clone(), &message)?);
        Ok(())
    }

    /// Alerts that somebody is dropping are left alone: nobody waits for him.
    fn write(mut self) -> Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let mut ids: Vec<i32> = self.changed.iter().map(|changed| changed.alert_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let there = alert::keep(&ids)?;
        self.changed.retain(|changed| there.contains(&changed.alert_id));
        self.queued.retain(|queued| there.contains(&queued.alert_id));
        alert::set_standings(&self.changed)?;
        delivery::queue(&self.queued)
    }
}

fn standing(pair: &Pair) -> Standing {
    match pair.standing {
        None => Standing::new(time(pair.alert.created_at)),
        Some(kept) => Standing {
            is_firing: kept.is_firing,
            since: time(kept.since),
            told_at: kept.told_at.map(time),
        },
    }
}

/// A channel that was told of a sync is told when that is watched no longer.
fn tell_of_unwatched() -> Result<()> {
    let pairs = alert::unwatched(PAIRS)?;
    if pairs.is_empty() {
        return Ok(());
    }
    let ids: Vec<i32> = pairs.iter().map(|pair| pair.alert.id).collect();
    let there = alert::keep(&ids)?;
    let (now, database) = (SystemTime::now(), database_name()?);
    let mut news = Written::default();
    let mut gone = Vec::new();
    for pair in pairs.iter().filter(|pair| there.contains(&pair.alert.id)) {
        gone.push((pair.alert.id, pair.sync_id));
        if pair.standing.is_some_and(|standing| standing.told_at.is_some()) {
            let finding = Finding {
                since: now,
                summary: "the alert watches the sync no longer".to_owned(),
                details: Vec::new(),
                hint: None,
            };
            news.tell(pair, News::Recovered, &finding, &database, now)?;
        }
    }
    delivery::queue(&news.queued)?;
    alert::forget_standings(&gone)
}
