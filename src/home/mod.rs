//! Whether the syncs of this database are at home here. What is made of a database, by a dump, a
//! base backup or as a template, talks to the same queues, and must not until somebody says so:
//! nothing is sent before [`check`] has let it pass, and what wants to know asks [`why_not`].
//!
//! A standby that is promoted takes the place of its primary, and goes on by itself, if its
//! launcher has seen it streaming ([`watch`]).

mod place;

use pgrx::PgSqlErrorCode;

use crate::catalog;
use crate::catalog::home::Home;
use crate::pg::rights::as_superuser;
use crate::pg::transaction::timeline;
use crate::pg::{Error, Result, database, server};
use place::{Past, Place};

/// What the table says of the place where this process is.
enum Standing {
    AtHome,
    /// A standby of the home was promoted.
    Promoted(Home),
    Elsewhere(&'static str),
}

const NOWHERE: &str = "nothing says where its syncs are at home: the table sqs_sync.home is empty";
const OTHER_SERVER: &str =
    "it comes from another server: by a dump, or by pg_upgrade or another new system identifier";
const OTHER_DATABASE: &str =
    "it comes from another database of this server: by CREATE DATABASE … TEMPLATE, or by a dump";
const RESTORED: &str = "it was restored from a dump of itself";
const OTHER_DIRECTORY: &str =
    "the server's data directory is a copy of another, and it was not seen streaming as a standby";
const OTHER_TIMELINE: &str =
    "the server has gone back in time, or was promoted and not seen streaming as a standby";

/// Why no run of this database's syncs begins; None if they are at home. (On a standby none is
/// begun either: that is the primary's matter.)
pub fn why_not() -> Result<Option<&'static str>> {
    if server::is_standby() {
        return Ok(None);
    }
    Ok(match as_superuser(standing)? {
        Standing::AtHome | Standing::Promoted(_) => None,
        Standing::Elsewhere(why) => Some(why),
    })
}

/// An error unless messages may be sent from here.
pub fn check() -> Result<()> {
    check_primary()?;
    match why_not()? {
        None => Ok(()),
        Some(why) => Err(Error::not_in_state(
            "this database is a copy, and its syncs are paused",
        )
        .detail(format!("{}.", capitalized(why)))
        .hint("If it is to tell the queues from now on, a superuser or the database's owner calls sqs_sync_take_over(): as another source, with new deduplication ids; or with moved => true if it takes the original's place.")),
    }
}

/// An error on a standby, which cannot be written to.
pub fn check_primary() -> Result<()> {
    match server::is_standby() {
        false => Ok(()),
        true => Err(Error::new(
            PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
            "this server is a standby: syncs run on its primary",
        )
        .hint("Connect to the primary. After a promotion they go on here.")),
    }
}

/// Makes this the home of the database's first sync. With raised rights.
pub fn claim() -> Result<()> {
    match catalog::sync::is_any()? {
        true => Ok(()),
        false => catalog::home::set(&here(Some(place::settle()?))?),
    }
}

/// Makes this the home of all syncs, whatever it was. Returns why it was not; None if it was.
/// With raised rights.
pub fn take_over() -> Result<Option<&'static str>> {
    let Standing::Elsewhere(why) = standing()? else { return Ok(None) };
    catalog::home::set(&here(Some(place::settle()?))?)?;
    Ok(Some(why))
}

/// After a promotion: makes this the home of the syncs of the primary that was. Returns whether
/// there was one. With raised rights.
pub fn follow() -> Result<bool> {
    let Standing::Promoted(here) = standing()? else { return Ok(false) };
    catalog::home::set(&here)?;
    Ok(true)
}

/// What the launcher does at each look: it notes that a standby streams, and that one that did was
/// promoted. Writes nothing where nothing is new.
pub fn watch() -> Result<()> {
    let known = place::find()?.map_or(Past::Unknown, |place| place.past);
    let found = match (server::is_standby(), known) {
        (true, _) => server::streaming_on().map_or(known, Past::Streamed),
        (false, Past::Streamed(before)) if timeline() > before => Past::Promoted(timeline()),
        (false, Past::Streamed(_)) => Past::Unknown,
        (false, _) => known,
    };
    match found == known {
        true => Ok(()),
        false => place::set_past(found),
    }
}

/// With raised rights.
fn standing() -> Result<Standing> {
    let place = place::find()?;
    let past = place.as_ref().map_or(Past::Unknown, |place| place.past);
    let here = here(place)?;
    let why = match catalog::home::find()? {
        Some(home) => differs(&home, &here),
        None => Some(NOWHERE),
    };
    Ok(match why {
        None => Standing::AtHome,
        Some(_) if !catalog::sync::is_any()? => Standing::AtHome,
        Some(OTHER_DIRECTORY | OTHER_TIMELINE) if was_promoted(past, here.timeline) => {
            Standing::Promoted(here)
        }
        Some(why) => Standing::Elsewhere(why),
    })
}

/// `streamed` is as good as `promoted` until the launcher has noticed the promotion, which gives a
/// server a timeline of its own.
fn was_promoted(past: Past, timeline: u32) -> bool {
    match past {
        Past::Unknown => false,
        Past::Streamed(before) => timeline > before,
        Past::Promoted(to) => timeline == to,
    }
}

fn differs(home: &Home, here: &Home) -> Option<&'static str> {
    if home.system_identifier != here.system_identifier {
        Some(OTHER_SERVER)
    } else if home.database != here.database {
        Some(OTHER_DATABASE)
    } else if home.catalog != here.catalog {
        Some(RESTORED)
    } else if here.place.is_none() || home.place != here.place {
        Some(OTHER_DIRECTORY)
    } else if home.timeline != here.timeline {
        Some(OTHER_TIMELINE)
    } else {
        None
    }
}

fn here(place: Option<Place>) -> Result<Home> {
    Ok(Home {
        system_identifier: server::system_identifier(),
        database: database::current().to_u32(),
        catalog: catalog::home::catalog_oid()?,
        timeline: timeline(),
        place: place.map(|place| place.id),
    })
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
