//! Deduplication ids of the user's own. Of two messages with one id a FIFO queue delivers the
//! first, and acknowledges the second all the same: it would count as told. So an id belongs to
//! one change of a run, and a later change that has it too is a rejection; and an id that an
//! earlier run has used within five minutes is not used before they are over.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backlog::Entry;
use publisher::{DeduplicationScope, Outgoing};
use xxhash_rust::xxh3::xxh3_128;

use super::rendering::Refused;
use super::settle::Settlement;
use crate::catalog::claim::{self, Claim, Known};
use crate::pg::Result;

/// What becomes of a message that has an id of the user's.
enum Verdict {
    /// It may be sent, at once or after so many seconds.
    Has(Option<f64>),
    /// Another change of the run has its id.
    Suppressed,
}

/// What has become of some messages' ids, by change.
pub struct Claimed(HashMap<i64, Verdict>);

/// Claims the ids of these messages for their changes. With raised rights, in a transaction that
/// commits before anything of it is sent.
pub fn claim(
    sync_id: i32,
    run_id: i64,
    entries: &[Entry],
    scope: impl Fn(&str) -> DeduplicationScope,
) -> Result<Claimed> {
    let ids: Vec<String> =
        entries.iter().map(|e| id_of(&e.message, scope(&e.message.queue))).collect();
    let mut known: HashMap<String, Known> =
        claim::find(sync_id, &ids)?.into_iter().map(|k| (k.id.clone(), k)).collect();
    let (mut verdicts, mut claims) = (HashMap::new(), Vec::new());
    for (entry, id) in entries.iter().zip(ids) {
        let change_id = entry.message.id;
        let verdict = verdict(known.get(&id), change_id, run_id);
        if let Verdict::Has(held_for) = verdict {
            let now = Known { id: id.clone(), change_id, run_id, known_for: 0.0, held_for };
            known.insert(id.clone(), now);
            claims.push(Claim { id, change_id, held_for });
        }
        verdicts.insert(change_id, verdict);
    }
    claim::put(sync_id, run_id, &claims)?;
    Ok(Claimed(verdicts))
}

impl Claimed {
    /// Those that may be sent, held until they may; the others are refused.
    pub fn apply(self, entries: Vec<Entry>, unsettled: &mut Settlement) -> Vec<Entry> {
        let mut sendable = Vec::with_capacity(entries.len());
        for entry in entries {
            match self.0.get(&entry.message.id) {
                Some(Verdict::Suppressed) => {
                    let refused = would_be_suppressed().with_message_id(entry.message_id);
                    let was_in_doubt = entry.about.was_in_doubt;
                    unsettled.add_refused(entry.message.id, Refused { was_in_doubt, ..refused });
                }
                Some(Verdict::Has(Some(seconds))) => {
                    sendable.push(Entry { not_before: Some(after_seconds(*seconds)), ..entry });
                }
                _ => sendable.push(entry),
            }
        }
        sendable
    }
}

fn verdict(known: Option<&Known>, change_id: i64, run_id: i64) -> Verdict {
    let ahead = |seconds: f64| Some(seconds).filter(|seconds| *seconds > 0.0);
    match known {
        None => Verdict::Has(None),
        Some(known) if known.change_id == change_id => Verdict::Has(known.held_for.and_then(ahead)),
        Some(known) if known.run_id == run_id => Verdict::Suppressed,
        Some(known) => Verdict::Has(ahead(known.known_for)),
    }
}

fn after_seconds(seconds: f64) -> Instant {
    Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, MAX_HOLD_SECONDS))
}

/// Longer than a queue knows an id, whatever the clock has done.
const MAX_HOLD_SECONDS: f64 = 360.0;

/// A digest of what SQS takes for one: the queue, the id, and the group where ids are the group's.
fn id_of(message: &Outgoing, scope: DeduplicationScope) -> String {
    let group = match scope {
        DeduplicationScope::Queue => None,
        DeduplicationScope::MessageGroup => message.group_id.as_deref(),
    };
    let dedup_id = message.dedup_id.as_deref().unwrap_or_default();
    let whole =
        [message::queue_name(&message.queue), group.unwrap_or_default(), dedup_id].join("\0");
    format!("{:032x}", xxh3_128(whole.as_bytes()))
}

pub fn would_be_suppressed() -> Refused {
    Refused::new(
        "would_be_suppressed",
        "another change of this run has the same deduplication id, so that the queue would take this one and discard it",
        Some("Make dedup_id unlike for every change, or leave it out: the default is made of the change id.".to_owned()),
    )
}
