//! PagerDuty, by its Events API v2: an alert triggers an incident, its recovery resolves it. Both
//! carry the same deduplication key, so a reminder adds to the incident that there is.

use publisher::OptionError;
use publisher::Secret;
use serde_json::{Map, Value, json};

use super::options::{Known, Options};
use super::url::{Reach, Url};
use crate::alert::{Alert, News, rfc3339};
use crate::error;
use crate::text::{cut, line};

pub(super) const OPTIONS: &[Known] = &[
    Known::of_server("region", "`us` unless it is given, or `eu`"),
    Known::of_server("endpoint_url", "where events go instead of PagerDuty. A superuser's to set.")
        .superuser(),
    Known::of_mapping("routing_key", "the integration key of a service's Events API V2").required(),
];

const SUMMARY_LIMIT: usize = 1024;
const DEDUP_LIMIT: usize = 255;
/// Of a detail. An event has 512 KB: with these, and the escapes of JSON, it has half of that.
const DETAIL_LIMIT: usize = 2000;
const NAME_LIMIT: usize = 200;
const MOST_DETAILS: usize = 20;

#[derive(Clone, Debug)]
pub(crate) struct PagerDuty {
    pub(crate) url: Url,
    routing_key: Secret,
}

pub(super) fn check_server(server: Options<'_>) -> Result<(), OptionError> {
    url(server).map(drop)
}

fn url(server: Options<'_>) -> Result<Url, OptionError> {
    const REGIONS: [(&str, &str); 2] = [
        ("us", "https://events.pagerduty.com/v2/enqueue"),
        ("eu", "https://events.eu.pagerduty.com/v2/enqueue"),
    ];
    let of_region = server.one_of("region", &REGIONS, REGIONS[0].1)?;
    match server.get("endpoint_url") {
        Some(url) => Url::parse("endpoint_url", url, Reach::Internal),
        None => Url::parse("region", of_region, Reach::Public),
    }
}

impl PagerDuty {
    pub(super) fn new(server: Options<'_>, mapping: Options<'_>) -> Result<Self, OptionError> {
        let key = mapping.need("routing_key")?;
        if key.len() != 32 || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(error::invalid(
                "option \"routing_key\" is not an integration key",
                "It is the 32 letters and digits that a service's integration Events API V2 shows.",
            ));
        }
        Ok(Self { url: url(server)?, routing_key: Secret::new(key.to_owned()) })
    }

    /// The body of the request.
    pub(crate) fn body(&self, alert: &Alert) -> Value {
        let action = if alert.news == News::Recovered { "resolve" } else { "trigger" };
        let mut body = json!({
            "routing_key": self.routing_key.expose(),
            "event_action": action,
            "dedup_key": line(&alert.dedup_key, DEDUP_LIMIT),
        });
        // What resolves needs no more.
        if action == "trigger" {
            body["client"] = json!("sqs_sync");
            body["payload"] = payload(alert);
        }
        body
    }

    pub(super) fn secrets(&self) -> Vec<&str> {
        vec![self.routing_key.expose()]
    }
}

fn payload(alert: &Alert) -> Value {
    let severity = match alert.news {
        News::Test => "info",
        _ => alert.condition.severity().name(),
    };
    let mut details = Map::new();
    details.insert("summary".to_owned(), json!(cut(alert.summary.clone(), DETAIL_LIMIT)));
    for (name, value) in alert.details.iter().take(MOST_DETAILS) {
        details.insert(line(name, NAME_LIMIT), json!(cut(value.clone(), DETAIL_LIMIT)));
    }
    if let Some(runbook) = &alert.runbook {
        details.insert("what to do".to_owned(), json!(cut(runbook.clone(), DETAIL_LIMIT)));
    }
    details.insert("alert".to_owned(), json!(line(&alert.name, NAME_LIMIT)));
    details.insert("since".to_owned(), json!(rfc3339(alert.since)));
    let label = alert.news.label();
    json!({
        "summary": line(&format!("{label}: {}. {}", alert.title, alert.summary), SUMMARY_LIMIT),
        "source": line(&alert.database, NAME_LIMIT),
        "severity": severity,
        "timestamp": rfc3339(alert.at),
        "component": line(alert.subject.name(), NAME_LIMIT),
        "group": "sqs_sync",
        "class": alert.condition.name(),
        "custom_details": details,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::tests::alert;

    fn pagerduty() -> PagerDuty {
        let mapping = [("routing_key".to_owned(), "a1".repeat(16))];
        PagerDuty::new(Options(&[]), Options(&mapping)).unwrap()
    }

    #[test]
    fn an_alert_triggers_and_its_recovery_resolves_the_same() {
        let fired = pagerduty().body(&alert());
        assert_eq!(fired["event_action"], "trigger");
        assert_eq!(fired["payload"]["severity"], "error");
        assert_eq!(fired["payload"]["custom_details"]["Run"], "42");
        let recovered = pagerduty().body(&Alert { news: News::Recovered, ..alert() });
        assert_eq!(recovered["event_action"], "resolve");
        assert_eq!(recovered["dedup_key"], fired["dedup_key"]);
        assert_eq!(recovered.get("payload"), None);
    }

    #[test]
    fn accounts_in_the_eu_have_an_address_of_their_own() {
        let server = [("region".to_owned(), "eu".to_owned())];
        assert_eq!(url(Options(&server)).unwrap().peer.host, "events.eu.pagerduty.com");
        assert_eq!(url(Options(&[])).unwrap().peer.host, "events.pagerduty.com");
    }

    proptest! {
        #[test]
        fn whatever_an_alert_holds_pagerduty_takes_it(
            title in any::<String>(), summary in any::<String>(), size in 0..100_000_usize,
            details in prop::collection::vec((any::<String>(), any::<String>()), 0..60),
        ) {
            // The longest that JSON makes of a character is six bytes.
            let summary = summary + &"\u{1}".repeat(size);
            let body = pagerduty().body(&Alert { title, summary, details, ..alert() });
            let text = body["payload"]["summary"].as_str().unwrap();
            prop_assert!(!text.is_empty() && text.chars().count() <= SUMMARY_LIMIT);
            prop_assert!(body["dedup_key"].as_str().unwrap().chars().count() <= DEDUP_LIMIT);
            prop_assert!(serde_json::to_vec(&body).unwrap().len() < 512 * 1024);
        }
    }
}
