//! What an error of the SDK says, as a [`Trouble`].
//!
//! The texts name the queue and the endpoint. SQS's own words are quoted where they help with a
//! row or a queue, cut to a length; about credentials never, nor where they tell a secret: an
//! error about a signature quotes the signed request, session token included.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Class, Trouble, class_of_entry, class_of_request, is_about_signature};
use crate::identity::{Identity, quotes_a_request};

/// The most characters of SQS's own words that are quoted.
const QUOTE_LIMIT: usize = 500;

/// What a request was about, for its errors' texts.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) endpoint: &'a str,
    /// As whom it was signed, if not with keys on their way to those of a role.
    pub(crate) identity: Option<&'a Identity>,
    /// How long the answer was awaited.
    pub(crate) patience: Duration,
}

#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// The queue that a sync calls so.
    Queue(&'a str),
    /// The queues that there are.
    List,
    /// The role that is to be assumed.
    Role(&'a str),
    /// Whom the keys belong to.
    Caller,
}

impl Subject<'_> {
    /// What is asked before anything is sent fails for the credentials' sake, if not in passing.
    fn judge(self, class: Class) -> Class {
        match (self, class) {
            (Self::Role(_) | Self::Caller, Class::Row | Class::Queue) => Class::Credentials,
            _ => class,
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(queue) => write!(f, "queue \"{queue}\""),
            Self::List => f.write_str("the list of queues"),
            Self::Role(arn) => write!(f, "role {arn}"),
            Self::Caller => f.write_str("the caller's identity"),
        }
    }
}

impl About<'_> {
    /// The trouble with a whole request.
    pub(crate) fn request<E>(self, error: &SdkError<E, HttpResponse>) -> Trouble
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ConstructionFailure(_) => self.unmade(error),
            SdkError::TimeoutError(_) => self.no_answer(self.patience),
            SdkError::DispatchFailure(dispatch) if dispatch.is_user() => self.unmade(error),
            SdkError::DispatchFailure(_) if never_connected(error) => self
                .network(true, format!("could not reach {}: {}", self.endpoint, root_cause(error))),
            SdkError::DispatchFailure(_) => self.network(
                false,
                format!(
                    "the connection to {} was lost before the answer came: {}",
                    self.endpoint,
                    root_cause(error)
                ),
            ),
            SdkError::ServiceError(answer) => {
                let (code, words) = (answer.err().code(), answer.err().message());
                self.answered(answer.raw().status().as_u16(), code, words)
            }
            _ => self.unreadable(),
        }
    }

    /// The trouble with one entry of a batch.
    pub(crate) fn entry(self, code: &str, sender_fault: bool, words: Option<&str>) -> Trouble {
        let class = class_of_entry(code, sender_fault);
        self.told(class, Some(code), words, None)
    }

    pub(crate) fn no_answer(self, patience: Duration) -> Trouble {
        let seconds = patience.as_secs_f64();
        self.network(false, format!("no answer from {} within {seconds} s", self.endpoint))
    }

    /// SQS answered, and left open what became of a message.
    pub(crate) fn unreadable(self) -> Trouble {
        Trouble {
            class: Class::Service,
            certain: false,
            code: None,
            what: format!("{} gave an answer that cannot be read", self.endpoint),
            hint: None,
        }
    }

    /// SQS acknowledged a message with another MD5 than that of what was sent.
    pub(crate) fn altered(self, what: &str) -> Trouble {
        Trouble {
            class: Class::Service,
            certain: false,
            code: None,
            what: format!(
                "{} acknowledged {what} than was sent to {}",
                self.endpoint, self.subject
            ),
            hint: None,
        }
    }

    fn answered(self, status: u16, code: Option<&str>, words: Option<&str>) -> Trouble {
        if (200..300).contains(&status) {
            return self.unreadable();
        }
        let class = self.subject.judge(class_of_request(code, status));
        self.told(class, code, words, Some(status))
    }

    fn told(
        self,
        class: Class,
        code: Option<&str>,
        words: Option<&str>,
        status: Option<u16>,
    ) -> Trouble {
        let About { subject, endpoint, .. } = self;
        let status = status.map(|status| format!("HTTP {status}"));
        let name = code.or(status.as_deref()).unwrap_or("no code");
        let is_fit = |words: &&str| !words.is_empty() && !self.tells(words);
        let words = words.filter(is_fit).map(quote);
        let what = match class {
            Class::Row => words.unwrap_or_else(|| format!("SQS refused the message ({name})")),
            Class::Throttled => format!("SQS throttles requests to {subject} ({name})"),
            Class::Queue => match words {
                Some(words) => format!("SQS refused requests to {subject}: {name}: {words}"),
                None => format!("SQS refused requests to {subject}: {name}"),
            },
            Class::Credentials => self.refused(name, words.as_deref()),
            Class::Service | Class::Network => {
                format!("{endpoint} could not answer requests to {subject} ({name})")
            }
        };
        Trouble {
            class,
            certain: class != Class::Service,
            code: code.map(str::to_owned),
            what,
            hint: self.hint(class, name).map(str::to_owned),
        }
    }

    fn tells(self, words: &str) -> bool {
        let tells = |identity: &Identity| identity.is_told_by(words.as_bytes());
        quotes_a_request(words.as_bytes()) || self.identity.is_some_and(tells)
    }

    fn refused(self, code: &str, words: Option<&str>) -> String {
        let endpoint = self.endpoint;
        match (self.subject, self.identity) {
            // These say who may not assume which role, and quote nothing that was signed.
            (Subject::Role(arn), _) if code.contains("AccessDenied") => {
                let words = words.map(|words| format!(": {words}")).unwrap_or_default();
                format!("role {arn} cannot be assumed: {code}{words}")
            }
            (Subject::Role(arn), _) => {
                format!("role {arn} cannot be assumed: {endpoint} refused it ({code})")
            }
            (_, Some(identity)) => format!("{endpoint} refused {identity} ({code})"),
            (_, None) => format!("{endpoint} refused the connection's credentials ({code})"),
        }
    }

    fn hint(self, class: Class, code: &str) -> Option<&'static str> {
        let gives_keys = self.identity.is_none_or(Identity::has_given_keys_only);
        Some(match class {
            Class::Throttled => "Fewer requests in flight, or a higher quota at AWS, would help.",
            Class::Queue if code.contains("AccessDenied") => match self.subject {
                Subject::List => "Allow sqs:ListQueues on the resource \"*\".",
                Subject::Queue(_) => {
                    "Allow sqs:SendMessage on the queue, and sqs:ListQueues on \"*\" where it is named without its URL or ARN."
                }
                Subject::Role(_) | Subject::Caller => return None,
            },
            Class::Queue if code.starts_with("Kms") || code.starts_with("KMS.") => {
                "Check the queue's KMS key and the right to use it."
            }
            Class::Queue => {
                "Check that the queue exists, and the connection's region and endpoint."
            }
            Class::Credentials if code.contains("AccessDenied") => {
                "The role's trust policy must name who assumes it, and the external id of the user mapping: sqs_sync_trust_policy writes it."
            }
            Class::Credentials if !gives_keys => {
                "They were renewed once and refused again. Check the role at AWS, and the clock of this server."
            }
            Class::Credentials if code.contains("Expired") && code.contains("Token") => {
                "The session token has expired: set new credentials."
            }
            Class::Credentials if is_about_signature(code) => {
                "Check the secret access key, and the clock of this server."
            }
            Class::Credentials => {
                "Check the access key, the secret access key and the session token."
            }
            Class::Row | Class::Service | Class::Network => return None,
        })
    }

    fn network(self, certain: bool, what: String) -> Trouble {
        Trouble {
            class: Class::Network,
            certain,
            code: None,
            what,
            hint: Some(
                "Check the endpoint's address, and the network and firewalls between here and there."
                    .to_owned(),
            ),
        }
    }

    /// The SDK would not make a request of what it was given.
    fn unmade(self, error: &(dyn Error + 'static)) -> Trouble {
        Trouble::queue(
            format!(
                "no request can be made to {} at {}: {}",
                self.subject,
                self.endpoint,
                root_cause(error)
            ),
            "Check the connection's region and endpoint.",
        )
    }
}

/// Whether the connection, TLS handshake included, was never made: then nothing was written.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|cause| {
        cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

/// The innermost cause: "connection refused", "invalid peer certificate: UnknownIssuer".
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let Some(cause) = chain(error).last() else {
        return quote(&error.to_string());
    };
    match cause.downcast_ref::<std::io::Error>() {
        Some(io) if io.raw_os_error().is_some() => io.kind().to_string(),
        _ => quote(&cause.to_string()),
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// On one line, without the full stop, and not too long.
fn quote(words: &str) -> String {
    let line: String =
        words.chars().take(QUOTE_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().trim_end_matches('.').to_owned()
}
