//! The lanes of all queues, each found by what its queue is called.
//!
//! A row may name its queue, so that there can be as many queues as rows. Only [`AT_REST`] lanes
//! are kept of which nothing is under way: beyond that, one of them gives its place to a queue that
//! is new. What it knew is forgotten, and asked of SQS again if need be.

use std::collections::HashMap;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::connection::Settings;
use crate::error::Trouble;
use crate::lane::{Address, Lane};
use crate::mailbox::{Epoch, Message};
use crate::queue::{Located, path_of};

/// Lanes beyond which one at rest makes room for a new one.
const AT_REST: usize = 1000;

#[derive(Default)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    /// The lane of each queue, by what it is called,
    by_name: HashMap<Arc<str>, usize>,
    /// and by the path of its URL, once that is known.
    by_path: HashMap<String, usize>,
    /// Where a lane at rest is looked for next.
    hand: usize,
    /// When the latest messages were handed over.
    epoch: Epoch,
}

impl Lanes {
    /// Adds a message that was handed over in `epoch`. `locate` reads what its queue is called.
    pub(crate) fn add(
        &mut self,
        message: Message,
        epoch: Epoch,
        settings: &Settings,
        locate: impl FnOnce(&str) -> Result<Located, Trouble>,
    ) {
        self.epoch = self.epoch.max(epoch);
        let index = match self.by_name.get(&message.outgoing.queue) {
            Some(index) => *index,
            None => self.called(&message.outgoing.queue, settings, locate),
        };
        self.lanes[index].add(message, epoch);
    }

    /// The lane of a queue that was not called so before, or is not remembered.
    fn called(
        &mut self,
        queue: &Arc<str>,
        settings: &Settings,
        locate: impl FnOnce(&str) -> Result<Located, Trouble>,
    ) -> usize {
        let address = match locate(queue) {
            Ok(Located::Url(url)) => Address::Url(url.into()),
            Ok(Located::Name) => Address::Unknown,
            Err(trouble) => Address::Failed(Arc::new(trouble.failure())),
        };
        let path = match &address {
            Address::Url(url) => Some(path_of(url).to_owned()),
            _ => None,
        };
        let known = path.as_ref().and_then(|path| self.by_path.get(path).copied());
        let index = known.unwrap_or_else(|| {
            let index = self.place(Lane::new(Arc::clone(queue), address, settings));
            self.by_path.extend(path.map(|path| (path, index)));
            index
        });
        self.by_name.insert(Arc::clone(queue), index);
        index
    }

    /// Puts a lane where there is room for it.
    fn place(&mut self, lane: Lane) -> usize {
        let Some(index) = self.at_rest() else {
            self.lanes.push(lane);
            return self.lanes.len() - 1;
        };
        self.by_name.retain(|_, of| *of != index);
        self.by_path.retain(|_, of| *of != index);
        self.lanes[index] = lane;
        index
    }

    /// A lane that can be forgotten, if there are many: the one that was passed over longest.
    fn at_rest(&mut self) -> Option<usize> {
        let count = self.lanes.len();
        if count < AT_REST {
            return None;
        }
        let found = (0..count)
            .map(|step| (self.hand + step) % count)
            .find(|index| self.lanes[*index].is_at_rest(self.epoch))?;
        self.hand = found + 1;
        Some(found)
    }

    /// SQS has said where a lane's queue is. Returns whether the queue is known by another name
    /// already: what waits goes to its first lane then, else two requests of one group could be
    /// in flight.
    pub(crate) fn located(&mut self, lane: usize, url: &str) -> bool {
        let of_queue = *self.by_path.entry(path_of(url).to_owned()).or_insert(lane);
        if of_queue == lane {
            return false;
        }
        self.by_name.insert(Arc::clone(&self.lanes[lane].queue), of_queue);
        for message in self.lanes[lane].dissolve() {
            self.lanes[of_queue].add(message, Epoch::default());
        }
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.lanes.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
        self.lanes.iter_mut()
    }
}

impl Index<usize> for Lanes {
    type Output = Lane;

    fn index(&self, index: usize) -> &Lane {
        &self.lanes[index]
    }
}

impl IndexMut<usize> for Lanes {
    fn index_mut(&mut self, index: usize) -> &mut Lane {
        &mut self.lanes[index]
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::lane::Step;
    use crate::mailbox::Mailbox;
    use crate::outgoing::Outgoing;

    const SETTINGS: Settings = Settings {
        retry_for: Duration::from_secs(60),
        max_requests_in_flight: 4,
        one_per_group: false,
        one_queue: false,
        max_messages_per_second: None,
    };

    fn add(lanes: &mut Lanes, mailbox: &Arc<Mailbox>, queue: &str) -> usize {
        let outgoing = Outgoing {
            id: 1,
            queue: queue.into(),
            body: "x".to_owned(),
            attributes: Vec::new(),
            group_id: None,
            dedup_id: None,
            delay_seconds: None,
        };
        let message = Message::new(outgoing, Arc::clone(mailbox));
        lanes.add(message, mailbox.epoch(), &SETTINGS, |queue| {
            Ok(Located::Url(format!("http://127.0.0.1/0/{queue}")))
        });
        lanes.by_name[queue]
    }

    /// Sends what a lane has, and takes the report.
    fn send(lanes: &mut Lanes, mailbox: &Arc<Mailbox>, lane: usize) {
        let now = Instant::now();
        let Some(Step::Send(_, batch)) = lanes[lane].next(now, 4) else { panic!() };
        let answers = batch.messages.iter().map(|_| Ok("id".to_owned())).collect();
        lanes[lane].conclude(now, batch, Ok(answers), None, now);
        lanes[lane].has_told(mailbox.epoch());
        assert_eq!(mailbox.drain().len(), 1);
    }

    #[test]
    fn of_queues_without_number_only_some_are_remembered() {
        let (mailbox, mut lanes) = (Mailbox::open().unwrap(), Lanes::default());
        for queue in 0..10 * AT_REST {
            let lane = add(&mut lanes, &mailbox, &format!("q{queue}"));
            send(&mut lanes, &mailbox, lane);
        }
        let held = [lanes.len(), lanes.by_name.len(), lanes.by_path.len()];
        assert!(held.iter().all(|held| *held <= AT_REST + 1), "{held:?}");
    }

    #[test]
    fn a_queue_with_something_under_way_keeps_its_lane() {
        let (mailbox, mut lanes) = (Mailbox::open().unwrap(), Lanes::default());
        let busy: Vec<usize> =
            (0..2 * AT_REST).map(|queue| add(&mut lanes, &mailbox, &format!("q{queue}"))).collect();
        send(&mut lanes, &mailbox, busy[7]);
        assert_eq!(add(&mut lanes, &mailbox, "new"), busy[7], "the one at rest makes room");
        for (queue, lane) in busy.iter().enumerate().filter(|(queue, _)| *queue != 7) {
            assert_eq!(add(&mut lanes, &mailbox, &format!("q{queue}")), *lane);
        }
    }

    #[test]
    fn what_has_failed_is_remembered_until_the_caller_knows() {
        let (mailbox, mut lanes) = (Mailbox::open().unwrap(), Lanes::default());
        let of = |lanes: &mut Lanes, queue: &str| add(lanes, &mailbox, queue);
        let failed = of(&mut lanes, "q0");
        let now = Instant::now();
        let Some(Step::Send(_, batch)) = lanes[failed].next(now, 4) else { panic!() };
        let trouble = Trouble::queue("it is gone".to_owned(), "");
        lanes[failed].conclude(now, batch, Err(trouble), None, now);
        lanes[failed].has_told(mailbox.epoch());
        for queue in 1..2 * AT_REST {
            of(&mut lanes, &format!("q{queue}"));
        }
        assert_eq!(of(&mut lanes, "q0"), failed, "the report is not taken");
        mailbox.drain();
        assert_eq!(of(&mut lanes, "new"), failed);
    }
}
