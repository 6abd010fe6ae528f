//! A turn: what has been settled is put into effect, and the next changes are read, handed over,
//! rendered, and given to their lanes.

use std::time::{Duration, Instant};

use super::Pipeline;
use crate::pg::rows::ChangeRow;
use crate::pg::transaction::{despite_cancel, transaction};
use crate::pg::{Result, failpoint};
use crate::run::backlog::Entry;
use crate::run::handing::{self, Batch, HandOver};
use crate::run::settle::Settlement;
use crate::run::{CATALOG_ATTEMPTS, retried};

/// How long lanes without room may keep what comes after them from being read. A lane that
/// keeps up needs less.
pub(super) const STUCK_AFTER: Duration = Duration::from_millis(20);

impl Pipeline<'_> {
    /// What is to be read now, if anything.
    pub(super) fn next_hand_over(&mut self) -> Option<HandOver> {
        if self.has_stopped() {
            return None;
        }
        let mut reads = false;
        if !self.exhausted {
            reads = self.backlog.has_room(handing::BATCH);
            if reads {
                self.stuck_since = None;
            } else if self.stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK_AFTER {
                self.backlog.set_parked_aside();
                self.stuck_since = None;
                reads = self.backlog.has_room(handing::BATCH);
            }
        }
        let wanted = self.backlog.wanted(handing::BATCH);
        let is_due = reads || !wanted.is_empty() || (self.exhausted && self.backlog.overflows());
        is_due.then_some(HandOver { reads, wanted })
    }

    /// Settles, and reads a batch, makes it known that it goes to the publisher, and only then
    /// renders and sends it. Both in one transaction, which saves a commit; if it does not go
    /// through, each by itself, so that what SQS has acknowledged is settled all the same.
    pub(super) fn take_turn(&mut self, hand_over: Option<HandOver>) -> Result<()> {
        let beat = if self.unsettled.has_results() { self.beat() } else { None };
        let mut settlement = self.unsettled.take();
        settlement.beat = beat;
        self.unsettled_since = None;
        let turned = self.settle_and_read(&settlement, hand_over);
        self.log.has_settled(&settlement);
        turned
    }

    fn settle_and_read(
        &mut self,
        settlement: &Settlement,
        hand_over: Option<HandOver>,
    ) -> Result<()> {
        let set = self.shape.change_set(self.job);
        let Some(hand_over) = hand_over else {
            return settlement.settle(self.job, &set);
        };
        let both = || {
            settlement.put_into_effect(self.job, &set, false)?;
            self.read(&hand_over)
        };
        let together = despite_cancel(|| transaction(both));
        let batch = match together {
            Ok(batch) => batch,
            Err(_) => {
                settlement.settle(self.job, &set)?;
                let read = || despite_cancel(|| transaction(|| self.read(&hand_over)));
                match retried(CATALOG_ATTEMPTS, read) {
                    Ok(batch) => batch,
                    // What is on its way is awaited all the same, and settled.
                    Err(error) => {
                        self.error = (!error.is_cancel()).then_some(error);
                        self.cancel();
                        return Ok(());
                    }
                }
            }
        };
        self.accept(&hand_over, &batch);
        Ok(())
    }

    fn read(&self, hand_over: &HandOver) -> Result<Batch> {
        let reader = handing::Reader {
            job: self.job,
            set: &self.shape.change_set(self.job),
            wanted: &self.wanted,
            after: self.after,
            through: self.through,
            sift_through: self.sift_through,
        };
        reader.hand_over(hand_over, self.backlog.overflow())
    }

    /// A batch that was handed over: it is rendered, and sent as soon as its lanes have room.
    fn accept(&mut self, hand_over: &HandOver, batch: &Batch) {
        failpoint::reach("handed_over");
        self.backlog.overflow_is_set_aside();
        let refill = batch.refill.changes.iter().map(|(change, in_doubt)| (change, *in_doubt));
        for entry in self.render(refill) {
            self.backlog.add_refill(entry);
        }
        for wanted in &hand_over.wanted {
            self.backlog.refilled(wanted, &batch.refill.taken, &batch.refill.put_back);
        }
        if hand_over.reads {
            self.accept_fresh(batch);
        }
        if self.has_stopped() {
            self.unsettled.add_unsent(self.backlog.give_back());
        }
        self.note_unsettled();
        self.release();
    }

    /// Changes that are read for the first time.
    fn accept_fresh(&mut self, batch: &Batch) {
        match batch.fresh.last() {
            Some(last) => self.after = last.id,
            None => self.exhausted = true,
        }
        let in_doubt_through = self.in_doubt_through;
        let fresh = batch.fresh.iter().map(|change| {
            (change, change.id <= in_doubt_through && !batch.unsent.contains(&change.id))
        });
        for entry in self.render(fresh) {
            self.backlog.add(entry);
        }
    }

    /// The messages of changes, each with whether it is in doubt. If they cannot be made, what is
    /// on its way is awaited all the same, and settled.
    fn render<'c>(&mut self, changes: impl Iterator<Item = (&'c ChangeRow, bool)>) -> Vec<Entry> {
        self.renderer.set_with_keys(self.log.is_on());
        let rendered = self.renderer.render(changes, &self.publisher, &mut self.unsettled);
        if self.renderer.is_interrupted() {
            self.look_for_cancel();
        }
        rendered.unwrap_or_else(|error| {
            self.error = Some(error);
            self.cancel();
            Vec::new()
        })
    }
}
