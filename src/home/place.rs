//! Which data directory this is, and whether it was seen to follow a primary: a file in it says
//! so, since a standby cannot write to its database.
//!
//! A copy of the directory must not have the file, or not believe it. Base backups, pg_rewind and
//! pg_checksums leave out whatever is called `pgsql_tmp…`. Tools that copy all files give this one
//! another inode, which it holds. A snapshot of the volume is the same in all, and goes unnoticed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;

use pgrx::PgSqlErrorCode;

use crate::pg::{Error, Result, server};

/// Each process of the server works in the data directory.
const DIRECTORY: &str = "global";
const FILE: &str = "global/pgsql_tmp.sqs_sync";
const NEW_FILE: &str = "global/pgsql_tmp.sqs_sync.new";
const MAX_BYTES: u64 = 4096;
const ABOUT: &str =
    "# Tells sqs_sync that this data directory is no copy of another. Leave it here.";

/// How this server came to follow no primary, if it ever did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Past {
    #[default]
    Unknown,
    /// It was seen streaming from a primary, last on this timeline.
    Streamed(u32),
    /// It was promoted from such a standby to this timeline.
    Promoted(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A uuid that no other data directory has.
    pub id: String,
    pub past: Past,
}

/// This directory's own; none if it has none, or only another's.
pub fn find() -> Result<Option<Place>> {
    read().map_err(|error| failed("read", &error))
}

/// The same; makes it if there is none.
pub fn settle() -> Result<Place> {
    change(|_| {})
}

/// Notes what is known of the past now.
pub fn set_past(past: Past) -> Result<()> {
    change(|place| place.past = past).map(|_| ())
}

/// One process at a time: two that settle at once must find the same place.
fn change(change: impl Fn(&mut Place)) -> Result<Place> {
    let id = new_id()?;
    let locked = || {
        let directory = File::open(DIRECTORY)?;
        directory.lock()?;
        let before = read()?;
        let mut after = before.clone().unwrap_or(Place { id, past: Past::Unknown });
        change(&mut after);
        if before.as_ref() != Some(&after) {
            write(&after)?;
            directory.sync_all()?;
        }
        Ok(after)
    };
    locked().map_err(|error| failed("write", &error))
}

fn read() -> io::Result<Option<Place>> {
    let file = match File::open(FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let inode = file.metadata()?.ino();
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let place = parse(&String::from_utf8_lossy(&bytes));
    Ok(place.filter(|(_, written)| *written == inode).map(|(place, _)| place))
}

/// Whole or not at all, whenever the machine goes down.
fn write(place: &Place) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(NEW_FILE)?;
    let inode = file.metadata()?.ino();
    file.write_all(format(place, inode).as_bytes())?;
    file.sync_all()?;
    fs::rename(NEW_FILE, FILE)
}

fn format(place: &Place, inode: u64) -> String {
    let past = match place.past {
        Past::Unknown => String::new(),
        Past::Streamed(timeline) => format!("streamed {timeline}\n"),
        Past::Promoted(timeline) => format!("promoted {timeline}\n"),
    };
    format!("{ABOUT}\nplace {}\ninode {inode}\n{past}", place.id)
}

fn parse(text: &str) -> Option<(Place, u64)> {
    let mut lines = text.strip_prefix(ABOUT)?.trim_start().lines();
    let id = lines.next()?.strip_prefix("place ")?.to_owned();
    let inode = lines.next()?.strip_prefix("inode ")?.parse().ok()?;
    let past = match lines.next().map(|line| line.split_once(' ')) {
        None => Past::Unknown,
        Some(Some(("streamed", timeline))) => Past::Streamed(timeline.parse().ok()?),
        Some(Some(("promoted", timeline))) => Past::Promoted(timeline.parse().ok()?),
        Some(_) => return None,
    };
    Some((Place { id, past }, inode))
}

fn new_id() -> Result<String> {
    Ok(uuid(server::random_bytes()?))
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn failed(what: &str, error: &io::Error) -> Error {
    Error::new(
        PgSqlErrorCode::ERRCODE_IO_ERROR,
        format!("could not {what} the file \"{FILE}\" in the data directory: {error}"),
    )
    .hint("It tells a copy of the data directory from the original. The server's user must be able to read and write it.")
}
