//! A turn: what has been settled is put into effect, and the next changes are read, handed over,
//! rendered, and given to their lanes.

use std::time::{Duration, Instant};

use super::Pipeline;
use crate::pg::rows::Limit;
use crate::pg::transaction::{despite_cancel, transaction};
use crate::pg::{Result, failpoint};
use crate::run::handing::{self, Batch, HandOver};
use crate::run::rendering::Read;
use crate::run::settle::Settlement;
use crate::run::{CATALOG_ATTEMPTS, retried};

/// How long lanes without room may keep what comes after them from being read. A lane that
/// keeps up needs less.
pub(super) const STUCK_AFTER: Duration = Duration::from_millis(20);

impl Pipeline<'_> {
    /// What is to be read now, if anything. Nothing is before all that was read is made into
    /// messages.
    pub(super) fn next_hand_over(&mut self) -> Option<HandOver> {
        if self.has_stopped() {
            return None;
        }
        if !self.is_held_up() {
            self.stuck_since = None;
        } else if self.stuck_since.get_or_insert_with(Instant::now).elapsed() >= STUCK_AFTER {
            self.backlog.set_parked_aside(Instant::now());
            self.stuck_since = None;
            self.render();
            self.release();
        }
        if !self.unrendered.is_empty() {
            return None;
        }
        let Limit { rows, bytes } = handing::BATCH;
        let reads = !self.exhausted && self.backlog.has_room(rows, bytes);
        let wanted = self.backlog.wanted(rows, bytes, Instant::now());
        let is_due = reads || !wanted.is_empty() || (self.exhausted && self.backlog.overflows());
        is_due.then_some(HandOver { reads, wanted })
    }

    /// There is more to read, or to make messages of, and no room.
    fn is_held_up(&self) -> bool {
        let Limit { rows, bytes } = handing::BATCH;
        let has_no_room = || !self.exhausted && !self.backlog.has_room(rows, bytes);
        !self.unrendered.is_empty() || has_no_room()
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
        self.accept(&hand_over, batch);
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

    /// A batch that was handed over: it is rendered as memory has room for messages, and sent as
    /// soon as its lanes have.
    fn accept(&mut self, hand_over: &HandOver, batch: Batch) {
        failpoint::reach("handed_over");
        self.backlog.overflow_is_set_aside();
        let Batch { refill, fresh, unsent } = batch;
        for wanted in &hand_over.wanted {
            self.backlog.refilled(wanted, &refill.taken, &refill.put_back);
        }
        let set_aside = refill.changes.into_iter();
        self.unrendered.extend(set_aside.map(|(change, in_doubt)| Read { change, in_doubt }));
        if hand_over.reads {
            match fresh.last() {
                Some(last) => self.after = last.id,
                None => self.exhausted = true,
            }
            let in_doubt_through = self.in_doubt_through;
            self.unrendered.extend(fresh.into_iter().map(|change| Read {
                in_doubt: change.id <= in_doubt_through && !unsent.contains(&change.id),
                change,
            }));
        }
        self.render();
        self.release();
    }

    /// Makes messages of what was read, as far as there is room for them. If they cannot be made,
    /// what is on its way is awaited all the same, and settled.
    pub(super) fn render(&mut self) {
        let room = self.backlog.room();
        if !self.unrendered.is_empty() && room > 0 {
            self.make_messages(room);
        }
        if self.has_stopped() {
            self.give_back();
        }
    }

    fn make_messages(&mut self, room: usize) {
        self.renderer.set_with_keys(self.log.is_on());
        let (changes, unsettled) = (&mut self.unrendered, &mut self.unsettled);
        let rendered = self.renderer.render(changes, room, &self.publisher, unsettled);
        if self.renderer.is_interrupted() {
            self.look_for_cancel();
        }
        match rendered {
            Ok(entries) => entries.into_iter().for_each(|entry| self.backlog.add(entry)),
            Err(error) => {
                self.error = Some(error);
                self.cancel();
            }
        }
        self.note_unsettled();
    }
}
