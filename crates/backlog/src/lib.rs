//! What of a run has been read and is not settled, by lane. A lane is a queue, or a group of a
//! queue: what must not hold up another lane, however slow it is. It promises:
//!
//! * **Order**: a lane's messages go to the publisher in the order of their change ids, whatever is
//!   set aside, taken again and made anew between.
//! * **Nothing is lost**: what was added goes to the publisher, or is set aside, or is given back.
//! * **Memory is bounded** by [`MAX_OUTSTANDING`], [`MAX_BYTES`] and a batch, whatever a lane holds.
//!
//! Each lane has a share of what may be with the publisher at once; what it has no room for is parked,
//! and set aside (in a table, which is the caller's affair) when it keeps other lanes from being read.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod backlog;
mod entry;
mod lane;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use backlog::{Backlog, MAX_BYTES, MAX_OUTSTANDING, MAX_REQUESTS_IN_FLIGHT};
pub use entry::{Entry, Place, Reported, Sent, Waiting, Wanted};
