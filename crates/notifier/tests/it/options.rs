//! Options that make no channel, and what is said of them.

use notifier::{Channel, ChannelKind, check_mapping, check_server, superuser_option};
use publisher::OptionFault;

use crate::support::options;

type Given<'a> = &'a [(&'a str, &'a str)];

const EMAIL: Given<'_> = &[
    ("channel", "email"),
    ("host", "smtp.example.com"),
    ("from", "Alerts <alerts@example.com>"),
    ("to", "ops@example.com"),
];

fn server_error(given: Given<'_>) -> (OptionFault, String, String) {
    let error = check_server(&options(given)).unwrap_err();
    (error.fault, error.message, error.hint.unwrap())
}

fn mapping_error(given: Given<'_>) -> (OptionFault, String, String) {
    let error = check_mapping(&options(given)).unwrap_err();
    (error.fault, error.message, error.hint.unwrap())
}

/// The options with one more, or with another value of one.
fn with<'a>(given: Given<'a>, name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let others = given.iter().filter(|(other, _)| *other != name).copied();
    others.chain([(name, value)]).collect()
}

#[test]
fn a_mistyped_option_is_told_the_one_that_was_meant() {
    let (fault, message, hint) = server_error(&with(EMAIL, "form", "a@example.com"));
    assert_eq!(fault, OptionFault::Unknown);
    assert_eq!(message, "invalid option \"form\" of a server of the channel email");
    assert!(hint.starts_with("Perhaps from? Options of a server of the channel email are: "));
    let (_, message, hint) = mapping_error(&[("webhok_url", "https://hooks.slack.com/x")]);
    assert_eq!(message, "invalid option \"webhok_url\" of a user mapping");
    assert!(hint.starts_with("Perhaps webhook_url? "), "{hint}");
}

#[test]
fn a_secret_on_the_server_is_told_where_it_belongs() {
    let (_, message, hint) =
        server_error(&[("channel", "slack"), ("webhook_url", "https://hooks.slack.com/x")]);
    assert_eq!(message, "invalid option \"webhook_url\" of a server of the channel slack");
    assert!(hint.starts_with("It belongs to the user mapping. "), "{hint}");
    let (_, _, hint) = mapping_error(&[("phone_number", "+4915112345678")]);
    assert_eq!(hint, "It belongs to the server.");
}

#[test]
fn the_channel_is_required_and_one_of_its_kinds() {
    assert_eq!(server_error(&[]).1, "option \"channel\" of the server is missing");
    let (_, message, hint) = server_error(&[("channel", "slak")]);
    assert_eq!(message, "option \"channel\" is not a kind of channel");
    assert!(hint.starts_with("Perhaps slack? Kinds of channel are: slack, pagerduty, "), "{hint}");
}

#[test]
fn what_is_required_is_missed_by_its_name() {
    for (given, missing) in [
        (&[("channel", "webhook")][..], "option \"url\" of the server is missing"),
        (&[("channel", "email")][..], "option \"host\" of the server is missing"),
        (&[("channel", "sms")][..], "option \"region\" of the server is missing"),
        (
            &[("channel", "sms"), ("region", "eu-west-1")][..],
            "option \"phone_number\" or \"topic_arn\" of the server is missing",
        ),
    ] {
        let (fault, message, _) = server_error(given);
        assert_eq!((fault, message.as_str()), (OptionFault::Missing, missing));
    }
    let error = Channel::new("ops", &options(&[("channel", "slack")]), &[]).unwrap_err();
    assert_eq!(error.message, "option \"webhook_url\" of the user mapping is missing");
    let half = options(&[("username", "u")]);
    let error = Channel::new("ops", &options(EMAIL), &half).unwrap_err();
    assert_eq!(error.message, "option \"password\" of the user mapping is missing");
}

#[test]
fn values_that_cannot_be_are_refused_by_name_and_never_quoted() {
    let sms: Given<'_> =
        &[("channel", "sms"), ("region", "eu-west-1"), ("phone_number", "+4915112345678")];
    let topic = with(sms, "topic_arn", "arn:aws:sns:eu-west-1:123456789012:alerts");
    assert!(check_server(&options(&topic)).is_err(), "both a phone and a topic");
    let error = server_error(&with(EMAIL, "encryption", "none"));
    assert_eq!(error.0, OptionFault::Invalid);
    let webhook: Given<'_> = &[("channel", "webhook"), ("url", "https://example.com/")];
    for (given, name, value) in [
        (EMAIL, "host", "smtp.example.com/x"),
        (EMAIL, "host", "a b"),
        (EMAIL, "port", "0"),
        (EMAIL, "port", "65536"),
        (EMAIL, "encryption", "ssl"),
        (EMAIL, "from", "nobody"),
        (EMAIL, "from", "a@example.com\r\nBcc: b@example.com"),
        (EMAIL, "to", "ops@example.com;b@example.com"),
        (EMAIL, "to", "ops@example.com, "),
        (EMAIL, "to", "größe@example.com"),
        (EMAIL, "internal_network", "yes"),
        (sms, "phone_number", "015112345678"),
        (sms, "phone_number", "+49 151 1234"),
        (sms, "region", "evil.example/"),
        (webhook, "url", "http://example.com/"),
        (webhook, "url", "example.com"),
        (webhook, "url", " "),
        (&[("channel", "pagerduty")], "region", "mars"),
    ] {
        let error = check_server(&options(&with(given, name, value))).unwrap_err();
        assert_eq!(error.fault, OptionFault::Invalid, "{name} {value:?} {error:?}");
        assert!(error.message.contains(&format!("\"{name}\"")), "{error:?}");
        assert!(value.trim().is_empty() || !error.message.contains(value), "{error:?}");
    }
}

#[test]
fn a_mapping_has_the_options_of_one_kind() {
    for given in [
        &[][..],
        &[("webhook_url", "https://hooks.slack.com/services/x")][..],
        &[("username", "u"), ("password", "p")][..],
        &[("access_key_id", "a"), ("secret_access_key", "s")][..],
    ] {
        check_mapping(&options(given)).unwrap();
    }
    let (fault, ..) = mapping_error(&[("username", "u"), ("routing_key", "x")]);
    assert_eq!(fault, OptionFault::Unknown);
    let (fault, message, _) = mapping_error(&[("access_key_id", "a")]);
    assert_eq!(fault, OptionFault::Missing);
    assert_eq!(message, "option \"secret_access_key\" of the user mapping is missing");
}

#[test]
fn what_reaches_inside_the_network_is_a_superusers_to_set() {
    let asks = |given: Given<'_>| superuser_option(&options(given));
    assert_eq!(asks(EMAIL), None);
    assert_eq!(asks(&with(EMAIL, "internal_network", "true")), Some("internal_network"));
    assert_eq!(asks(&[("channel", "slack"), ("endpoint_url", "x")]), Some("endpoint_url"));
}

#[test]
fn each_kind_can_be_made() {
    let given: [(Given<'_>, ChannelKind); 5] = [
        (&[("channel", "slack")], ChannelKind::Slack),
        (&[("channel", "pagerduty"), ("region", "eu")], ChannelKind::PagerDuty),
        (
            &[
                ("channel", "sms"),
                ("region", "eu-west-1"),
                ("topic_arn", "arn:aws:sns:eu-west-1:123456789012:alerts"),
            ],
            ChannelKind::Sms,
        ),
        (EMAIL, ChannelKind::Email),
        (&[("channel", "webhook"), ("url", "https://example.com/a?b=c")], ChannelKind::Webhook),
    ];
    for (server, kind) in given {
        assert_eq!(check_server(&options(server)).unwrap(), kind);
    }
}
