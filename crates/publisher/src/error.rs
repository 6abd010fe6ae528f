//! Whose fault an error is: the one table of it.
//!
//! The codes and what to do about each are SQS's: the botocore service model, AWS's "Common
//! Errors" page, and the legacy names that the header `x-amzn-query-error` carries
//! (`AWS.SimpleQueueService.NonExistentQueue`, `KMS.DisabledException`). A code that is not in
//! the table is judged by the HTTP status, or in an entry by `SenderFault`.

use std::time::Duration;

/// What a failure is about, and so who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The queue, its key or the right to use it. Other queues go on.
    Queue,
    /// The credentials, or the clock that signs with them. Nothing goes on.
    Credentials,
    /// SQS failed or throttled for longer than messages are retried.
    Service,
    /// SQS could not be reached, or its answer did not come.
    Network,
    /// The caller cancelled or stopped the publisher.
    Cancelled,
}

impl FailureKind {
    /// Its name, where there is no code of SQS's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Credentials => "credentials",
            Self::Service => "service",
            Self::Network => "network",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why messages could not be published. It never holds a secret or a message's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// SQS's code for it, if SQS gave one.
    pub code: Option<String>,
    /// In lower case, without a full stop; names the queue or the endpoint.
    pub message: String,
    /// What to do about it, in sentences.
    pub hint: Option<String>,
}

/// Whose fault an attempt's error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A message's; of a whole request's error: some message's in it.
    Row,
    /// Nobody's: SQS asks for fewer requests. Certainly not accepted.
    Throttled,
    Queue,
    Credentials,
    /// SQS's own, and passing.
    Service,
    /// The way to SQS and back, and passing.
    Network,
}

/// One attempt's error, for one message or for the whole request.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) class: Class,
    /// It is certain that this attempt was not accepted.
    pub(crate) certain: bool,
    pub(crate) code: Option<String>,
    /// Of a row's fault: SQS's reason. Of any other: the failure's message.
    pub(crate) what: String,
    pub(crate) hint: Option<String>,
}

impl Trouble {
    /// A trouble with the queue itself, found before any request was made.
    pub(crate) fn queue(what: String, hint: &str) -> Self {
        Self { class: Class::Queue, certain: true, code: None, what, hint: Some(hint.to_owned()) }
    }

    /// The credentials are none, found before SQS was asked.
    pub(crate) fn credentials(what: String, hint: &str) -> Self {
        let class = Class::Credentials;
        Self { class, certain: true, code: None, what, hint: Some(hint.to_owned()) }
    }

    /// Who gives the credentials cannot be reached for now.
    pub(crate) fn unreached(what: String) -> Self {
        Self { class: Class::Network, certain: true, code: None, what, hint: None }
    }

    /// It came about before a message was sent.
    pub(crate) fn before_sending(self) -> Self {
        Self { certain: true, ..self }
    }

    /// The signature was refused, which a wrong clock does too.
    pub(crate) fn is_about_signature(&self) -> bool {
        self.class == Class::Credentials && self.code.as_deref().is_some_and(is_about_signature)
    }

    pub(crate) fn failure(&self) -> Failure {
        Failure {
            kind: match self.class {
                Class::Row | Class::Queue => FailureKind::Queue,
                Class::Credentials => FailureKind::Credentials,
                Class::Throttled | Class::Service => FailureKind::Service,
                Class::Network => FailureKind::Network,
            },
            code: self.code.clone(),
            message: self.what.clone(),
            hint: self.hint.clone(),
        }
    }

    /// The failure that this is once retrying has been given up.
    pub(crate) fn failure_after(&self, attempts: u32, time: Duration) -> Failure {
        let mut failure = self.failure();
        let plural = if attempts == 1 { "" } else { "s" };
        let time = if time < Duration::from_secs(1) {
            format!("{} ms", time.as_millis())
        } else {
            format!("{} s", time.as_secs())
        };
        failure.message += &format!(", after {attempts} attempt{plural} in {time}");
        failure
    }
}

/// The class of an error that answers a whole request.
pub(crate) fn class_of_request(code: Option<&str>, status: u16) -> Class {
    if let Some(class) = code.and_then(class_of_code) {
        return class;
    }
    match status {
        // moto answers a failed authorisation as XML, whose code the SDK does not find.
        401 | 403 => Class::Credentials,
        429 => Class::Throttled,
        400 | 413 => Class::Row,
        408 | 500.. => Class::Service,
        // Not found, moved and the like: what is there is not this queue.
        _ => Class::Queue,
    }
}

/// The class of one entry's error, in an answer to a batch.
pub(crate) fn class_of_entry(code: &str, sender_fault: bool) -> Class {
    match class_of_code(code) {
        Some(class) => class,
        None if sender_fault => Class::Row,
        None => Class::Service,
    }
}

/// Of a code: whether it speaks of a signature or of the time that it was made at.
pub(crate) fn is_about_signature(code: &str) -> bool {
    ["Signature", "RequestExpired", "TimeTooSkewed"].iter().any(|part| code.contains(part))
}

/// `None` for what is not known to be about anything but the message.
fn class_of_code(code: &str) -> Option<Class> {
    let name = code.rsplit(['#', '.']).next().unwrap_or(code);
    let name = name.strip_suffix("Exception").unwrap_or(name);
    let about_kms = code.starts_with("KMS.") || name.starts_with("Kms");
    Some(match name {
        "RequestThrottled"
        | "Throttling"
        | "ThrottlingError"
        | "Throttled"
        | "KmsThrottled"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "OverLimit" => Class::Throttled,
        _ if about_kms => Class::Queue,
        "QueueDoesNotExist"
        | "NonExistentQueue"
        | "QueueDeletedRecently"
        | "AccessDenied"
        | "InvalidAddress"
        | "InvalidSecurity"
        | "UnsupportedOperation"
        | "UnknownOperation"
        | "InvalidAction" => Class::Queue,
        "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "MissingAuthenticationToken"
        | "ExpiredToken"
        | "InvalidToken"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "NotAuthorized"
        | "OptInRequired" => Class::Credentials,
        "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "InternalServiceError"
        | "ServiceUnavailable" => Class::Service,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_before_the_status() {
        for (code, status, class) in [
            ("RequestThrottled", 403, Class::Throttled),
            ("ThrottlingException", 400, Class::Throttled),
            ("KMS.ThrottlingException", 400, Class::Throttled),
            ("KmsThrottled", 400, Class::Throttled),
            ("KmsDisabled", 400, Class::Queue),
            ("KMS.AccessDeniedException", 400, Class::Queue),
            ("KMS.OptInRequired", 400, Class::Queue),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, Class::Queue),
            ("com.amazonaws.sqs#QueueDoesNotExist", 400, Class::Queue),
            ("AccessDeniedException", 400, Class::Queue),
            ("ExpiredTokenException", 403, Class::Credentials),
            ("IncompleteSignature", 400, Class::Credentials),
            ("InternalFailure", 400, Class::Service),
            ("AWS.SimpleQueueService.BatchRequestTooLong", 400, Class::Row),
            ("InvalidMessageContents", 400, Class::Row),
            ("MissingParameter", 400, Class::Row),
        ] {
            assert_eq!(class_of_request(Some(code), status), class, "{code}");
        }
    }

    #[test]
    fn without_a_known_code_the_status_decides() {
        for (status, class) in [
            (400, Class::Row),
            (401, Class::Credentials),
            (403, Class::Credentials),
            (404, Class::Queue),
            (301, Class::Queue),
            (413, Class::Row),
            (429, Class::Throttled),
            (500, Class::Service),
            (503, Class::Service),
        ] {
            assert_eq!(class_of_request(None, status), class, "{status}");
        }
    }

    #[test]
    fn an_entry_of_unknown_code_is_judged_by_its_sender_fault() {
        assert_eq!(class_of_entry("InvalidParameterValue", true), Class::Row);
        assert_eq!(class_of_entry("NeverHeardOf", true), Class::Row);
        assert_eq!(class_of_entry("NeverHeardOf", false), Class::Service);
        assert_eq!(class_of_entry("InternalError", false), Class::Service);
        assert_eq!(class_of_entry("RequestThrottled", true), Class::Throttled);
    }
}
