//! What the extension's script calls.

use pgrx::pg_extern;

use crate::pg::commit::{AtCommit, at_commit};

/// At commit the launcher looks at this database again, and finds the extension.
#[pg_extern(sql = false)]
fn announce() {
    at_commit(AtCommit::WakeLauncher);
}
