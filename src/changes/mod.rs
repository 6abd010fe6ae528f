//! What changed: the model and its columns, the snapshot of what SQS has been told, the
//! statement that compares the two, and the change set that keeps what is being told.

pub mod change_set;
pub mod columns;
pub mod compare;
pub mod condition;
pub mod diff;
pub mod due;
pub mod key;
pub mod layout;
pub mod model;
pub mod reading;
pub mod resync;
pub mod tables;
pub mod told;

pub use tables::Tables;
