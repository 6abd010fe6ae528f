//! `sqs_sync.home`: where the syncs of this database are at home. It goes along into whatever is
//! made of the database, which then is somewhere else.

use crate::pg::Result;
use crate::pg::sql;

/// A database of a server, with an installation of the extension and a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub system_identifier: i64,
    pub database: u32,
    /// The oid of the table itself: each installation of the extension has another.
    pub catalog: u32,
    pub timeline: u32,
    /// None: of a directory that has no id.
    pub place: Option<String>,
}

pub fn find() -> Result<Option<Home>> {
    sql::row(
        "SELECT system_identifier, database_oid::int8, catalog_oid::int8, timeline, place::text FROM sqs_sync.home",
        &[],
        |row| {
            Ok(Home {
                system_identifier: row.need(1)?,
                database: number(row.need(2)?),
                catalog: number(row.need(3)?),
                timeline: number(row.need(4)?),
                place: row.get(5)?,
            })
        },
    )
}

fn number(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// The oid of the table itself, here.
pub fn catalog_oid() -> Result<u32> {
    let oid: i64 = sql::value("SELECT 'sqs_sync.home'::pg_catalog.regclass::oid::int8", &[])?;
    Ok(number(oid))
}

/// Moves all syncs here, or makes this the home of the first one.
pub fn set(home: &Home) -> Result<()> {
    sql::execute(
        "INSERT INTO sqs_sync.home (system_identifier, database_oid, catalog_oid, timeline, place) \
         VALUES ($1, $2::oid, $3::oid, $4, $5::pg_catalog.uuid) \
         ON CONFLICT (only_one) DO UPDATE SET system_identifier = EXCLUDED.system_identifier, \
           database_oid = EXCLUDED.database_oid, catalog_oid = EXCLUDED.catalog_oid, \
           timeline = EXCLUDED.timeline, place = EXCLUDED.place, \
           since = pg_catalog.clock_timestamp(), set_by = SESSION_USER",
        &[
            home.system_identifier.into(),
            i64::from(home.database).into(),
            i64::from(home.catalog).into(),
            i64::from(home.timeline).into(),
            home.place.clone().into(),
        ],
    )?;
    Ok(())
}
