//! A notification of the database's own (NOTIFY), for whoever listens to its name. The caller
//! makes it, in a transaction; what is here is the name and what it says.

use publisher::OptionError;

use super::options::{Known, Options};
use super::webhook;
use crate::alert::Alert;
use crate::error;
use crate::text::line;

pub(super) const OPTIONS: &[Known] =
    &[Known::of_server("name", "what is given to `LISTEN`; `sqs_sync_alerts` unless it is given")];

/// What it is called where the server does not say.
const NAME: &str = "sqs_sync_alerts";
/// Bytes that a name of Postgres has at most.
const LONGEST_NAME: usize = 63;
/// Postgres refuses a payload of 8,000 bytes.
const PAYLOAD_LIMIT: usize = 7999;
/// How many characters each text is cut to, one after the other, until all fits.
const CUTS: [usize; 4] = [4000, 1000, 250, 60];

#[derive(Clone, Debug)]
pub(crate) struct Notify {
    pub(crate) name: String,
}

pub(super) fn check_server(server: Options<'_>) -> Result<(), OptionError> {
    name(server).map(drop)
}

fn name(server: Options<'_>) -> Result<&str, OptionError> {
    let name = server.get("name").unwrap_or(NAME);
    match name.len() <= LONGEST_NAME {
        true => Ok(name),
        false => Err(error::invalid(
            "option \"name\" is longer than 63 bytes",
            "It is what LISTEN is given: a name of Postgres.",
        )),
    }
}

impl Notify {
    pub(super) fn new(server: Options<'_>) -> Result<Self, OptionError> {
        Ok(Self { name: name(server)?.to_owned() })
    }
}

/// The body of a webhook, with its texts cut and in the end its details left out where that is
/// longer than Postgres takes.
pub(super) fn payload(alert: &Alert) -> String {
    let whole = webhook::body(alert).to_string();
    let short = |limit| webhook::body(&cut(alert, limit)).to_string();
    std::iter::once(whole)
        .chain(CUTS.into_iter().map(short))
        .find(|text| text.len() <= PAYLOAD_LIMIT)
        .unwrap_or_else(|| {
            let bare = Alert { details: Vec::new(), ..cut(alert, 60) };
            webhook::body(&bare).to_string()
        })
}

fn cut(alert: &Alert, limit: usize) -> Alert {
    let line = |text: &String| line(text, limit);
    Alert {
        name: line(&alert.name),
        title: line(&alert.title),
        summary: line(&alert.summary),
        details: alert.details.iter().map(|(name, value)| (line(name), line(value))).collect(),
        database: line(&alert.database),
        runbook: alert.runbook.as_ref().map(line),
        ..alert.clone()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::alert::tests::alert;

    #[test]
    fn what_fits_is_the_body_of_a_webhook() {
        assert_eq!(payload(&alert()), webhook::body(&alert()).to_string());
    }

    #[test]
    fn a_name_is_one_that_postgres_takes() {
        let named = |name: &str| Notify::new(Options(&[("name".to_owned(), name.to_owned())]));
        assert_eq!(named("ops").unwrap().name, "ops");
        assert_eq!(Notify::new(Options(&[])).unwrap().name, NAME);
        assert!(named(&"x".repeat(64)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_an_alert_holds_it_is_json_that_postgres_takes(
            title in any::<String>(), summary in "(\\PC|[\u{1}\"\\\\\n]){0,9000}",
            details in prop::collection::vec((any::<String>(), "[\"\u{1}é☃]{0,500}"), 0..60),
            runbook in prop::option::of(any::<String>()),
        ) {
            let alert = Alert { title, summary, details, runbook, ..alert() };
            let text = payload(&alert);
            prop_assert!(text.len() <= PAYLOAD_LIMIT);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read["data"]["dedup_key"].as_str(), Some(alert.dedup_key.as_str()));
        }
    }
}
