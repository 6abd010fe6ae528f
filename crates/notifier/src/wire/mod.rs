//! The way of one message to its peer: one attempt, over HTTP, SMTP or SNS.
//!
//! Nothing is kept between attempts, connections included: alerts are rare, and what a firewall
//! has forgotten cannot be in the way.

mod dial;
mod http;
mod smtp;
mod sns;

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use tokio::sync::OnceCell;
use tokio_rustls::rustls::{self, ClientConfig};

use self::http::Request;
use crate::alert::Alert;
use crate::channel::{Channel, Target, Url, slack_body, webhook_body};
use crate::error::{FailureKind, Trouble};

pub(crate) use self::smtp::Undelivered;

/// What a peer said of a message that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The answer's status, of HTTP or SMTP.
    pub(crate) status: Option<u16>,
    /// The peer's own id for it, if it gave one.
    pub(crate) reference: Option<String>,
}

/// What the attempts of all channels share.
#[derive(Default)]
pub(crate) struct Wire {
    /// Made when it is first needed: reading the machine's certificates takes a while.
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Wire {
    /// Sends the alert, once. `undelivered` are the recipients of a mail that have not got it yet.
    pub(crate) async fn attempt(
        &self,
        channel: &Channel,
        alert: &Alert,
        undelivered: &mut Undelivered,
    ) -> Result<Taken, Trouble> {
        match &channel.target {
            Target::Slack(slack) => {
                let url = slack.url().map_err(|error| unmade(&error.to_string()))?;
                self.post(&url, encoded(&slack_body(alert))?, Vec::new()).await
            }
            Target::PagerDuty(pagerduty) => {
                let body = encoded(&pagerduty.body(alert))?;
                self.post(&pagerduty.url, body, Vec::new()).await
            }
            Target::Webhook(webhook) => {
                let body = encoded(&webhook_body(alert))?;
                let headers = webhook.headers(&alert.id, &body, SystemTime::now());
                self.post(&webhook.url, body, headers.into()).await
            }
            Target::Email(email) => smtp::send(email, alert, undelivered).await,
            Target::Sms(sms) => sns::publish(sms, alert).await,
            Target::Notify(_) => Err(unmade("a notification is the database's to make")),
        }
    }

    async fn post(
        &self,
        url: &Url,
        body: Vec<u8>,
        headers: Vec<(&'static str, String)>,
    ) -> Result<Taken, Trouble> {
        let answer = http::post(&self.tls, Request { url, headers, body }).await?;
        if (200..300).contains(&answer.status) {
            return Ok(Taken { status: Some(answer.status), reference: None });
        }
        let mut trouble = Trouble::answered(&url.peer.host, answer.status, answer.words);
        trouble.retry_after = answer.retry_after;
        Err(trouble)
    }
}

fn encoded(body: &Value) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(body).map_err(|error| unmade(&error.to_string()))
}

/// The message could not be made: never seen, since the channel and the texts were checked.
fn unmade(what: &str) -> Trouble {
    Trouble::lasting(
        FailureKind::Defect,
        format!("the message could not be made: {what}"),
        "This is a defect of sqs_sync: please report it.",
    )
}

/// Whether a connection failed over the peer's certificate.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    let is_certificate = |error: &(dyn Error + 'static)| {
        matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
    };
    // An io::Error has what it carries as no source, but inside.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    is_certificate(error)
        || inner.is_some_and(|inner| is_untrusted(inner))
        || error.source().is_some_and(is_untrusted)
}
