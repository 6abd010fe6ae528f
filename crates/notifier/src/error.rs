//! What can go wrong: with the options of a channel, and with a delivery. No text of either holds
//! a secret.

use std::time::Duration;

use publisher::OptionError;

use crate::text::line;

/// The most characters of a peer's own words that are quoted.
const QUOTE_LIMIT: usize = 300;

/// An option that there is none of by that name, or not on this object.
pub(crate) fn unknown(message: String, hint: impl Into<String>) -> OptionError {
    OptionError::unknown(message).hint(hint)
}

/// An option that is required and not given.
pub(crate) fn missing(message: impl Into<String>, hint: impl Into<String>) -> OptionError {
    OptionError::missing(message).hint(hint)
}

/// An option of a value that cannot be.
pub(crate) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> OptionError {
    OptionError::invalid(message).hint(hint)
}

/// What a failed delivery is about, and so who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The peer refused the message, or us: the channel's options are to be mended.
    Refused,
    /// The peer failed, or asked for fewer messages, for longer than is tried.
    Unavailable,
    /// The peer could not be reached, or did not answer.
    Network,
    /// The peer is at an address that this channel may not reach.
    Address,
    /// The notifier was stopped.
    Cancelled,
    /// The notifier itself failed.
    Defect,
}

/// Why an alert was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// In lower case, without a full stop; names the peer's host.
    pub message: String,
    /// What to do about it, in sentences.
    pub hint: Option<String>,
}

/// One attempt's error.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// Without the peer's own words.
    failure: Failure,
    /// Those, as they came: a secret may be among them.
    words: String,
    /// It may be otherwise at the next attempt.
    pub(crate) passes: bool,
    /// What the peer answered with: of HTTP or of SMTP.
    pub(crate) status: Option<u16>,
    /// The peer named a time before which it wants no further attempt.
    pub(crate) retry_after: Option<Duration>,
}

impl Trouble {
    pub(crate) fn network(message: String) -> Self {
        Self::passing(
            FailureKind::Network,
            message,
            "Check the network and firewalls between this server and there. No HTTP proxy is used.",
        )
    }

    /// An address that the channel may not reach. Which one is not told: who makes a channel is
    /// not to learn the names and addresses of this network.
    pub(crate) fn address(host: &str) -> Self {
        Self::lasting(
            FailureKind::Address,
            format!("{host} is at an address that the channel may not reach"),
            "Only public addresses are reached, unless a superuser has allowed the internal network. \
             In clear text only this machine is, and link-local addresses never are.",
        )
    }

    /// A certificate that is not the peer's, or of nobody whom this server trusts.
    pub(crate) fn certificate(host: &str, what: &str) -> Self {
        Self::lasting(
            FailureKind::Network,
            format!("no TLS connection to {host}: {what}"),
            "Check the host's name. An authority of one's own is trusted once it is installed on \
             this server, or in the file that the server's environment names as SSL_CERT_FILE.",
        )
    }

    /// What the peer answered, if that is no success.
    pub(crate) fn answered(host: &str, status: u16, words: String) -> Self {
        let trouble = match status {
            429 => Self::passing(
                FailureKind::Unavailable,
                format!("{host} asks for fewer messages (HTTP 429)"),
                "Fewer alerts on this channel, or a longer reminder interval, would help.",
            ),
            408 | 500.. => Self::passing(
                FailureKind::Unavailable,
                format!("{host} could not take the message (HTTP {status})"),
                "Look at the status page of that service.",
            ),
            300..400 => Self::lasting(
                FailureKind::Refused,
                format!("{host} answers with a redirect (HTTP {status}), which is not followed"),
                "Give the address to which it leads.",
            ),
            _ => Self::lasting(
                FailureKind::Refused,
                format!("{host} refused the message (HTTP {status})"),
                "Check the options of the channel's server and of its user mapping.",
            ),
        };
        trouble.with_status(Some(status)).saying(words)
    }

    pub(crate) fn passing(kind: FailureKind, message: String, hint: &str) -> Self {
        Self { passes: true, ..Self::lasting(kind, message, hint) }
    }

    pub(crate) fn lasting(kind: FailureKind, message: String, hint: &str) -> Self {
        let failure = Failure { kind, message, hint: Some(hint.to_owned()) };
        Self { failure, words: String::new(), passes: false, status: None, retry_after: None }
    }

    pub(crate) fn with_status(self, status: Option<u16>) -> Self {
        Self { status, ..self }
    }

    /// With the peer's own words.
    pub(crate) fn saying(self, words: String) -> Self {
        Self { words, ..self }
    }

    /// About some of a mail's recipients.
    pub(crate) fn about(mut self, what: &str, hint: &str) -> Self {
        self.failure.message = format!("{what}: {}", self.failure.message);
        self.failure.hint = Some(hint.to_owned());
        self
    }

    /// The failure, with what the peer said. Secrets are taken out before the words are cut to a
    /// length, which could leave half of one.
    pub(crate) fn failure(self, redact: impl Fn(&str) -> String) -> Failure {
        let words = line(&redact(&self.words), QUOTE_LIMIT);
        let mut failure = self.failure;
        if !words.is_empty() {
            failure.message += &format!(": {}", words.trim_end_matches('.'));
        }
        Failure { message: redact(&failure.message), ..failure }
    }
}
