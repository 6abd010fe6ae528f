//! Whom an https URL is trusted to be.

use std::sync::Arc;

use notifier::{Channel, FailureKind};
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Identity};
use crate::support::receiver::{Receiver, reply};
use crate::support::{QUICK, channel, deliver, failure, is_delivered};

fn receiver(identity: &Identity) -> Receiver {
    Receiver::serve(Some(TlsAcceptor::from(identity.config())), Arc::new(|_, _| reply(200)))
}

fn webhook(url: &str) -> Channel {
    channel(
        "hook",
        &[("channel", "webhook"), ("url", url), ("internal_network", "true")],
        &[("signing_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    )
}

#[test]
fn an_authority_of_ones_own_is_trusted_by_ssl_cert_file() {
    let receiver = receiver(&Authority::trusted().issue("localhost"));
    let answer =
        deliver(&webhook(&format!("https://localhost:{}/x", receiver.address.port())), QUICK);
    assert!(is_delivered(&answer), "{answer:?}");
    assert_eq!(receiver.received()[0].path, "/x");
}

#[test]
fn another_authority_and_another_name_are_not() {
    Authority::trusted();
    for (identity, reason) in [
        (Authority::new().issue("localhost"), "UnknownIssuer"),
        (Authority::trusted().issue("example.com"), "not valid for name"),
    ] {
        let receiver = receiver(&identity);
        let url = format!("https://localhost:{}/x", receiver.address.port());
        let answer = deliver(&webhook(&url), QUICK);
        assert_eq!((answer.attempts, failure(&answer).kind), (1, FailureKind::Network));
        assert!(failure(&answer).message.contains(reason), "{answer:?}");
        assert!(failure(&answer).hint.as_ref().unwrap().contains("SSL_CERT_FILE"));
        assert!(receiver.received().is_empty());
    }
}

#[test]
fn clear_text_is_no_answer_to_tls() {
    Authority::trusted();
    let receiver = Receiver::start(|_, _| reply(200));
    let answer = deliver(&webhook(&format!("https://{}/x", receiver.address)), QUICK);
    assert_eq!(failure(&answer).kind, FailureKind::Network);
    assert!(receiver.received().is_empty());
}
