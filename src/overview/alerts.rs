//! `sqs_sync.alerts`.

use report::data::{Alert, Delivery};
use report::time::Time;

use super::{maybe_text, maybe_time, millis, only, text};
use crate::pg::Result;
use crate::pg::sql;

/// So many are more than anyone looks at.
const MOST: i32 = 200;

/// Those whose condition holds first. Of one sync those that watch it by its name, or hold of it.
pub fn read(name: Option<&str>) -> Result<Vec<Alert>> {
    let (is_meant, arguments) = only("a.sync", name);
    let statement = format!(
        "SELECT a.alert, a.sync, a.condition, a.channel, a.state = 'firing', {}, a.summary, {}, a.last_delivery, a.last_answer \
         FROM sqs_sync.alerts a WHERE {is_meant} \
         ORDER BY a.state = 'firing' DESC, a.since DESC, a.alert, a.sync LIMIT {MOST}",
        millis("a.since"),
        millis("a.silenced_until")
    );
    sql::rows(&statement, &arguments, |row| {
        let answer = maybe_text(row, 10)?;
        Ok(Alert {
            name: text(row, 1)?,
            sync: maybe_text(row, 2)?,
            condition: text(row, 3)?,
            channel: text(row, 4)?,
            is_firing: row.need(5)?,
            since: Time(row.need(6)?),
            summary: maybe_text(row, 7)?,
            silenced_until: maybe_time(row, 8)?,
            delivery: maybe_text(row, 9)?.map(|state| Delivery { state, answer }),
        })
    })
}
