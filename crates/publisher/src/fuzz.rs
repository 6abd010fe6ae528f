//! What `make fuzz` tries, and what is no part of the interface.

use crate::connection::Connection;
use crate::queue::{self, Located};

/// The URL that a queue's name, URL or ARN stands for; none for a name, whose URL SQS must be asked
/// for.
///
/// # Errors
///
/// What one reads if it is no queue of this connection.
pub fn locate(queue: &str, connection: &Connection) -> Result<Option<String>, String> {
    match queue::locate(queue, connection) {
        Ok(Located::Url(url)) => Ok(Some(url)),
        Ok(Located::Name) => Ok(None),
        Err(trouble) => Err(format!("{trouble:?}")),
    }
}
