//! A webhook of somebody's own: JSON, signed as Standard Webhooks has it (standardwebhooks.com),
//! for which there are libraries in most languages.
//!
//! The signature is HMAC-SHA256 over the message's id, the time of the attempt and the body. So a
//! receiver that refuses old times and ids that it knows takes no message twice, whoever repeats
//! it: the id is the same at each attempt, the time and the signature are not.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use publisher::OptionError;
use publisher::Secret;
use ring::hmac;
use serde_json::{Map, Value, json};

use super::options::{Known, Options};
use super::url::{Reach, Url};
use crate::alert::{Alert, Subject, rfc3339};
use crate::error;

pub(super) const OPTIONS: &[Known] = &[
    Known::of_server("url", "where messages are posted").required(),
    Known::of_server(
        "internal_network",
        "`true`: it may lead into the internal network, and in clear text. A superuser's to set.",
    )
    .superuser(),
    Known::of_mapping("signing_secret", "`whsec_` and 24 to 64 random bytes in base64").required(),
];

/// What a secret begins with; the rest is base64.
const PREFIX: &str = "whsec_";

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) url: Url,
    signing_secret: Secret,
}

pub(super) fn check_server(server: Options<'_>) -> Result<(), OptionError> {
    url(server).map(drop)
}

fn url(server: Options<'_>) -> Result<Url, OptionError> {
    let is_internal = server.is_true("internal_network")?;
    let reach = if is_internal { Reach::Internal } else { Reach::Public };
    Url::parse("url", server.need("url")?, reach)
}

/// The bytes of a secret, if it is one.
fn key_of(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64.decode(secret.strip_prefix(PREFIX)?).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

impl Webhook {
    pub(super) fn new(server: Options<'_>, mapping: Options<'_>) -> Result<Self, OptionError> {
        let secret = mapping.need("signing_secret")?;
        if key_of(secret).is_none() {
            return Err(error::invalid(
                "option \"signing_secret\" is not a secret of a webhook",
                "It is whsec_ and 24 to 64 random bytes in base64, as of \
                 echo whsec_$(openssl rand -base64 32).",
            ));
        }
        Ok(Self { url: url(server)?, signing_secret: Secret::new(secret.to_owned()) })
    }

    /// The headers that say who sent this body, and when.
    pub(crate) fn headers(
        &self,
        id: &str,
        body: &[u8],
        now: SystemTime,
    ) -> [(&'static str, String); 3] {
        let id: String = id.chars().filter(char::is_ascii_graphic).collect();
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // It was checked to be one.
        let key = key_of(self.signing_secret.expose()).unwrap_or_default();
        let mut signed = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
        signed.update(format!("{id}.{seconds}.").as_bytes());
        signed.update(body);
        let signature = format!("v1,{}", BASE64.encode(signed.sign()));
        [
            ("webhook-id", id),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
        ]
    }

    pub(super) fn secrets(&self) -> Vec<&str> {
        let secret = self.signing_secret.expose();
        vec![secret, secret.strip_prefix(PREFIX).unwrap_or_default()]
    }
}

/// The body of the request.
pub(crate) fn body(alert: &Alert) -> Value {
    let sync = match &alert.subject {
        Subject::Sync(name) => Value::from(name.as_str()),
        Subject::All => Value::Null,
    };
    let details: Map<String, Value> =
        alert.details.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "type": format!("alert.{}", alert.news.name()),
        "timestamp": rfc3339(alert.at),
        "data": {
            "alert": alert.name,
            "sync": sync,
            "database": alert.database,
            "condition": alert.condition.name(),
            "severity": alert.condition.severity().name(),
            "state": alert.news.name(),
            "title": alert.title,
            "summary": alert.summary,
            "details": details,
            "what_to_do": alert.runbook,
            "since": rfc3339(alert.since),
            "dedup_key": alert.dedup_key,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::alert::tests::alert;

    fn webhook(secret: &str) -> Result<Webhook, OptionError> {
        let server = [("url".to_owned(), "https://example.com/alerts".to_owned())];
        let mapping = [("signing_secret".to_owned(), secret.to_owned())];
        Webhook::new(Options(&server), Options(&mapping))
    }

    /// The test vector of the Standard Webhooks specification's own libraries.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let webhook = webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let headers =
            webhook.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#, now);
        assert_eq!(headers[1].1, "1614265330");
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_none() {
        for secret in ["whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"] {
            let error = webhook(secret).unwrap_err();
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_alert_holds_the_body_says_it_and_no_header_breaks(
            id in any::<String>(), name in any::<String>(), title in any::<String>(),
            details in prop::collection::vec((any::<String>(), any::<String>()), 0..5),
        ) {
            let alert = Alert { id, name, title, details, ..alert() };
            let text = serde_json::to_vec(&body(&alert)).unwrap();
            let read: Value = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(read["data"]["alert"].as_str(), Some(alert.name.as_str()));
            prop_assert_eq!(read["data"]["title"].as_str(), Some(alert.title.as_str()));
            let webhook = webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
            for (_, value) in webhook.headers(&alert.id, &text, SystemTime::now()) {
                prop_assert!(http::HeaderValue::from_str(&value).is_ok());
            }
        }
    }
}
