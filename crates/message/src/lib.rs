//! A row to a message.
