//! What the tests of both binaries share: a notifier with little patience, an alert, and an HTTP
//! receiver that answers as it is told.

pub mod receiver;

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use notifier::{
    Alert, Answer, Channel, ConditionKind, Delivery, Failure, Fate, News, Notifier, Settings,
    Subject,
};

/// Nothing here takes as long.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub const QUICK: Settings = Settings {
    attempts: 3,
    timeout: Duration::from_secs(20),
    backoff: Duration::from_millis(10),
    longest_backoff: Duration::from_millis(40),
};

pub fn alert(id: i64) -> Alert {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_543_809);
    Alert {
        id: format!("message-{id}"),
        name: "customers failed".to_owned(),
        subject: Subject::Sync("customers".to_owned()),
        condition: ConditionKind::RunFailed,
        news: News::Firing,
        title: "customers: run failed".to_owned(),
        summary: "run 42 failed: Größe <b>& more</b>".to_owned(),
        details: vec![("Run".to_owned(), "42".to_owned())],
        since: at,
        at,
        database: "shop".to_owned(),
        runbook: Some("Check that the queue exists.".to_owned()),
        dedup_key: "sqs_sync/shop/7".to_owned(),
    }
}

pub fn options(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub fn channel(name: &str, server: &[(&str, &str)], mapping: &[(&str, &str)]) -> Channel {
    Channel::new(name, &options(server), &options(mapping)).unwrap()
}

pub fn delivery(id: i64, channel: &Channel) -> Delivery {
    Delivery { id, alert: alert(id), channel: channel.clone() }
}

/// Waits for so many answers, by the bell.
pub fn answers(notifier: &Notifier, count: usize) -> Vec<Answer> {
    let (mut found, until) = (Vec::new(), Instant::now() + DEADLINE);
    while found.len() < count {
        assert!(Instant::now() < until, "{found:?}");
        // SAFETY: the notifier outlives this.
        let bell = unsafe { BorrowedFd::borrow_raw(notifier.notifier()) };
        let mut polled = [PollFd::new(bell, PollFlags::POLLIN)];
        if poll(&mut polled, PollTimeout::from(1000_u16)).unwrap() > 0 {
            let taken = notifier.answers();
            assert!(!taken.is_empty(), "the bell rang for nothing");
            found.extend(taken);
        }
    }
    found
}

/// Delivers one alert, and gives what became of it.
pub fn deliver(channel: &Channel, settings: Settings) -> Answer {
    let notifier = Notifier::start(settings).unwrap();
    notifier.deliver(delivery(1, channel)).unwrap();
    answers(&notifier, 1).remove(0)
}

pub fn failure(answer: &Answer) -> &Failure {
    match &answer.fate {
        Fate::Failed(failure) => failure,
        Fate::Delivered { .. } => panic!("{answer:?}"),
    }
}

pub fn is_delivered(answer: &Answer) -> bool {
    matches!(answer.fate, Fate::Delivered { .. })
}

/// A program of the Python environment that `make setup` makes.
pub fn python(program: &str) -> Command {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = root.join(".tools/venv/bin").join(program);
    assert!(program.exists(), "{} is missing: make setup", program.display());
    Command::new(program)
}

/// A process that ends with the test.
pub struct Process(pub Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
