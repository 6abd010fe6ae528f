//! Groups of which a message has been given up, until the caller knows.
//!
//! What the caller hands over of such a group before it has taken the report would overtake the
//! message: it is given up too. There are never more of them than reports that wait, and those of
//! one round of taking.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::batch::GroupId;
use crate::error::Failure;
use crate::mailbox::Epoch;

#[derive(Default)]
pub(crate) struct GivenUp {
    groups: HashMap<GroupId, (Epoch, Arc<Failure>)>,
    /// By when they were reported.
    order: VecDeque<(Epoch, GroupId)>,
}

impl GivenUp {
    /// `reported`: when the last report of it was made.
    pub(crate) fn add(&mut self, id: GroupId, reported: Epoch, failure: &Arc<Failure>) {
        self.order.push_back((reported, id.clone()));
        self.groups.insert(id, (reported, Arc::clone(failure)));
    }

    /// Why a message of this group that was handed over in `epoch` is given up, if it is.
    pub(crate) fn failure(&mut self, id: &GroupId, epoch: Epoch) -> Option<Arc<Failure>> {
        self.forget_before(epoch);
        self.groups.get(id).map(|(_, failure)| Arc::clone(failure))
    }

    fn forget_before(&mut self, epoch: Epoch) {
        while let Some((reported, id)) = self.order.pop_front_if(|(at, _)| *at < epoch) {
            // It may have been given up again since.
            if self.groups.get(&id).is_some_and(|(last, _)| *last == reported) {
                self.groups.remove(&id);
            }
        }
    }
}
