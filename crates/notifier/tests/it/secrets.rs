//! Where secrets are not, and where a channel does not lead.

use notifier::{Channel, FailureKind};

use crate::support::receiver::{Receiver, Reply, reply};
use crate::support::{QUICK, channel, deliver, failure, options};

const ROUTING_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn a_peer_that_repeats_a_secret_is_quoted_without_it() {
    // Far enough in that cutting the quotation would leave half of the secret.
    let receiver = Receiver::start(|_, request| {
        let body = String::from_utf8_lossy(&request.body);
        let key = body.find(ROUTING_KEY).map(|at| &body[at..at + ROUTING_KEY.len()]);
        let what = key.map_or_else(|| request.path.clone(), str::to_owned);
        Reply { body: format!("{}{what}", "x".repeat(285)), ..reply(400) }
    });
    let pagerduty = channel(
        "ops",
        &[("channel", "pagerduty"), ("endpoint_url", &receiver.url())],
        &[("routing_key", ROUTING_KEY)],
    );
    let message = failure(&deliver(&pagerduty, QUICK)).message.clone();
    assert!(message.contains("xxx(secret)") && !message.contains("01234"), "{message}");
    let slack = channel(
        "ops",
        &[("channel", "slack"), ("endpoint_url", &receiver.url())],
        &[("webhook_url", &format!("{}/services/T1/B2/secret", receiver.url()))],
    );
    let message = failure(&deliver(&slack, QUICK)).message.clone();
    assert!(message.contains("(secret)") && !message.contains("services"), "{message}");
}

#[test]
fn a_channel_shows_no_secret_when_it_is_printed() {
    let email = [
        ("channel", "email"),
        ("host", "smtp.example.com"),
        ("from", "a@example.com"),
        ("to", "b@example.com"),
    ];
    let sms = [("channel", "sms"), ("region", "eu-west-1"), ("phone_number", "+4915112345678")];
    let keys = [
        ("access_key_id", "AKIA"),
        ("secret_access_key", "hunter2-key"),
        ("session_token", "hunter2-token"),
    ];
    for (channel, secret) in [
        (
            channel(
                "a",
                &[("channel", "slack")],
                &[("webhook_url", "https://hooks.slack.com/services/T1/B2/hunter2")],
            ),
            "hunter2",
        ),
        (channel("b", &[("channel", "pagerduty")], &[("routing_key", ROUTING_KEY)]), ROUTING_KEY),
        (
            channel(
                "c",
                &[("channel", "webhook"), ("url", "https://example.com/")],
                &[("signing_secret", SIGNING)],
            ),
            "MfKQ",
        ),
        (channel("d", &email, &[("username", "u"), ("password", "hunter2")]), "hunter2"),
        (channel("e", &sms, &keys), "hunter2"),
    ] {
        assert!(!format!("{channel:?}").contains(secret), "{channel:?}");
    }
}

/// Names and forms that lead into the machine or its network, resolved only when connecting.
#[test]
fn a_channel_is_no_way_into_the_servers_network() {
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[fd00:ec2::254]",
    ] {
        let webhook = channel(
            "hook",
            &[("channel", "webhook"), ("url", &format!("https://{host}:9/latest/meta-data"))],
            &[("signing_secret", SIGNING)],
        );
        let answer = deliver(&webhook, QUICK);
        assert_eq!(answer.attempts, 1, "{host} {answer:?}");
        assert_eq!(failure(&answer).kind, FailureKind::Address, "{host}");
    }
    for host in ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"] {
        let webhook = channel(
            "hook",
            &[
                ("channel", "webhook"),
                ("url", &format!("http://{host}/latest/meta-data")),
                ("internal_network", "true"),
            ],
            &[("signing_secret", SIGNING)],
        );
        assert_eq!(failure(&deliver(&webhook, QUICK)).kind, FailureKind::Address, "{host}");
    }
}

/// Nor is an endpoint that a superuser has set by mistake.
#[test]
fn no_endpoint_is_where_clouds_keep_credentials() {
    let endpoint = ("endpoint_url", "http://169.254.169.254/latest");
    let keys = [("access_key_id", "AKIA"), ("secret_access_key", "hunter2")];
    for channel in [
        channel(
            "a",
            &[("channel", "slack"), endpoint],
            &[("webhook_url", "http://169.254.169.254/latest/meta-data")],
        ),
        channel("b", &[("channel", "pagerduty"), endpoint], &[("routing_key", ROUTING_KEY)]),
        channel(
            "c",
            &[
                ("channel", "sms"),
                ("region", "eu-west-1"),
                ("phone_number", "+4915112345678"),
                endpoint,
            ],
            &keys,
        ),
        channel(
            "d",
            &[
                ("channel", "email"),
                ("host", "169.254.169.254"),
                ("from", "a@example.com"),
                ("to", "b@example.com"),
                ("internal_network", "true"),
            ],
            &[],
        ),
    ] {
        let answer = deliver(&channel, QUICK);
        assert_eq!(failure(&answer).kind, FailureKind::Address, "{answer:?}");
    }
}

/// A role with USAGE makes a mapping of its own: where it leads is the server's to say.
#[test]
fn a_mapping_leads_nowhere_but_to_slack() {
    for url in [
        "https://evil.example/services/T1/B2/x",
        "https://hooks.slack.com.evil.example/services/x",
        "https://hooks.slack.com@evil.example/services/x",
        "https://hooks.slack.com:444/services/x",
        "http://hooks.slack.com/services/x",
        "https://169.254.169.254/",
    ] {
        let server = options(&[("channel", "slack")]);
        let mapping = options(&[("webhook_url", url)]);
        let error = Channel::new("ops", &server, &mapping).unwrap_err();
        assert!(!format!("{error:?}").contains("/services/x"), "{error:?}");
    }
    // An endpoint of the internal network lets a mapping in there, and nowhere else.
    let server = options(&[("channel", "slack"), ("endpoint_url", "http://chat.internal:8065/")]);
    let leads = |url: &str| Channel::new("ops", &server, &options(&[("webhook_url", url)])).is_ok();
    assert!(leads("http://chat.internal:8065/hooks/x"));
    for url in [
        "http://chat.internal/hooks/x",
        "https://chat.internal:8065/hooks/x",
        "http://database.internal:8065/hooks/x",
        "https://hooks.slack.com/services/x",
    ] {
        assert!(!leads(url), "{url}");
    }
}
