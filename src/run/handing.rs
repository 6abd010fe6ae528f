//! Handing over: in one transaction, committed and flushed when it returns, a batch of changes
//! is read and it is written down that they go to the publisher. What may have been sent is
//! then known after a crash; what was read past and set aside is known not to have been.

use std::collections::HashSet;

use super::job::Job;
use super::on_catalog;
use crate::catalog::position;
use crate::catalog::waiting::{self, Waiting, Wanted};
use crate::changes::change_set::{self, ChangeSet};
use crate::pg::rows::{ChangeRow, Limit};
use crate::pg::transaction::flush_at_commit;
use crate::pg::{Result, failpoint};

/// What is read at once.
pub const BATCH: Limit = Limit { rows: 1000, bytes: 8 << 20 };

/// What is to be read.
pub struct HandOver {
    /// The next changes of the change set.
    pub reads: bool,
    /// Changes that were set aside.
    pub wanted: Vec<Wanted>,
}

/// What was taken of what had been set aside.
#[derive(Default)]
pub struct Refill {
    /// The changes, and whether each is in doubt.
    pub changes: Vec<(ChangeRow, bool)>,
    pub taken: Vec<Waiting>,
    /// Of what was taken, what was set aside again: there was too much for one batch.
    pub put_back: Vec<Waiting>,
}

/// What was read.
pub struct Batch {
    pub refill: Refill,
    pub fresh: Vec<ChangeRow>,
    /// Of `fresh`, changes that an earlier runner set aside, and that were never sent.
    pub unsent: HashSet<i64>,
}

pub struct Reader<'a> {
    pub job: &'a Job,
    pub set: &'a ChangeSet<'a>,
    pub wanted: &'a change_set::Wanted,
    /// Changes up to this id have been read.
    pub after: i64,
    pub through: i64,
    /// Changes up to this id may have been set aside by an earlier runner.
    pub sift_through: i64,
}

impl Reader<'_> {
    /// Sets `overflow` aside and reads what is asked for. To be called in a transaction, after
    /// whose commit what was read may be sent.
    pub fn hand_over(&self, wanted: &HandOver, overflow: &[Waiting]) -> Result<Batch> {
        flush_at_commit()?;
        let sync_id = self.job.sync.id;
        if !overflow.is_empty() {
            on_catalog(|| waiting::put(sync_id, overflow))?;
        }
        let refill = self.refill(&wanted.wanted)?;
        let fresh = match wanted.reads {
            true => {
                self.job.on_batch(|| self.set.read(self.wanted, self.after, self.through, BATCH))?
            }
            false => Vec::new(),
        };
        let mut unsent = HashSet::new();
        if let Some(last) = fresh.last() {
            if self.after < self.sift_through {
                let sifted = on_catalog(|| waiting::take_range(sync_id, self.after, last.id))?;
                unsent.extend(sifted.iter().filter(|w| !w.in_doubt).map(|w| w.change_id));
            }
            on_catalog(|| position::set_handed_through(sync_id, last.id))?;
        }
        failpoint::reach("handing_over");
        Ok(Batch { refill, fresh, unsent })
    }

    fn refill(&self, wanted: &[Wanted]) -> Result<Refill> {
        if wanted.is_empty() {
            return Ok(Refill::default());
        }
        let sync_id = self.job.sync.id;
        let taken = on_catalog(|| waiting::take(sync_id, wanted, self.after))?;
        let ids: Vec<i64> = taken.iter().map(|w| w.change_id).collect();
        let read = self.job.on_batch(|| self.set.read_these(self.wanted, &ids, BATCH))?;
        // They are read in their order. What is after the last one was too much for one batch.
        let last = read.last().map_or(i64::MAX, |change| change.id);
        let (kept, put_back): (Vec<Waiting>, Vec<Waiting>) =
            taken.iter().partition(|w| w.change_id <= last);
        if !put_back.is_empty() {
            on_catalog(|| waiting::put(sync_id, &put_back))?;
        }
        let in_doubt: HashSet<i64> =
            kept.iter().filter(|w| w.in_doubt).map(|w| w.change_id).collect();
        let changes = read.into_iter().map(|change| {
            let is_in_doubt = in_doubt.contains(&change.id);
            (change, is_in_doubt)
        });
        Ok(Refill { changes: changes.collect(), taken, put_back })
    }
}
