//! What a queue does to its requests, and how its messages are accounted for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One queue's settings. A share is from 0 (never) to 1 (always).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// What the faults are drawn from.
    pub(crate) seed: u64,
    /// How long an answer waits, after its messages were accepted.
    pub(crate) latency_ms: u64,
    /// More than this: the request is refused with ThrottlingException.
    pub(crate) queue_messages_per_second: Option<f64>,
    /// More than this in one group: the entry fails with RequestThrottled.
    pub(crate) group_messages_per_second: Option<f64>,
    /// Of requests: refused with RequestThrottled or ThrottlingException.
    pub(crate) throttled_share: f64,
    /// Of entries: InternalError, not the sender's fault.
    pub(crate) failed_share: f64,
    /// Of entries: InvalidMessageContents, the sender's fault.
    pub(crate) rejected_share: f64,
    /// Of requests: one entry, accepted or not, is in neither list of the answer.
    pub(crate) missing_share: f64,
    /// Of requests: the connection is closed in the middle of the answer.
    pub(crate) cut_share: f64,
    /// Of requests: the connection is reset, and nothing was accepted.
    pub(crate) reset_before_share: f64,
    /// Of requests: the connection is reset after the messages were accepted.
    pub(crate) reset_after_share: f64,
    /// Of requests: refused with ServiceUnavailable, and nothing was accepted.
    pub(crate) unavailable_share: f64,
    /// Of requests: never answered, though the messages were accepted.
    pub(crate) hang_share: f64,
    /// The name before a message's id in its body: the integer after the first `"id":`.
    pub(crate) id_name: String,
    /// The name before its sequence in its group, if that is not the id.
    pub(crate) sequence_name: Option<String>,
    /// How long a deduplication id is known.
    pub(crate) deduplication_ms: u32,
    /// How many of the last delivered messages are kept whole.
    pub(crate) keep: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            latency_ms: 0,
            queue_messages_per_second: None,
            group_messages_per_second: None,
            throttled_share: 0.0,
            failed_share: 0.0,
            rejected_share: 0.0,
            missing_share: 0.0,
            cut_share: 0.0,
            reset_before_share: 0.0,
            reset_after_share: 0.0,
            unavailable_share: 0.0,
            hang_share: 0.0,
            id_name: "id".to_owned(),
            sequence_name: None,
            deduplication_ms: 300_000,
            keep: 0,
        }
    }
}

impl Settings {
    /// These settings with those that `update` names; null sets one to its default.
    ///
    /// # Errors
    ///
    /// An unknown name, or a value that the setting cannot have.
    pub(crate) fn updated(&self, update: &Map<String, Value>) -> Result<Settings, String> {
        let (mut all, defaults) = (as_map(self)?, as_map(&Settings::default())?);
        for (name, value) in update {
            let value = if value.is_null() { defaults.get(name) } else { Some(value) };
            all.insert(name.clone(), value.cloned().unwrap_or_default());
        }
        let settings: Settings =
            serde_json::from_value(Value::Object(all)).map_err(|error| error.to_string())?;
        settings.check()
    }

    fn check(self) -> Result<Settings, String> {
        let shares = [
            ("throttled_share", self.throttled_share),
            ("failed_share", self.failed_share),
            ("rejected_share", self.rejected_share),
            ("missing_share", self.missing_share),
            ("cut_share", self.cut_share),
            ("reset_before_share", self.reset_before_share),
            ("reset_after_share", self.reset_after_share),
            ("unavailable_share", self.unavailable_share),
            ("hang_share", self.hang_share),
        ];
        if let Some((name, share)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(format!("{name} must be from 0 to 1, not {share}"));
        }
        let rates = [
            ("queue_messages_per_second", self.queue_messages_per_second),
            ("group_messages_per_second", self.group_messages_per_second),
        ];
        match rates.iter().find(|(_, rate)| rate.is_some_and(|rate| rate <= 0.0)) {
            Some((name, _)) => Err(format!("{name} must be above 0, or null")),
            None => Ok(self),
        }
    }
}

fn as_map(settings: &Settings) -> Result<Map<String, Value>, String> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => Ok(map),
        other => Err(format!("the settings cannot be written: {other:?}")),
    }
}
