//! What a definition is compiled for.

use crate::allowed::AllowedQueues;
use crate::error::{DefinitionError, Fault};
use crate::limits;

/// The sync that a definition is compiled for, and what its connection allows.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The model's columns, in the order in which rows are handed over.
    pub columns: &'a [String],
    /// Those of them that are the key.
    pub key: &'a [String],
    /// The sync's name, `sync.name` of templates.
    pub sync_name: &'a str,
    /// The sync's own uuid, as text: what makes a deduplication id unlike that of any other sync.
    /// It must never change, nor be another sync's.
    pub sync_uuid: &'a str,
    /// The queues that the connection allows; without them, all.
    pub allowed_queues: Option<&'a AllowedQueues>,
}

/// The most characters of a change id: a bigint's 19 digits and its sign.
const MAX_CHANGE_ID_CHARS: usize = 20;

impl Context<'_> {
    /// What stands before the change id in a deduplication id.
    ///
    /// # Errors
    ///
    /// When SQS would not take what is made of it.
    pub(crate) fn dedup_prefix(&self) -> Result<String, DefinitionError> {
        let prefix = format!("{}:", self.sync_uuid);
        let longest = limits::DEDUP_ID.max_chars - MAX_CHANGE_ID_CHARS;
        let fault = match limits::DEDUP_ID.check(self.sync_uuid) {
            Err(rejection) => Fault::from(rejection),
            Ok(()) if prefix.len() > longest => Fault::invalid("the sync's uuid is too long"),
            Ok(()) => return Ok(prefix),
        };
        Err(fault.on("dedup"))
    }
}
