//! Mail, by SMTP: plain text and a simple HTML page of the same.
//!
//! The messages about one thing refer to the same one, so that mail programs show them as a
//! thread. No name can add a header or an address: they are made from checked parts, and every
//! text in a header is one line.

use std::fmt::Write;

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes, MultiPart};
use publisher::OptionError;
use publisher::Secret;

use super::options::{Known, Options};
use super::url::{Peer, Reach};
use crate::alert::{Alert, clock};
use crate::error;
use crate::text::{cut, line};

pub(super) const OPTIONS: &[Known] = &[
    Known::of_server("host", "the mail server").required(),
    Known::of_server("port", "587, or 465 with `tls`, 25 with `none`, unless it is given"),
    Known::of_server(
        "encryption",
        "`starttls` unless it is given, `tls` from the first byte, or `none`: in the internal network, and without a password",
    ),
    Known::of_server("from", "the sender: `alerts@example.com`, or `Alerts <alerts@example.com>`")
        .required(),
    Known::of_server("to", "up to 50 addresses with commas between them").required(),
    Known::of_server(
        "internal_network",
        "`true`: the mail server may be in the internal network. A superuser's to set.",
    )
    .superuser(),
    Known::of_mapping("username", "for AUTH, with `password`"),
    Known::of_mapping("password", "for AUTH, with `username`"),
];

/// Of a subject. Mail programs show half of it.
const SUBJECT_LIMIT: usize = 150;
/// Of any other text.
const TEXT_LIMIT: usize = 4000;
const MOST_RECIPIENTS: usize = 50;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Upgraded before anything is said; a server that cannot is an error.
    StartTls,
    /// From the first byte.
    Tls,
    /// Not at all: inside the internal network alone.
    None,
}

#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: Secret,
}

#[derive(Clone, Debug)]
pub(crate) struct Email {
    pub(crate) peer: Peer,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<Login>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

pub(super) fn check_server(server: Options<'_>) -> Result<(), OptionError> {
    from(server)?;
    to(server)?;
    let encryption = encryption(server)?;
    peer(server, encryption).map(drop)
}

fn encryption(server: Options<'_>) -> Result<Encryption, OptionError> {
    let words =
        [("starttls", Encryption::StartTls), ("tls", Encryption::Tls), ("none", Encryption::None)];
    let encryption = server.one_of("encryption", &words, Encryption::StartTls)?;
    if encryption == Encryption::None && !server.is_true("internal_network")? {
        return Err(error::invalid(
            "option \"encryption\" is none, and the mail server is not in the internal network",
            "Write starttls or tls. A superuser may set internal_network.",
        ));
    }
    Ok(encryption)
}

fn peer(server: Options<'_>, encryption: Encryption) -> Result<Peer, OptionError> {
    let host = server.need("host")?.to_ascii_lowercase();
    let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    if !host.bytes().all(is_host) || host.starts_with('-') {
        return Err(error::invalid(
            "option \"host\" is not the name of a host",
            "It is a name alone, such as email-smtp.eu-west-1.amazonaws.com; the port is an option.",
        ));
    }
    let port = match (server.get("port"), encryption) {
        (Some(port), _) => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            error::invalid("option \"port\" is not a port", "It is a number from 1 to 65535.")
        })?,
        (None, Encryption::StartTls) => 587,
        (None, Encryption::Tls) => 465,
        (None, Encryption::None) => 25,
    };
    let is_internal = server.is_true("internal_network")?;
    let reach = if is_internal { Reach::Internal } else { Reach::Public };
    Ok(Peer { host, port, reach })
}

fn from(server: Options<'_>) -> Result<Mailbox, OptionError> {
    let from: Option<Mailbox> = server.need("from")?.parse().ok();
    from.filter(is_ascii).ok_or_else(|| {
        error::invalid(
            "option \"from\" is not a mail address",
            "It is alerts@example.com, or Alerts <alerts@example.com>.",
        )
    })
}

/// Not every server knows other addresses. Names may be in any script.
fn is_ascii(mailbox: &Mailbox) -> bool {
    AsRef::<str>::as_ref(&mailbox.email).is_ascii()
}

fn to(server: Options<'_>) -> Result<Vec<Mailbox>, OptionError> {
    let invalid = |what: &str| {
        error::invalid(
            format!("option \"to\" {what}"),
            "It is one address or several with commas between them: \
             ops@example.com, Ann <ann@example.com>.",
        )
    };
    let parsed: Mailboxes =
        server.need("to")?.parse().map_err(|_| invalid("is not a list of mail addresses"))?;
    let to: Vec<Mailbox> = parsed.into_iter().collect();
    if !to.iter().all(is_ascii) {
        return Err(invalid("has an address with letters beyond ASCII"));
    }
    match to.len() {
        0 => Err(invalid("names nobody")),
        1..=MOST_RECIPIENTS => Ok(to),
        _ => Err(invalid(&format!("has more than {MOST_RECIPIENTS} addresses"))),
    }
}

impl Email {
    pub(super) fn new(server: Options<'_>, mapping: Options<'_>) -> Result<Self, OptionError> {
        let encryption = encryption(server)?;
        let login = match (mapping.get("username"), mapping.get("password")) {
            (Some(username), Some(password)) => Some(Login {
                username: username.to_owned(),
                password: Secret::new(password.to_owned()),
            }),
            (None, None) => None,
            (username, _) => {
                let name = if username.is_some() { "password" } else { "username" };
                return Err(error::missing(
                    format!("option \"{name}\" of the user mapping is missing"),
                    "Give both, or neither.".to_owned(),
                ));
            }
        };
        if login.is_some() && encryption == Encryption::None {
            return Err(error::invalid(
                "option \"encryption\" is none, and the user mapping has a password",
                "A password is sent encrypted only: write starttls or tls.",
            ));
        }
        Ok(Self {
            peer: peer(server, encryption)?,
            encryption,
            login,
            from: from(server)?,
            to: to(server)?,
        })
    }

    pub(crate) fn from(&self) -> &Mailbox {
        &self.from
    }

    pub(crate) fn to(&self) -> &[Mailbox] {
        &self.to
    }

    /// The bytes that are sent, the same for every recipient.
    pub(crate) fn message(&self, alert: &Alert) -> Result<Vec<u8>, lettre::error::Error> {
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .date(alert.at)
            .message_id(Some(format!("<{}@{domain}>", token(&alert.id))))
            .references(format!("<{}@{domain}>", token(&alert.dedup_key)))
            .subject(subject(alert));
        for to in &self.to {
            message = message.to(to.clone());
        }
        let body = MultiPart::alternative_plain_html(plain(alert), html(alert));
        let mut message = message.multipart(body)?;
        // RFC 3834: no machine is to answer it.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(message.formatted())
    }

    pub(super) fn secrets(&self) -> Vec<&str> {
        self.login.iter().map(|login| login.password.expose()).collect()
    }
}

/// A part of a message id.
fn token(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '-' };
    let token: String = id.chars().take(200).map(plain).collect();
    let token = token.trim_matches('.').replace("..", ".-");
    if token.is_empty() { "alert".to_owned() } else { token }
}

fn subject(alert: &Alert) -> String {
    line(&format!("[{}] {} ({})", alert.news.label(), alert.title, alert.database), SUBJECT_LIMIT)
}

/// Name and value of all that is told beside the summary.
fn facts(alert: &Alert) -> Vec<(String, String)> {
    let own = [
        ("Alert", line(&alert.name, TEXT_LIMIT)),
        ("Database", line(&alert.database, TEXT_LIMIT)),
        ("Since", clock(alert.since)),
        ("Found", clock(alert.at)),
    ];
    let details = alert.details.iter();
    let details = details.map(|(name, value)| (line(name, TEXT_LIMIT), line(value, TEXT_LIMIT)));
    details.chain(own.map(|(name, value)| (name.to_owned(), value))).collect()
}

fn plain(alert: &Alert) -> String {
    let mut text = format!("{}\n\n{}\n\n", subject(alert), body_text(&alert.summary));
    for (name, value) in facts(alert) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    if let Some(runbook) = &alert.runbook {
        let _ = write!(text, "\n{}\n", body_text(runbook));
    }
    text
}

fn html(alert: &Alert) -> String {
    let mut rows = String::new();
    for (name, value) in facts(alert) {
        let (name, value) = (escaped(&name), escaped(&value));
        let _ = write!(
            rows,
            "<tr><th align=\"left\" valign=\"top\" style=\"padding-right:1em\">{name}</th>\
             <td>{value}</td></tr>"
        );
    }
    let runbook = alert.runbook.as_deref().map(body_text).unwrap_or_default();
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"font-family:sans-serif\"><h2>{}</h2><p>{}</p><table>{rows}</table>\
         <p>{}</p></body></html>",
        escaped(&subject(alert)),
        escaped(&body_text(&alert.summary)),
        escaped(&runbook),
    )
}

/// A text of the body: its lines stay.
fn body_text(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|text| line(text, TEXT_LIMIT)).collect();
    cut(lines.join("\n"), TEXT_LIMIT)
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::tests::alert;

    fn options(given: &[(&str, &str)]) -> Vec<(String, String)> {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn email() -> Email {
        let server = options(&[
            ("host", "smtp.example.com"),
            ("from", "sqs_sync <alerts@example.com>"),
            ("to", "ops@example.com, \"Änn, B.\" <ann@example.com>"),
        ]);
        Email::new(Options(&server), Options(&[])).unwrap()
    }

    /// The headers of a message, unfolded: name and value.
    fn headers(message: &[u8]) -> Vec<(String, String)> {
        let text = String::from_utf8(message.to_vec()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let split = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        head.split("\r\n").map(split).collect()
    }

    #[test]
    fn the_recipients_may_have_names_with_commas_and_umlauts() {
        let to: Vec<String> = email().to().iter().map(|to| to.email.to_string()).collect();
        assert_eq!(to, ["ops@example.com", "ann@example.com"]);
    }

    #[test]
    fn a_password_is_never_sent_in_clear_text() {
        let server = options(&[
            ("host", "relay"),
            ("from", "a@example.com"),
            ("to", "b@example.com"),
            ("encryption", "none"),
            ("internal_network", "true"),
        ]);
        let mapping = options(&[("username", "u"), ("password", "p")]);
        assert!(Email::new(Options(&server), Options(&[])).is_ok());
        assert!(Email::new(Options(&server), Options(&mapping)).is_err());
    }

    proptest! {
        #[test]
        fn no_name_adds_a_header_or_leaves_its_place_in_the_page(
            id in any::<String>(),
            name in "([a-zä<>&\"']|\r\n|\n|\r|\u{2028}|\0| |Bcc: x@evil.example){0,60}",
            dedup_key in any::<String>(),
        ) {
            let evil = Alert {
                id, dedup_key, title: name.clone(), database: name.clone(), name: name.clone(),
                summary: name.clone(), details: vec![(name.clone(), name.clone())],
                runbook: Some(name), ..alert()
            };
            let found = headers(&email().message(&evil).unwrap());
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            let usual = headers(&email().message(&alert()).unwrap());
            let usual: Vec<&str> = usual.iter().map(|(name, _)| name.as_str()).collect();
            prop_assert_eq!(names, usual);
            let id = &found.iter().find(|(name, _)| name == "Message-ID").unwrap().1;
            let id = id.strip_prefix('<').and_then(|id| id.strip_suffix("@example.com>")).unwrap();
            prop_assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'));
            let page = html(&evil);
            let tags = |page: &str| page.replace("<br>", "").matches('<').count();
            prop_assert_eq!(tags(&page), tags(&html(&alert())));
        }
    }
}
