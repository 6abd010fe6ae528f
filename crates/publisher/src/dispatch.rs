//! The publisher thread's loop: commands in, requests out, answers to their fates.
//!
//! It alone holds the lanes, so nothing here is locked. What is sent next and what an answer means
//! is decided by the lanes; what a request is, and what an error means, by `sqs` and `error`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::batch::Batch;
use crate::connection::Settings;
use crate::counters::{Board, Counters};
use crate::error::{Class, Failure, FailureKind, Trouble};
use crate::lane::{Lane, Step};
use crate::lanes::Lanes;
use crate::mailbox::{Epoch, Mailbox, Message, fail_all};
use crate::rate::Rate;
use crate::sqs::{Answer, Sqs};

/// No lane has more than so many times the requests in flight that are left to others: a queue
/// that does not answer must not take them all. (As a switch's ports share its buffer: Choudhury
/// and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches".)
const SHARE: usize = 7;

/// What the caller asks of the thread.
pub(crate) enum Command {
    /// Messages, and the epoch in which they were handed over.
    Send(Vec<Message>, Epoch),
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

/// Rings at the end too, however it comes.
struct Bell(Arc<Mailbox>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.ring();
    }
}

pub(crate) struct Dispatcher {
    sqs: Arc<Sqs>,
    bell: Bell,
    settings: Settings,
    lanes: Lanes,
    /// The lane whose turn it is: each gets one request in turn.
    turn: usize,
    rate: Option<Rate>,
    requests: JoinSet<Done>,
    /// Set when nothing may be sent any more: cancelled, or the credentials are refused.
    ended: Option<Arc<Failure>>,
    stop_at: Option<Instant>,
    counters: Counters,
    board: Board,
}

impl Dispatcher {
    pub(crate) fn new(sqs: Sqs, settings: Settings, mailbox: Arc<Mailbox>, board: Board) -> Self {
        let rate = settings.max_messages_per_second;
        Self {
            sqs: Arc::new(sqs),
            bell: Bell(mailbox),
            settings,
            lanes: Lanes::default(),
            turn: 0,
            rate: rate.map(|per_second| Rate::new(per_second, Instant::now())),
            requests: JoinSet::new(),
            ended: None,
            stop_at: None,
            counters: Counters::default(),
            board,
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
            self.show_counters();
            if self.may_stop() {
                return;
            }
            self.bell.0.ring();
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
            Command::Send(messages, epoch) => match &self.ended {
                Some(failure) => fail_all(messages, failure),
                None => messages.into_iter().for_each(|message| self.add(message, epoch)),
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

    fn add(&mut self, message: Message, epoch: Epoch) {
        self.lanes.add(message, epoch, &self.settings, |queue| self.sqs.locate(queue));
    }

    /// Starts what may be started, one request a lane in turn.
    fn start_requests(&mut self) {
        let now = Instant::now();
        let mut without = 0;
        while self.requests.len() < self.limit()
            && without < self.lanes.len()
            && self.limited_until(now).is_none()
        {
            let index = self.turn % self.lanes.len();
            self.turn = index + 1;
            let share = self.share();
            match self.lanes[index].next(now, share) {
                Some(step) => {
                    self.start(index, step, now);
                    without = 0;
                }
                None => without += 1,
            }
        }
    }

    /// Until when the caller's limit of messages a second lets no request go.
    fn limited_until(&self, now: Instant) -> Option<Instant> {
        self.rate.as_ref()?.blocked_until(now)
    }

    /// How many requests a lane may have in flight now.
    fn share(&self) -> usize {
        if self.settings.one_queue {
            return self.limit();
        }
        SHARE * self.limit().saturating_sub(self.requests.len())
    }

    fn start(&mut self, lane: usize, step: Step, started: Instant) {
        let sqs = Arc::clone(&self.sqs);
        match step {
            Step::Find => {
                let queue = Arc::clone(&self.lanes[lane].queue);
                self.requests.spawn(async move {
                    let url = sqs.find(&queue).await;
                    Done::Found { lane, started, url }
                });
            }
            Step::Send(url, batch) => {
                self.counters.retries += u64::from(batch.has_been_tried());
                self.counters.bytes += batch.size() as u64;
                if let Some(rate) = &mut self.rate {
                    rate.take(batch.messages.len(), started);
                }
                self.requests.spawn(async move {
                    let answers = sqs.send(&url, &batch.messages, batch.attempts()).await;
                    Done::Sent { lane, started, batch, answers }
                });
            }
        }
    }

    fn conclude(&mut self, done: Done) {
        let now = Instant::now();
        let failure = match done {
            Done::Found { lane, started, url } => {
                self.count_call(now - started, url.as_ref().err(), false);
                self.conclude_find(lane, started, url, now)
            }
            Done::Sent { lane, started, batch, answers } => {
                self.count_call(now - started, answers.as_ref().err(), has_throttled(&answers));
                self.counters.possible_duplicates += batch.possible_duplicates(&answers, now);
                // Before anything is reported: who has all reports knows of all calls.
                self.board.show(&self.counters);
                let ended = self.ended.as_ref();
                let failure = self.lanes[lane].conclude(started, batch, answers, ended, now);
                self.lanes[lane].has_told(self.bell.0.epoch());
                failure
            }
        };
        if let Some(failure) = failure {
            self.end(failure);
        }
    }

    fn conclude_find(
        &mut self,
        lane: usize,
        started: Instant,
        url: Result<String, Trouble>,
        now: Instant,
    ) -> Option<Failure> {
        if let Ok(url) = &url
            && self.lanes.located(lane, url)
        {
            return None;
        }
        let failure = self.lanes[lane].located(started, url, now);
        self.lanes[lane].has_told(self.bell.0.epoch());
        failure
    }

    fn count_call(&mut self, latency: Duration, failed: Option<&Trouble>, entries_throttled: bool) {
        let is_throttled = failed.is_some_and(|trouble| trouble.class == Class::Throttled);
        self.counters.count_call(latency, failed.is_some(), is_throttled || entries_throttled);
    }

    fn show_counters(&mut self) {
        let now = Instant::now();
        let windows: usize = self.lanes.iter().map(Lane::window).sum();
        let paused = |lane: &Lane| Some((Arc::clone(&lane.queue), lane.paused_until(now)?));
        self.counters.in_flight = self.requests.len();
        self.counters.limit = windows.clamp(1, self.limit());
        let paused = self.lanes.iter().filter_map(paused).max_by_key(|(_, until)| *until);
        // The last pause stays shown: most are over before anybody looks.
        self.counters.paused = paused.or(self.counters.paused.take());
        self.counters.is_limited =
            self.limited_until(now).is_some() && self.lanes.iter().any(Lane::is_ready);
        self.board.show(&self.counters);
    }

    /// Nothing more is sent. The first reason stays.
    fn end(&mut self, failure: Failure) {
        let failure = self.ended.get_or_insert_with(|| Arc::new(failure));
        for lane in self.lanes.iter_mut() {
            lane.fail_waiting(failure);
        }
    }

    fn limit(&self) -> usize {
        self.settings.max_requests_in_flight.max(1)
    }

    fn may_stop(&self) -> bool {
        self.stop_at.is_some_and(|at| self.requests.is_empty() || Instant::now() >= at)
    }

    fn next_wake(&self) -> Option<Instant> {
        let may_start = self.ended.is_none() && self.requests.len() < self.limit();
        let limited_until = self.limited_until(Instant::now());
        let lanes = self.lanes.iter().filter(|_| may_start);
        let share = self.share();
        let next = |lane: &Lane| match limited_until {
            Some(until) => lane.is_ready().then_some(until),
            None => lane.next_wake(share),
        };
        lanes.filter_map(next).chain(self.stop_at).min()
    }
}

fn has_throttled(answers: &Result<Vec<Answer>, Trouble>) -> bool {
    let is_throttled = |answer: &Answer| matches!(answer, Err(t) if t.class == Class::Throttled);
    answers.as_ref().is_ok_and(|answers| answers.iter().any(is_throttled))
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
