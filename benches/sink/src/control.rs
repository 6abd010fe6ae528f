//! The sink's own interface, JSON over HTTP under `/_sink/`:
//!
//! | request | does |
//! | --- | --- |
//! | `GET counts` | what each queue took and did, and what the sink has used |
//! | `GET settings?queue=Q` | a queue's settings; without a queue those of queues to come |
//! | `POST settings?queue=Q` | sets those that the object in the body names, null for the default; without a queue for all, also for those to come |
//! | `POST queues` | creates the queues that the array in the body names |
//! | `POST reset` | forgets all that was sent; queues and settings stay |
//! | `GET missing?queue=Q&from=N&through=N` | how many of these ids were not delivered, and the first few |
//! | `GET messages?queue=Q` | the last messages that the setting `keep` kept, the oldest first |
//!
//! A refusal has a status of 4xx and says why in `error`.

use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::queue::Queue;
use crate::queues::Queues;
use crate::settings::Settings;
use crate::usage::Usage;

/// Where the interface is.
pub(crate) const PREFIX: &str = "/_sink/";

type Refusal = (StatusCode, String);

/// `what` is the path after [`PREFIX`].
pub(crate) fn answer(
    queues: &mut Queues,
    method: &Method,
    what: &str,
    query: &str,
    body: &[u8],
) -> Answer {
    let query = Query(query);
    let told = match (method.as_str(), what) {
        ("GET", "counts") => counts(queues),
        ("GET", "settings") => settings(queues, query),
        ("POST", "settings") => set(queues, query, body),
        ("POST", "queues") => create(queues, body),
        ("POST", "reset") => {
            queues.all().for_each(Queue::reset);
            tell(json!({}))
        }
        ("GET", "missing") => missing(queues, query),
        ("GET", "messages") => query.queue(queues).and_then(|queue| tell(queue.kept())),
        _ => Err((StatusCode::NOT_FOUND, format!("the sink has no {method} {PREFIX}{what}"))),
    };
    match told {
        Ok(body) => Answer::ok(body),
        Err((status, error)) => Answer::refusal(status, json!({ "error": error }).to_string()),
    }
}

fn counts(queues: &mut Queues) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct All {
        #[serde(flatten)]
        usage: Usage,
        queues: Map<String, Value>,
    }
    let usage = Usage::now().map_err(failure)?;
    let queues = queues
        .all()
        .map(|queue| Ok((queue.name.clone(), serde_json::to_value(queue.counts())?)))
        .collect::<serde_json::Result<_>>()
        .map_err(failure)?;
    tell(All { usage, queues })
}

fn settings(queues: &mut Queues, query: Query<'_>) -> Result<Vec<u8>, Refusal> {
    match query.get("queue") {
        Some(_) => tell(query.queue(queues)?.settings()),
        None => tell(queues.settings()),
    }
}

fn set(queues: &mut Queues, query: Query<'_>, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let update: Map<String, Value> = read(body)?;
    let updated = |settings: &Settings| settings.updated(&update).map_err(bad);
    if query.get("queue").is_some() {
        let queue = query.queue(queues)?;
        queue.set(updated(queue.settings())?);
        return tell(queue.settings());
    }
    // What one of them refuses, all refuse.
    queues.set(updated(queues.settings())?);
    for queue in queues.all() {
        queue.set(updated(queue.settings())?);
    }
    tell(queues.settings())
}

fn create(queues: &mut Queues, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let names: Vec<String> = read(body)?;
    for name in &names {
        queues.create(name).map_err(|_| bad(format!("{name:?} is no name of a queue")))?;
    }
    tell(json!({}))
}

fn missing(queues: &mut Queues, query: Query<'_>) -> Result<Vec<u8>, Refusal> {
    let (from, through) = (query.integer("from")?, query.integer("through")?);
    tell(query.queue(queues)?.missing(from, through))
}

/// The part of a URL after its question mark. Nothing that is asked for needs an escape.
#[derive(Clone, Copy)]
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn get(self, name: &str) -> Option<&'a str> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn need(self, name: &str) -> Result<&'a str, Refusal> {
        self.get(name).ok_or_else(|| bad(format!("{name} is to be given: ?{name}=…")))
    }

    fn integer(self, name: &str) -> Result<i64, Refusal> {
        let text = self.need(name)?;
        text.parse().map_err(|_| bad(format!("{name} must be an integer, not {text:?}")))
    }

    fn queue(self, queues: &mut Queues) -> Result<&mut Queue, Refusal> {
        let name = self.need("queue")?;
        let unknown =
            || (StatusCode::NOT_FOUND, format!("queue {name:?} was never created or used"));
        queues.known(name).ok_or_else(unknown)
    }
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

fn tell(what: impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(&what).map_err(failure)
}

fn bad(error: String) -> Refusal {
    (StatusCode::BAD_REQUEST, error)
}

fn failure(error: impl ToString) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
