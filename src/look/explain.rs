//! `sqs_sync_explain`: how a run would compare, and what it would cost.

use std::collections::{BTreeMap, HashMap};

use message::{Event, Message, PerEvent};

use super::shown::Shown;
use super::sight::Sight;
use crate::pg::Result;
use crate::pg::rows::Limit;
use crate::pg::spool::Counts;
use crate::run::owned::Owned;

/// Messages that are rendered to learn how long they are.
const SAMPLE: Limit = Limit { rows: 1000, bytes: 8 << 20 };

/// What SQS takes in one request: messages and bytes (SQS API reference, SendMessageBatch).
const BATCH_MESSAGES: usize = 10;
const BATCH_BYTES: usize = message::limits::MAX_MESSAGE_BYTES;
/// Each such part of a request is billed as one (Amazon SQS pricing).
const CHUNK_BYTES: usize = 64 << 10;

/// One line of the answer.
pub struct Line {
    pub item: &'static str,
    pub value: String,
}

pub fn explain(owned: Owned) -> Result<Vec<Line>> {
    let sight = Sight::of(owned)?;
    let mut lines = vec![
        Line { item: "statement", value: sight.subject().statement() },
        Line { item: "plan", value: sight.reading_model(|| sight.subject().plan())?.join("\n") },
    ];
    let found = sight.compare()?;
    let counts = found.counts;
    let in_doubt = sight.in_doubt(SAMPLE)?;
    let changes = sight.changes(&found, SAMPLE)?;
    let due = sight.count_due(&found)?;
    let (left_alone, _) = sight.left_alone(&found, 0)?;
    found.close();
    let resend = sight.count_in_doubt()?;
    lines.extend(work(&counts, &due, resend, left_alone));
    let due = due.added + due.changed + due.removed;
    let one_per_group = sight.definition.order_by.is_some();
    let total =
        Cost::of(&in_doubt, resend, one_per_group).and(Cost::of(&changes, due, one_per_group));
    lines.extend(total.lines());
    Ok(lines)
}

/// What a run would have to do, by events.
fn work(counts: &Counts, due: &PerEvent<i64>, resend: i64, left_alone: i64) -> Vec<Line> {
    let all = counts.of(&Event::ALL, &Event::ALL);
    [
        ("resend", resend),
        ("added", due.added),
        ("changed", due.changed),
        ("removed", due.removed),
        ("silent", all - due.added - due.changed - due.removed - left_alone),
        ("rejected before, or dismissed", left_alone),
        ("rows with a rejected key", counts.unfit + counts.too_long),
    ]
    .into_iter()
    .map(|(item, count)| Line { item, value: count.to_string() })
    .collect()
}

/// What messages cost. Sums of what was rendered, or projections of it.
#[derive(Default)]
struct Cost {
    messages: f64,
    rejected: f64,
    bytes: f64,
    requests: f64,
    chunks: f64,
    /// Changes that were rendered, of all.
    rendered: i64,
    of: i64,
}

impl Cost {
    /// The cost of `of` changes, of which some are given.
    fn of(some: &[Shown], of: i64, one_per_group: bool) -> Cost {
        let rendered = some.len() as i64;
        let messages: Vec<&Message> =
            some.iter().filter_map(|shown| shown.message.as_ref().ok()).collect();
        let (requests, chunks) = requests(&messages, one_per_group);
        let bytes: usize = messages.iter().map(|message| message.size()).sum();
        let factor = if rendered == 0 { 0.0 } else { of.max(rendered) as f64 / rendered as f64 };
        Cost {
            messages: messages.len() as f64 * factor,
            rejected: (some.len() - messages.len()) as f64 * factor,
            bytes: bytes as f64 * factor,
            requests: requests as f64 * factor,
            chunks: chunks as f64 * factor,
            rendered,
            of: of.max(rendered),
        }
    }

    fn and(self, other: Cost) -> Cost {
        Cost {
            messages: self.messages + other.messages,
            rejected: self.rejected + other.rejected,
            bytes: self.bytes + other.bytes,
            requests: self.requests + other.requests,
            chunks: self.chunks + other.chunks,
            rendered: self.rendered + other.rendered,
            of: self.of + other.of,
        }
    }

    fn lines(&self) -> Vec<Line> {
        let number = |value: f64| format!("{:.0}", value.ceil());
        let basis = match self.rendered == self.of {
            true => format!("all {} changes were rendered", self.of),
            false => format!("projected: {} of {} changes were rendered", self.rendered, self.of),
        };
        vec![
            Line { item: "messages", value: number(self.messages) },
            Line { item: "rejected messages", value: number(self.rejected) },
            Line { item: "bytes", value: number(self.bytes) },
            Line { item: "requests", value: number(self.requests) },
            Line { item: "billing chunks", value: number(self.chunks) },
            Line { item: "basis", value: basis },
        ]
    }
}

/// A request that has room still.
#[derive(Default)]
struct Batch {
    messages: usize,
    bytes: usize,
}

/// How many requests these messages need at the least, and how many chunks of 64 KiB are billed.
/// A group's messages keep their order: one goes into no request before that of the one before, and
/// into no request with it if a request has one message of a group.
fn requests(messages: &[&Message], one_per_group: bool) -> (usize, usize) {
    let mut queues: BTreeMap<&str, Vec<Batch>> = BTreeMap::new();
    let mut groups: HashMap<(&str, &str), usize> = HashMap::new();
    for message in messages {
        let batches = queues.entry(&message.queue).or_default();
        let group = message.group_id.as_deref().map(|group| (&*message.queue, group));
        let last = group.and_then(|group| groups.get(&group));
        let first = last.map_or(0, |last| last + usize::from(one_per_group));
        let size = message.size();
        let has_room =
            |batch: &Batch| batch.messages < BATCH_MESSAGES && batch.bytes + size <= BATCH_BYTES;
        let place = (first..batches.len()).find(|place| has_room(&batches[*place]));
        let place = place.unwrap_or(batches.len());
        if place == batches.len() {
            batches.push(Batch::default());
        }
        batches[place].messages += 1;
        batches[place].bytes += size;
        if let Some(group) = group {
            groups.insert(group, place);
        }
    }
    let batches = queues.values().flatten();
    let chunks = batches.clone().map(|batch| batch.bytes.div_ceil(CHUNK_BYTES)).sum();
    (batches.count(), chunks)
}
