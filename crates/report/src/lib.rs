//! What is known of syncs, as one HTML page: [`data::Report`] says what is on it, [`page`] makes it.
//!
//! What this crate promises:
//!
//! * The page stands alone. It has no script and asks for nothing: style, charts and icon are in it,
//!   and its content security policy forbids all else.
//! * What rows and users wrote is text, whatever it holds ([`text::Text`]).
//! * It is ASCII, so that it reads the same whatever encoding a client has it converted to.
//! * A chart says its units and begins at zero; where there is nothing to draw, it says so in words.
//!
//! It knows no Postgres: the extension fills the values in, as far as the reader may see them.
//!
//! A section is a module in `sections`, and a line in `page::sections`.

#![forbid(unsafe_code)]

mod chart;
pub mod data;
mod health;
mod next;
pub mod number;
mod page;
mod sections;
mod state;
pub mod text;
pub mod time;

pub use page::page;
