//! The SQL functions, one file a noun, thin: who calls is taken first, then checked, and
//! rights are raised around what touches our catalog only.

mod access;
mod alerts;
mod alter;
mod checks;
mod control;
mod events;
mod held;
mod home;
mod known;
mod log;
mod previews;
mod queues;
mod rejections;
mod report;
mod runs;
mod schedule;
mod stats;
mod syncs;
mod trust;
mod worker;
