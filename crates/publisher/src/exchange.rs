//! One call of SQS's API as it was seen: what was sent, word for word, and what came back.
//!
//! Of a request only its body is kept, which holds no secret: signature and session token are in
//! headers, and none of those is looked at. (Not so where credentials are asked for: of such a call no
//! body is kept.) Of an answer its body is kept too, unless it is an
//! answer to credentials, or there are words of a signature in it: an error about one quotes the
//! signed request.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_sqs::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use aws_smithy_types::body::SdkBody;

use crate::error::{Class, Trouble};
use crate::identity::{Identity, quotes_a_request};

/// The longest body of a request or an answer that is kept, in bytes.
const LONGEST: usize = 256 << 10;
/// The longest request id that is believed to be one.
const LONGEST_ID: usize = 128;

/// A call that has ended, or whose answer is no longer awaited.
#[derive(Debug)]
pub struct Exchange {
    pub operation: &'static str,
    /// What was called: the URL of the queue, or the name that was looked for; or the role that
    /// was assumed.
    pub queue: Arc<str>,
    /// How often the same messages were tried, this time included.
    pub attempt: u32,
    pub at: SystemTime,
    pub latency: Duration,
    /// None: no answer came.
    pub status: Option<u16>,
    /// By which AWS finds the call. Not every server gives one.
    pub request_id: Option<String>,
    pub request: Body,
    pub response: Body,
    /// What became of each message, in their order.
    pub entries: Vec<Told>,
    /// Why the call failed as a whole.
    pub error: Option<String>,
    /// Calls before this one of which nothing could be kept.
    pub dropped: u64,
}

/// What a call came to for one of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The message's id: its change.
    pub id: i64,
    pub result: Answered,
}

/// What SQS said of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It has taken it; its answer says what it calls it.
    Accepted,
    /// It refuses the message for what it holds.
    Rejected { code: Option<String>, error: String },
    /// It certainly has not taken it, this time.
    NotAccepted { code: Option<String>, error: String },
    /// It may have taken it.
    InDoubt { code: Option<String>, error: String },
}

impl Exchange {
    /// Memory that it takes, in bytes, about.
    pub(crate) fn size(&self) -> usize {
        let entries = self.entries.len() * (size_of::<Told>() + 40);
        size_of::<Self>() + self.request.kept() + self.response.kept() + entries
    }
}

/// The body of a request, or of an answer.
#[derive(Debug, Default)]
pub struct Body {
    bytes: Option<SdkBody>,
    length: usize,
}

impl Body {
    fn of(body: &SdkBody) -> Self {
        let length = body.bytes().map_or(0, <[u8]>::len);
        // A clone shares the bytes.
        let bytes = if (1..=LONGEST).contains(&length) { body.try_clone() } else { None };
        Self { bytes, length }
    }

    /// How long it was, also if it was not kept.
    pub fn length(&self) -> usize {
        self.length
    }

    /// None if there was none, or it is not kept: it is too long, or an answer to credentials.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_ref().and_then(SdkBody::bytes)
    }

    fn kept(&self) -> usize {
        self.bytes().map_or(0, <[u8]>::len)
    }
}

/// What is seen of a call while it is made.
#[derive(Default)]
struct Seen {
    request: Body,
    response: Body,
    status: Option<u16>,
    request_id: Option<String>,
}

tokio::task_local! {
    static SEEN: RefCell<Seen>;
}

/// A call that is being watched.
pub(crate) struct Call {
    at: SystemTime,
    started: Instant,
    seen: Seen,
}

/// What a call was about, and what it came to.
pub(crate) struct About {
    pub(crate) operation: &'static str,
    pub(crate) queue: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) entries: Vec<Told>,
    pub(crate) error: Option<String>,
    /// The credentials were refused: of such an answer nothing is kept.
    pub(crate) is_about_credentials: bool,
    /// It asks for credentials: nothing of it is kept that was said.
    pub(crate) is_for_credentials: bool,
}

impl About {
    /// A call without messages, which went so.
    pub(crate) fn of<T>(
        operation: &'static str,
        queue: Arc<str>,
        output: &Result<T, Trouble>,
    ) -> Self {
        let trouble = output.as_ref().err();
        Self {
            operation,
            queue,
            attempt: 1,
            entries: Vec::new(),
            error: trouble.map(|trouble| trouble.what.clone()),
            is_about_credentials: trouble.is_some_and(|t| t.class == Class::Credentials),
            is_for_credentials: false,
        }
    }

    /// The same of a call that asks for the credentials of a role.
    pub(crate) fn of_role<T>(
        operation: &'static str,
        role: &str,
        attempt: u32,
        output: &Result<T, Trouble>,
    ) -> Self {
        Self { attempt, is_for_credentials: true, ..Self::of(operation, role.into(), output) }
    }

    /// Whether all that was asked for was had.
    pub(crate) fn went_well(&self) -> bool {
        let is_accepted = |told: &Told| told.result == Answered::Accepted;
        self.error.is_none() && self.entries.iter().all(is_accepted)
    }
}

impl Call {
    /// Makes the call, and watches.
    pub(crate) async fn watch<T>(call: impl Future<Output = T>) -> (T, Self) {
        let (at, started) = (SystemTime::now(), Instant::now());
        let watched = SEEN.scope(RefCell::default(), async {
            let output = call.await;
            (output, SEEN.with(RefCell::take))
        });
        let (output, seen) = watched.await;
        (output, Self { at, started, seen })
    }

    pub(crate) fn end(self, about: About, identity: &Identity) -> Exchange {
        let Seen { mut request, mut response, status, request_id } = self.seen;
        let is_secret = |body: &[u8]| {
            about.is_about_credentials || quotes_a_request(body) || identity.is_told_by(body)
        };
        if about.is_for_credentials || response.bytes().is_some_and(is_secret) {
            response.bytes = None;
        }
        if about.is_for_credentials {
            request.bytes = None;
        }
        Exchange {
            operation: about.operation,
            queue: about.queue,
            attempt: about.attempt,
            at: self.at,
            latency: self.started.elapsed(),
            status,
            request_id,
            request,
            response,
            entries: about.entries,
            error: about.error,
            dropped: 0,
        }
    }
}

/// Sees what goes through the SDK in calls that are watched.
#[derive(Debug)]
pub(crate) struct Witness;

impl Intercept for Witness {
    fn name(&self) -> &'static str {
        "Witness"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // No call that is watched, no matter.
        let _ = SEEN.try_with(|seen| {
            seen.borrow_mut().request = Body::of(context.request().body());
        });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let _ = SEEN.try_with(|seen| {
            let Some(response) = context.response() else { return };
            let mut seen = seen.borrow_mut();
            seen.response = Body::of(response.body());
            seen.status = Some(response.status().as_u16());
            seen.request_id = response
                .headers()
                .get("x-amzn-requestid")
                .filter(|id| is_request_id(id))
                .map(str::to_owned);
        });
        Ok(())
    }
}

fn is_request_id(id: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_fit)
}
