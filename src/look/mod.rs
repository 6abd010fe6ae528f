//! What one looks at before a run: what it would send and why not, whether all that it needs is
//! there, and one real message. It promises:
//!
//! * **What is shown is what a run would do**: the model is found, compared and rendered by the
//!   code that a run uses ([`crate::run`]), against what the queue will have been told when
//!   that run compares ([`sight`]). There is no second implementation that could differ.
//! * **Nothing is changed**: no table of ours or of the owner's is written, no lock is taken but
//!   that of a SELECT, no transaction id, and nothing is sent but by [`trial`].
//! * **The owner's rights**, as in a run, whoever asks. A model cannot ask in its turn.
//! * **Memory is bounded** by how much is read at once, whatever is asked for.
//!
//! What SQS is asked is asked from a thread of its own, awaited for a limited time, and ended by a
//! cancel ([`asking`]).

mod asking;
pub mod check;
pub mod explain;
mod given;
mod moved;
pub mod preview;
pub mod queues;
mod reach;
mod shown;
mod sight;
pub mod single;
mod suppressed;
pub mod trace;
pub mod trial;
pub mod trust;

use pgrx::PgSqlErrorCode;

use crate::pg::{Error, Result, rights};

use crate::run::owned::Owned;
use crate::run::{baseline, doubt};

pub use shown::Shown;

/// How many rows a baseline would take as told.
pub fn untold(owned: Owned) -> Result<i64> {
    let is_emptied = baseline::is_emptied(&owned)?;
    let sight = match is_emptied {
        true => sight::Sight::without_snapshot(owned)?,
        false => {
            doubt::check_none(&owned)?;
            sight::Sight::of(owned)?
        }
    };
    let found = sight.compare()?;
    let counts = found.counts;
    found.close();
    Ok(match is_emptied {
        true => counts.untold(),
        false => counts.of(&message::Event::ALL, &message::Event::ALL),
    })
}

/// The key of which doubt is to be given up.
pub fn key_of_doubt(owned: &Owned, given: &str) -> Result<doubt::OfKey> {
    let key = given::Key::parse(owned, given)?;
    Ok(doubt::OfKey { relation: key.relation(owned), printed: key.printed(owned)? })
}

/// A key as a user gives it, in the form in which rejections have it.
pub fn printed_key(owned: &Owned, given: &str) -> Result<String> {
    given::Key::parse_rejected(owned, given)?.printed(owned)
}

/// Refuses a model, or another's code, that asks while it is read: it would be read again inside.
pub fn check_not_inside(function: &str) -> Result<()> {
    match rights::is_restricted() {
        false => Ok(()),
        true => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("cannot call {function} within a security-restricted operation"),
        )
        .hint("A model, an index or a materialized view cannot look at syncs.")),
    }
}
