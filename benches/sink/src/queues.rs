//! The queues that there are.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use crate::error::RequestError;
use crate::journal::{Journal, Line};
use crate::queue::Queue;
use crate::settings::Settings;

const ACCOUNT: &str = "000000000000";
const MAX_NAME: usize = 80;

/// All that the sink knows.
pub(crate) struct Queues {
    address: SocketAddr,
    pub(crate) started: Instant,
    /// Those of queues to come.
    settings: Settings,
    /// Until a queue is created, every name that is used is one.
    any: bool,
    journal: Option<Arc<Journal>>,
    queues: BTreeMap<String, Queue>,
}

impl Queues {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            started: Instant::now(),
            settings: Settings::default(),
            any: true,
            journal: None,
            queues: BTreeMap::new(),
        }
    }

    /// Makes sure that there is such a queue.
    pub(crate) fn create(&mut self, name: &str) -> Result<(), RequestError> {
        if !is_name(name) {
            return Err(RequestError::new(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        self.any = false;
        self.add(name);
        Ok(())
    }

    /// The queue that is sent to.
    pub(crate) fn used(&mut self, name: &str) -> Result<&mut Queue, RequestError> {
        if self.any && is_name(name) {
            return Ok(self.add(name));
        }
        self.known(name).ok_or_else(RequestError::no_queue)
    }

    /// To be called before there is a queue.
    pub(crate) fn keep_journal(&mut self, journal: Journal, lines: &[Line]) {
        self.journal = Some(Arc::new(journal));
        for line in lines {
            self.add(&line.queue).remember(line);
        }
    }

    pub(crate) fn known(&mut self, name: &str) -> Option<&mut Queue> {
        self.queues.get_mut(name)
    }

    fn add(&mut self, name: &str) -> &mut Queue {
        let ordinal = self.queues.len() as u32;
        self.queues.entry(name.to_owned()).or_insert_with(|| {
            Queue::new(name.to_owned(), ordinal, self.settings.clone(), self.journal.clone())
        })
    }

    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.queues.values_mut()
    }

    /// Names that begin so, in their order, after one of them.
    pub(crate) fn names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a str> {
        let begin = after.map_or(Bound::Included(prefix), Bound::Excluded);
        self.queues
            .range::<str, _>((begin, Bound::Unbounded))
            .map(|(name, _)| name.as_str())
            .take_while(move |name| name.starts_with(prefix))
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{ACCOUNT}/{name}", self.address)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings of queues to come.
    pub(crate) fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }
}

pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

fn is_name(name: &str) -> bool {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    name.len() <= MAX_NAME
        && !stem.is_empty()
        && stem.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
