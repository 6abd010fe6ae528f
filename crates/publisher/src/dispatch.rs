//! The publisher thread's loop: commands in, requests out, answers to their fates.
//!
//! It alone holds the lanes, so nothing here is locked. It decides; what a request is and what an
//! error means is said elsewhere (`sqs`, `error`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::connection::Settings;
use crate::error::{Class, Failure, FailureKind, Trouble};
use crate::lane::{Address, Batch, Lane, Step, fail_all};
use crate::mailbox::{Message, Outcome};
use crate::queue::Located;
use crate::sqs::{Answer, Sqs};

/// What the caller asks of the thread.
pub(crate) enum Command {
    Send(Vec<Message>),
    /// Start nothing any more.
    Cancel,
    /// The same, and end when the last answer is in, or at this time.
    Stop(Instant),
    #[cfg(test)]
    Panic,
}

/// A request that ended.
enum Done {
    Found { lane: usize, started: Instant, url: Result<String, Trouble> },
    Sent { lane: usize, started: Instant, batch: Batch, answers: Result<Vec<Answer>, Trouble> },
}

pub(crate) struct Dispatcher {
    sqs: Arc<Sqs>,
    retry_for: Duration,
    limit: usize,
    lanes: Vec<Lane>,
    by_queue: HashMap<Arc<str>, usize>,
    /// The lane whose turn it is: each gets one request in turn.
    turn: usize,
    requests: JoinSet<Done>,
    /// Set when nothing may be sent any more: cancelled, or the credentials are refused.
    ended: Option<Arc<Failure>>,
    stop_at: Option<Instant>,
}

impl Dispatcher {
    pub(crate) fn new(sqs: Sqs, settings: &Settings) -> Self {
        Self {
            sqs: Arc::new(sqs),
            retry_for: settings.retry_for,
            limit: settings.max_requests_in_flight.max(1),
            lanes: Vec::new(),
            by_queue: HashMap::new(),
            turn: 0,
            requests: JoinSet::new(),
            ended: None,
            stop_at: None,
        }
    }

    /// Runs until it is stopped. What is still held then reports itself as in doubt.
    pub(crate) async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        loop {
            while let Ok(command) = commands.try_recv() {
                self.obey(command);
            }
            while let Some(done) = self.requests.try_join_next() {
                let Ok(done) = done else { return };
                self.conclude(done);
            }
            self.start_requests();
            if self.may_stop() {
                return;
            }
            let wake = self.next_wake();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => self.obey(Command::Stop(Instant::now())),
                },
                Some(done) = self.requests.join_next() => match done {
                    Ok(done) => self.conclude(done),
                    // A request panicked, which must not be: end, and let all be in doubt.
                    Err(_) => return,
                },
                () = sleep_until(wake) => {}
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Send(messages) => match &self.ended {
                Some(failure) => fail_all(messages, failure),
                None => messages.into_iter().for_each(|message| self.add(message)),
            },
            Command::Cancel => self.end(Failure {
                kind: FailureKind::Cancelled,
                code: None,
                message: "publishing was cancelled".to_owned(),
                hint: None,
            }),
            Command::Stop(at) => {
                self.obey(Command::Cancel);
                self.stop_at = Some(at);
            }
            #[cfg(test)]
            Command::Panic => panic!("asked to"),
        }
    }

    fn add(&mut self, message: Message) {
        let queue = &message.outgoing.queue;
        let index = match self.by_queue.get(queue) {
            Some(index) => *index,
            None => {
                let address = match self.sqs.locate(queue) {
                    Ok(Located::Url(url)) => Address::Url(url.into()),
                    Ok(Located::Name) => Address::Unknown,
                    Err(trouble) => Address::Failed(Arc::new(trouble.failure())),
                };
                let lane = Lane::new(Arc::clone(queue), address, self.limit);
                self.by_queue.insert(Arc::clone(queue), self.lanes.len());
                self.lanes.push(lane);
                self.lanes.len() - 1
            }
        };
        self.lanes[index].add(message);
    }

    /// Starts what may be started, one request a lane in turn.
    fn start_requests(&mut self) {
        let now = Instant::now();
        let mut without = 0;
        while self.requests.len() < self.limit && without < self.lanes.len() {
            let index = self.turn % self.lanes.len();
            self.turn = index + 1;
            match self.lanes[index].next(now, self.retry_for) {
                Some(step) => {
                    self.start(index, step, now);
                    without = 0;
                }
                None => without += 1,
            }
        }
    }

    fn start(&mut self, index: usize, step: Step, started: Instant) {
        let lane = &mut self.lanes[index];
        lane.in_flight += 1;
        let sqs = Arc::clone(&self.sqs);
        match step {
            Step::Find => {
                let queue = Arc::clone(&lane.queue);
                self.requests.spawn(async move {
                    let url = sqs.find(&queue).await;
                    Done::Found { lane: index, started, url }
                });
            }
            Step::Send(url, batch) => {
                self.requests.spawn(async move {
                    let answers = sqs.send(&url, &batch.messages).await;
                    Done::Sent { lane: index, started, batch, answers }
                });
            }
        }
    }

    fn conclude(&mut self, done: Done) {
        match done {
            Done::Found { lane, started, url } => self.conclude_find(lane, started, url),
            Done::Sent { lane, started, batch, answers } => {
                self.conclude_send(lane, started, batch, answers)
            }
        }
    }

    fn conclude_find(&mut self, index: usize, started: Instant, url: Result<String, Trouble>) {
        let now = Instant::now();
        let lane = &mut self.lanes[index];
        lane.in_flight -= 1;
        match url {
            Ok(url) => {
                lane.address = Address::Url(url.into());
                lane.pace.succeeded();
            }
            Err(trouble) => match trouble.class {
                // Of a request without messages, a row's fault can only be the queue's name.
                Class::Row | Class::Queue => lane.fail(&Arc::new(trouble.failure())),
                Class::Credentials => self.end(trouble.failure()),
                Class::Throttled | Class::Service | Class::Network => {
                    lane.address = Address::Unknown;
                    lane.pace.failed(started, now, self.retry_for);
                    lane.end_outage(&trouble, now, self.retry_for);
                }
            },
        }
    }

    fn conclude_send(
        &mut self,
        index: usize,
        started: Instant,
        mut batch: Batch,
        answers: Result<Vec<Answer>, Trouble>,
    ) {
        let now = Instant::now();
        self.lanes[index].in_flight -= 1;
        let messages = std::mem::take(&mut batch.messages);
        let answers = match answers {
            Ok(answers) => answers,
            Err(trouble) if trouble.class == Class::Row && messages.len() > 1 => {
                self.lanes[index].pace.succeeded();
                return self.halve(index, batch.with(messages), now);
            }
            Err(trouble) => vec![Err(trouble); messages.len()],
        };
        // SQS works when it takes a message, and when it refuses one for what it holds.
        let (mut works, mut again, mut retry) = (false, Vec::new(), None);
        for (mut message, answer) in messages.into_iter().zip(answers) {
            match answer {
                Ok(message_id) => {
                    works = true;
                    message.settle(Outcome::Acknowledged { message_id });
                }
                Err(trouble) if trouble.class == Class::Row => {
                    works = true;
                    message.settle(Outcome::Rejected {
                        code: trouble.code.unwrap_or_else(|| "BadRequest".to_owned()),
                        reason: trouble.what,
                    });
                }
                Err(trouble) => {
                    if !trouble.certain {
                        message.mark_in_doubt();
                    }
                    match trouble.class {
                        Class::Queue => self.fail_queue(index, message, &trouble),
                        Class::Credentials => self.fail_credentials(message, &trouble),
                        _ => {
                            again.push(message);
                            retry = Some(trouble);
                        }
                    }
                }
            }
        }
        if works {
            self.lanes[index].pace.succeeded();
        }
        if let Some(trouble) = retry {
            let slow_down = !works || trouble.class == Class::Throttled;
            if slow_down {
                self.lanes[index].pace.failed(started, now, self.retry_for);
            }
            self.retry(index, batch.with(again), trouble, now);
        }
    }

    fn halve(&mut self, index: usize, batch: Batch, now: Instant) {
        let lane = &mut self.lanes[index];
        match no_more(&self.ended, lane) {
            Some(failure) => fail_all(batch.messages, &failure),
            None => lane.halve(batch, now),
        }
    }

    fn retry(&mut self, index: usize, batch: Batch, trouble: Trouble, now: Instant) {
        let lane = &mut self.lanes[index];
        match no_more(&self.ended, lane) {
            Some(failure) => fail_all(batch.messages, &failure),
            None => {
                lane.retry(batch, trouble.clone(), now, self.retry_for);
                lane.end_outage(&trouble, now, self.retry_for);
            }
        }
    }

    fn fail_queue(&mut self, index: usize, message: Message, trouble: &Trouble) {
        let failure = Arc::new(trouble.failure());
        message.fail(&failure);
        self.lanes[index].fail(&failure);
    }

    fn fail_credentials(&mut self, message: Message, trouble: &Trouble) {
        message.fail(&Arc::new(trouble.failure()));
        self.end(trouble.failure());
    }

    /// Nothing more is sent. The first reason stays.
    fn end(&mut self, failure: Failure) {
        let failure = self.ended.get_or_insert_with(|| Arc::new(failure));
        for lane in &mut self.lanes {
            lane.fail_waiting(failure);
        }
    }

    fn may_stop(&self) -> bool {
        self.stop_at.is_some_and(|at| self.requests.is_empty() || Instant::now() >= at)
    }

    fn next_wake(&self) -> Option<Instant> {
        let may_start = self.ended.is_none() && self.requests.len() < self.limit;
        let lanes = self.lanes.iter().filter(|_| may_start);
        lanes.filter_map(Lane::next_wake).chain(self.stop_at).min()
    }
}

/// Why a lane's messages may not be tried again, if they may not.
fn no_more(ended: &Option<Arc<Failure>>, lane: &Lane) -> Option<Arc<Failure>> {
    match (ended, &lane.address) {
        (Some(failure), _) | (None, Address::Failed(failure)) => Some(Arc::clone(failure)),
        _ => None,
    }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
