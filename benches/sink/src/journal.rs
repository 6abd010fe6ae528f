//! Every message that was delivered, in a file, before its answer is given: what a sink that is killed
//! had taken is known afterwards, to whoever reads the file and to the sink that goes on with it.
//!
//! A line is a message, as JSON with its queue.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A delivered message.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) queue: String,
    pub(crate) body: String,
    /// By name, as they were sent.
    pub(crate) attributes: Value,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
}

pub(crate) struct Journal(File);

impl Journal {
    /// Opens or makes the file, and returns with it what it holds.
    pub(crate) fn open(path: &Path) -> io::Result<(Journal, Vec<Line>)> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut lines = Vec::new();
        for line in BufReader::new(&file).lines() {
            lines.push(serde_json::from_str(&line?)?);
        }
        Ok((Journal(file), lines))
    }

    /// In one write, which a kill of the process does not tear.
    pub(crate) fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        (&self.0).write_all(&text)
    }
}
