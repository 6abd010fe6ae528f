//! Mail, to a server that asks for encryption and a login.

use notifier::{Answer, Channel, FailureKind};

use crate::authority::Authority;
use crate::mail_server::MailServer;
use crate::support::{QUICK, channel, deliver, failure, is_delivered};

const LOGIN: Option<(&str, &str)> = Some(("alerts", "hunter2 geheim"));
const MAPPING: &[(&str, &str)] = &[("username", "alerts"), ("password", "hunter2 geheim")];

fn email(server: &MailServer, encryption: &str, to: &str, mapping: &[(&str, &str)]) -> Channel {
    let options = [
        ("channel", "email"),
        ("host", "localhost"),
        ("port", &server.port),
        ("encryption", encryption),
        ("from", "sqs_sync <alerts@example.com>"),
        ("to", to),
        ("internal_network", "true"),
    ];
    channel("mail", &options, mapping)
}

fn send(server: &MailServer, encryption: &str, to: &str) -> Answer {
    deliver(&email(server, encryption, to, MAPPING), QUICK)
}

#[test]
fn mail_goes_to_several_by_starttls_and_by_tls_with_a_login() {
    for encryption in ["starttls", "tls"] {
        let mut server = MailServer::start(encryption, LOGIN);
        let answer = send(&server, encryption, "ops@example.com, Änn <ann@example.com>");
        assert!(is_delivered(&answer) && answer.status == Some(250), "{answer:?}");
        let mail = server.next();
        assert_eq!(mail["sender"], "alerts@example.com");
        assert_eq!(mail["to"], serde_json::json!(["ops@example.com", "ann@example.com"]));
        assert_eq!((&mail["login"], &mail["encrypted"]), (&true.into(), &true.into()));
        let data = mail["data"].as_str().unwrap();
        assert!(data.contains("Subject: [FIRING] customers: run failed (shop)\r\n"), "{data}");
        assert!(data.contains("Date: Tue, 24 Nov 2026 18:10:09 +0000\r\n"), "{data}");
        assert!(data.contains("Message-ID: <message-1@example.com>\r\n"), "{data}");
        assert!(data.contains("Auto-Submitted: auto-generated\r\n"), "{data}");
        assert!(data.contains("text/plain") && data.contains("text/html"), "{data}");
    }
}

#[test]
fn a_relay_inside_the_network_needs_neither() {
    let mut server = MailServer::start("none", None);
    let answer = deliver(&email(&server, "none", "ops@example.com", &[]), QUICK);
    assert!(is_delivered(&answer), "{answer:?}");
    assert_eq!(server.next()["encrypted"], false);
}

#[test]
fn a_server_without_starttls_is_told_no_password_and_no_mail() {
    let server = MailServer::start("none", None);
    let answer = send(&server, "starttls", "ops@example.com");
    assert_eq!((answer.attempts, failure(&answer).kind), (1, FailureKind::Refused));
    assert_eq!(failure(&answer).message, "localhost does not offer STARTTLS");
}

#[test]
fn a_wrong_password_is_the_channels_fault_and_not_told() {
    let server = MailServer::start("starttls", LOGIN);
    let wrong = [("username", "alerts"), ("password", "wrong-password")];
    let answer = deliver(&email(&server, "starttls", "ops@example.com", &wrong), QUICK);
    assert_eq!((answer.attempts, answer.status), (1, Some(535)));
    assert_eq!(failure(&answer).kind, FailureKind::Refused);
    assert!(!format!("{answer:?}").contains("wrong-password"), "{answer:?}");
}

#[test]
fn a_recipient_that_is_refused_stops_no_other() {
    let mut server = MailServer::start("starttls", LOGIN);
    let answer = send(&server, "starttls", "gone@example.com, ops@example.com");
    assert_eq!(server.next()["to"], serde_json::json!(["ops@example.com"]));
    assert_eq!((answer.attempts, answer.status), (1, Some(550)));
    let message = "1 of 2 recipients have no mail, gone@example.com among them: \
                   localhost refused the mail (SMTP 550): 5.1.1 No such user here";
    assert_eq!(failure(&answer).message, message);
}

#[test]
fn a_recipient_that_is_put_off_is_tried_again_alone() {
    let mut server = MailServer::start("starttls", LOGIN);
    let answer = send(&server, "starttls", "later@example.com, ops@example.com");
    assert!(is_delivered(&answer) && answer.attempts == 2, "{answer:?}");
    assert_eq!(server.next()["to"], serde_json::json!(["ops@example.com"]));
    assert_eq!(server.next()["to"], serde_json::json!(["later@example.com"]));
}

#[test]
fn a_server_that_cannot_take_mail_for_now_is_given_up_after_some_attempts() {
    let server = MailServer::start("starttls", LOGIN);
    let answer = send(&server, "starttls", "full@example.com");
    assert_eq!((answer.attempts, answer.status), (3, Some(452)));
    assert_eq!(failure(&answer).kind, FailureKind::Unavailable);
}

#[test]
fn a_server_of_another_authority_is_told_no_password_and_no_mail() {
    Authority::trusted();
    for encryption in ["starttls", "tls"] {
        let server = MailServer::known_by(&Authority::new(), encryption, LOGIN);
        let answer = send(&server, encryption, "ops@example.com");
        assert_eq!((answer.attempts, failure(&answer).kind), (1, FailureKind::Network));
        assert!(failure(&answer).message.contains("UnknownIssuer"), "{answer:?}");
        assert!(failure(&answer).hint.as_ref().unwrap().contains("SSL_CERT_FILE"));
    }
}
