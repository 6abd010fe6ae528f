//! Options of alert channels: whatever a server and a user mapping have, it is refused or makes a
//! channel of the kind that it says, alike in both orders of asking, and no value is told.

use fastrand::Rng;
use notifier::{Channel, check_mapping, check_server, superuser_option};

use crate::spoil::{Options, assert_silent, changed, first_of, one_in, pick, spoiled};

const KINDS: [&str; 5] = ["slack", "pagerduty", "sms", "email", "webhook"];

/// Names, and values of which the first is right.
const SERVER: [(&str, &[&str]); 13] = [
    (
        "endpoint_url",
        &[
            "http://localhost:4566",
            "https://zq7:pw@example.com",
            "ftp://zq7",
            "http://169.254.169.254/zq7",
        ],
    ),
    (
        "url",
        &[
            "https://example.com/alerts",
            "http://example.com/zq7",
            "https://zq7@example.com/",
            "https://[::1]/zq7",
        ],
    ),
    ("internal_network", &["true", "false", "yes-zq7"]),
    ("region", &["eu-west-1", "us", "eu", "zq7 1", "EU_zq7"]),
    ("topic_arn", &["arn:aws:sns:eu-west-1:123456789012:alerts", "arn:aws:sqs:zq7", "zq7"]),
    ("phone_number", &["+4915112345678", "015zq7", "+zq7"]),
    ("sender_id", &["sqssync", "zq7 too long to be one"]),
    ("host", &["smtp.example.com", "zq7 host", "-zq7", "https://zq7"]),
    ("port", &["587", "0", "65536", "zq7"]),
    ("encryption", &["starttls", "tls", "none", "zq7"]),
    ("from", &["alerts@example.com", "A <a@example.com>", "zq7", "a@b\u{e9}.example", "zq7@"]),
    ("to", &["a@example.com, b@example.com", "zq7", "a@example.com,,zq7"]),
    ("connection", &["aws", "zq7"]),
];

const MAPPING: [(&str, &[&str]); 8] = [
    (
        "webhook_url",
        &[
            "https://hooks.slack.com/services/T0/B0/zq7",
            "https://zq7.example/x",
            "http://hooks.slack.com/zq7",
            "zq7",
        ],
    ),
    (
        "routing_key",
        &["0123456789abcdef0123456789abcdef", "zq7", "0123456789abcdef0123456789abczq7!"],
    ),
    ("signing_secret", &["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_zq7", "zq7"]),
    ("username", &["zq7-user"]),
    ("password", &["zq7-password", "\u{e9}zq7"]),
    ("access_key_id", &["AKIAzq7", "zq7 with spaces"]),
    ("secret_access_key", &["zq7-secret", "zq7\nsecret"]),
    ("session_token", &["zq7-token"]),
];

/// The options that each kind needs, with values that are right.
fn right(kind: &str) -> (Options, Options) {
    let (server, mapping): (&[&str], &[&str]) = match kind {
        "slack" => (&[], &["webhook_url"]),
        "pagerduty" => (&[], &["routing_key"]),
        "sms" => (&["region", "phone_number"], &["access_key_id", "secret_access_key"]),
        "email" => (&["host", "from", "to"], &["username", "password"]),
        _ => (&["url"], &["signing_secret"]),
    };
    (first_of(&SERVER, server), first_of(&MAPPING, mapping))
}

pub fn trial(seed: u64) -> &'static str {
    let mut rng = Rng::with_seed(seed);
    let kind = pick(&mut rng, &KINDS);
    let (mut server, mut mapping) = right(kind);
    let name = if one_in(&mut rng, 20) { spoiled(&mut rng, kind) } else { kind.to_owned() };
    server.insert(0, ("channel".to_owned(), name));
    changed(&mut rng, &mut server, &SERVER);
    changed(&mut rng, &mut mapping, &MAPPING);

    let of_server = check_server(&server);
    let of_mapping = check_mapping(&mapping);
    let channel = Channel::new("alerts", &server, &mapping);
    let about = || format!("{server:?} and {mapping:?}");
    for error in [of_server.as_ref().err(), of_mapping.as_ref().err(), channel.as_ref().err()] {
        error
            .into_iter()
            .for_each(|it| assert_silent(&it.message, it.hint.as_deref(), &[&server, &mapping]));
    }
    // Whoever may set it is asked whatever else is wrong.
    if server.iter().any(|(name, _)| name == "endpoint_url" || name == "internal_network") {
        assert!(superuser_option(&server).is_some(), "{}", about());
    }
    match channel {
        Ok(channel) => {
            assert_eq!(of_server.as_ref().ok(), Some(&channel.kind()), "{}", about());
            assert!(of_mapping.is_ok(), "{of_mapping:?} of {}", about());
            let said = server.iter().find(|(name, _)| name == "channel").map(|(_, kind)| &**kind);
            assert_eq!(said, Some(channel.kind().name()));
            let shown = format!("{channel:?}");
            let is_secret = |name: &str| !matches!(name, "username" | "access_key_id");
            for (name, value) in mapping.iter().filter(|(name, _)| is_secret(name)) {
                // A shorter one may be a part of something else.
                assert!(
                    value.len() < 8 || !shown.contains(value.as_str()),
                    "{name} is shown: {shown}"
                );
            }
            "channels"
        }
        Err(_) if of_server.is_err() => "servers refused",
        Err(_) => "mappings refused",
    }
}
