//! What the extension's script calls.

use pgrx::prelude::*;

use super::syncs::Answer;
use crate::pg::commit::{AtCommit, at_commit};
use crate::pg::version;

/// At commit the launcher looks at this database again, and finds the extension, or that it is of
/// the library's version now. No script leads beyond that.
#[pg_extern(sql = false)]
fn announce() -> Answer<()> {
    version::check_script()?;
    at_commit(AtCommit::WakeLauncher);
    Ok(())
}
