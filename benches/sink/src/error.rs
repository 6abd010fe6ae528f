//! Errors as SQS gives them: for a whole request, or for one entry of a batch.

use std::borrow::Cow;

use hyper::StatusCode;
use serde_json::json;

/// A refusal of one message.
pub(crate) struct EntryError {
    pub(crate) code: &'static str,
    pub(crate) sender_fault: bool,
    pub(crate) message: Cow<'static, str>,
}

impl EntryError {
    /// The sender's own fault.
    pub(crate) fn sender(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, sender_fault: true, message: message.into() }
    }

    /// The service's fault.
    pub(crate) fn service(code: &'static str, message: &'static str) -> Self {
        Self { code, sender_fault: false, message: message.into() }
    }
}

/// A refusal of a request.
#[derive(Debug)]
pub(crate) struct RequestError {
    code: &'static str,
    message: Cow<'static, str>,
    sender_fault: bool,
}

impl RequestError {
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), sender_fault: true }
    }

    pub(crate) fn no_queue() -> Self {
        Self::new("QueueDoesNotExist", "The specified queue does not exist.")
    }

    /// The service cannot answer now.
    pub(crate) fn unavailable() -> Self {
        let code = "ServiceUnavailable";
        Self { code, message: "Injected: try again.".into(), sender_fault: false }
    }

    /// One message's refusal, when it was the whole request.
    pub(crate) fn of_entry(error: EntryError) -> Self {
        Self { code: error.code, message: error.message, sender_fault: error.sender_fault }
    }

    /// Throttling is told as the sender's, whoever's it is.
    pub(crate) fn status(&self) -> StatusCode {
        if self.sender_fault || self.code == "RequestThrottled" {
            StatusCode::BAD_REQUEST
        } else if self.code == "ServiceUnavailable" {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }

    /// The header `x-amzn-query-error`: the code that the older query protocol has, and whose
    /// fault it is.
    pub(crate) fn query_error(&self) -> String {
        let (prefix, code) = match self.code {
            "QueueDoesNotExist" => ("AWS.SimpleQueueService.", "NonExistentQueue"),
            code @ ("BatchEntryIdsNotDistinct"
            | "BatchRequestTooLong"
            | "EmptyBatchRequest"
            | "InvalidBatchEntryId"
            | "TooManyEntriesInBatchRequest") => ("AWS.SimpleQueueService.", code),
            code => ("", code),
        };
        let fault = if self.status().is_client_error() { "Sender" } else { "Receiver" };
        format!("{prefix}{code};{fault}")
    }

    pub(crate) fn body(&self) -> String {
        json!({"__type": format!("com.amazonaws.sqs#{}", self.code), "message": self.message})
            .to_string()
    }
}
