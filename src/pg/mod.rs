//! All glue to Postgres's C interface: errors, transactions, whose rights are in force,
//! processes and the reading of rows. Every `unsafe` block of the extension is in here, so
//! that the rest can be read, and trusted, as ordinary Rust.

pub mod background;
pub mod commit;
pub mod database;
pub mod digest;
pub mod error;
pub mod failpoint;
pub mod hash;
pub mod kept;
pub mod library;
pub mod lock;
mod memory;
pub mod planner;
pub mod process;
pub mod receiver;
pub mod rights;
pub mod rows;
pub mod server;
pub mod spool;
pub mod sql;
pub mod transaction;
pub mod types;
pub mod utility;
pub mod validator;
pub mod varlena;
pub mod version;

pub use error::{Error, Result};
