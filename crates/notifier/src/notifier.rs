//! The caller's end: a thread of its own, and the means to talk to it without blocking.

use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use publisher::thread;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::deliver::{Settings, deliver};
use crate::mailbox::{Answer, Delivery, Mailbox, Owed};
use crate::wire::Wire;

enum Command {
    Deliver(Box<Owed>),
    /// Ends the thread: what is in flight is awaited until then, the rest not begun.
    Stop(Duration),
}

/// Delivers alerts from a thread of its own. See the crate's documentation for what it keeps.
///
/// Dropped, it ends at once, and leaves what is unanswered unanswered: [`Notifier::stop`] is the
/// way to end with answers.
pub struct Notifier {
    commands: UnboundedSender<Command>,
    mailbox: Arc<Mailbox>,
    /// Taken when it is joined.
    thread: Option<JoinHandle<()>>,
}

impl Notifier {
    /// Starts the thread. No connection is made before there is an alert.
    ///
    /// # Errors
    ///
    /// What the system says when it gives no eventfd, epoll or thread.
    pub fn start(settings: Settings) -> std::io::Result<Self> {
        let mailbox = Mailbox::open()?;
        let (commands, inbox) = unbounded_channel();
        let thread = thread::spawn("sqs_sync alert", move || Dispatcher::new(settings).run(inbox))?;
        Ok(Self { commands, mailbox, thread: Some(thread) })
    }

    /// An eventfd to poll: readable while answers wait. It belongs to the notifier: do not read or
    /// close it, and do not use it once the notifier is gone.
    pub fn notifier(&self) -> RawFd {
        self.mailbox.notifier()
    }

    /// Hands a delivery over, and never blocks.
    ///
    /// # Errors
    ///
    /// The delivery itself, when so many are on their way that there is no room for it: to be
    /// handed over again when answers have been taken.
    pub fn deliver(&self, delivery: Delivery) -> Result<(), Box<Delivery>> {
        let owed = self.mailbox.owe(delivery)?;
        // A thread that is gone drops it, which answers it.
        let _ = self.commands.send(Command::Deliver(Box::new(owed)));
        Ok(())
    }

    /// Takes the answers that wait, without blocking, and quiets the bell.
    pub fn answers(&self) -> Vec<Answer> {
        self.mailbox.drain()
    }

    /// Waits at most `patience` for what is in flight, begins nothing new, and ends the thread.
    /// Gives every answer that was still to come.
    pub fn stop(mut self, patience: Duration) -> Vec<Answer> {
        self.mailbox.set_stopping();
        let _ = self.commands.send(Command::Stop(patience));
        if let Some(thread) = self.thread.take() {
            // An error is a panic that was already caught: nothing to add.
            let _ = thread.join();
        }
        self.mailbox.drain()
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.mailbox.set_stopping();
            let _ = self.commands.send(Command::Stop(Duration::ZERO));
            thread::leave(thread);
        }
    }
}

type ChannelName = Arc<str>;

/// The thread's work. Each channel has a lane: one delivery of it at a time, in the order in which
/// they came, so that a recovery never overtakes its alert, and one that hangs holds up no other.
struct Dispatcher {
    settings: Settings,
    wire: Arc<Wire>,
    /// What waits behind the delivery under way, of each channel that has one.
    lanes: HashMap<ChannelName, VecDeque<Owed>>,
    under_way: JoinSet<()>,
    channels: HashMap<Id, ChannelName>,
}

impl Dispatcher {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            wire: Arc::default(),
            lanes: HashMap::new(),
            under_way: JoinSet::new(),
            channels: HashMap::new(),
        }
    }

    async fn run(mut self, mut inbox: UnboundedReceiver<Command>) {
        loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Deliver(owed)) => self.take(*owed),
                    Some(Command::Stop(patience)) => return self.stop(patience).await,
                    None => return,
                },
                Some(ended) = self.under_way.join_next_with_id() => self.go_on(ended),
            }
        }
    }

    fn take(&mut self, owed: Owed) {
        match self.lanes.get_mut(&owed.delivery.channel.name) {
            Some(lane) => lane.push_back(owed),
            None => {
                self.lanes.insert(Arc::clone(&owed.delivery.channel.name), VecDeque::new());
                self.begin(owed);
            }
        }
    }

    fn begin(&mut self, owed: Owed) {
        let channel = Arc::clone(&owed.delivery.channel.name);
        let (wire, settings) = (Arc::clone(&self.wire), self.settings);
        let task = self.under_way.spawn(async move {
            let Delivery { id, alert, channel } = &owed.delivery;
            let answer = deliver(&wire, &settings, *id, alert, channel).await;
            owed.settle(answer);
        });
        self.channels.insert(task.id(), channel);
    }

    /// The next of a channel whose delivery has ended, by a panic too.
    fn go_on(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        let Some(channel) = self.channels.remove(&id) else {
            return;
        };
        match self.lanes.get_mut(&channel).and_then(VecDeque::pop_front) {
            Some(owed) => self.begin(owed),
            None => {
                self.lanes.remove(&channel);
            }
        }
    }

    async fn stop(mut self, patience: Duration) {
        self.lanes.clear();
        let deadline = Instant::now() + patience;
        tokio::select! {
            () = async { while self.under_way.join_next().await.is_some() {} } => {}
            () = sleep_until(deadline) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::tests::delivery;

    #[test]
    fn a_delivery_that_panics_is_answered_and_the_next_of_its_channel_begins() {
        let mailbox = Mailbox::open().unwrap();
        let [first, second] =
            [1, 2].map(|id| mailbox.owe(delivery(id)).unwrap_or_else(|_| panic!()));
        let (commands, inbox) = unbounded_channel();
        let settings = Settings { attempts: 1, ..Settings::default() };
        let thread = thread::spawn("test", move || async move {
            let mut dispatcher = Dispatcher::new(settings);
            let channel = Arc::clone(&first.delivery.channel.name);
            dispatcher.lanes.insert(Arc::clone(&channel), VecDeque::new());
            let task = dispatcher.under_way.spawn(async move {
                let _lost = first;
                panic!("a delivery's own");
            });
            dispatcher.channels.insert(task.id(), channel);
            dispatcher.run(inbox).await;
        });
        let thread = thread.unwrap();
        let _ = commands.send(Command::Deliver(Box::new(second)));
        let mut ids = Vec::new();
        while ids.len() < 2 {
            assert!(!thread.is_finished());
            ids.extend(mailbox.drain().iter().map(|answer| (answer.id, answer.attempts)));
        }
        assert_eq!(ids, [(1, 0), (2, 1)]);
        let _ = commands.send(Command::Stop(Duration::ZERO));
        thread.join().unwrap();
    }
}
