//! Our own tables, one file each (of a run's row, two): rows read and written, no logic. Callers raise rights
//! around what they call here ([`crate::pg::rights::as_superuser`]).

pub mod alert;
pub mod cancellation;
pub mod claim;
pub mod definition;
pub mod delivery;
pub mod figures;
pub mod forgotten;
pub mod given_up;
pub mod hold;
pub mod home;
pub mod logging;
pub mod outdated;
pub mod position;
pub mod progress;
pub mod rejection;
pub mod request;
pub mod run;
pub mod sequence;
pub mod sync;
pub mod tally;
pub mod waiting;

pub use definition::{Definition, Guard};
pub use run::{Run, State};
pub use sync::{Initial, Sync};
