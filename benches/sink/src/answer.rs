//! What goes back to a client, and what happens to the connection then.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use crate::error::RequestError;

/// An answer, and when and how it is given.
pub(crate) struct Answer {
    pub(crate) after: Duration,
    pub(crate) ending: Ending,
    status: StatusCode,
    query_error: Option<String>,
    body: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The answer is given.
    Whole,
    /// The connection is closed in the middle of the answer.
    Cut,
    /// There is no answer: the connection is reset.
    Reset,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self {
            after: Duration::ZERO,
            ending: Ending::Whole,
            status: StatusCode::OK,
            query_error: None,
            body: body.into(),
        }
    }

    pub(crate) fn refusal(status: StatusCode, body: String) -> Self {
        Self { status, ..Self::ok(body) }
    }

    pub(crate) fn error(error: &RequestError) -> Self {
        Self {
            query_error: Some(error.query_error()),
            ..Self::refusal(error.status(), error.body())
        }
    }

    pub(crate) fn reset() -> Self {
        Self { ending: Ending::Reset, ..Self::ok(Bytes::new()) }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    /// As hyper gives it.
    pub(crate) fn into_response(self, content_type: &'static str) -> Response<Content> {
        let left = match self.ending {
            Ending::Cut => Left::Half,
            Ending::Whole | Ending::Reset => Left::All,
        };
        let mut response = Response::new(Content { body: self.body, left });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(error) = self.query_error.and_then(|error| error.try_into().ok()) {
            headers.insert("x-amzn-query-error", error);
        }
        response
    }
}

/// An answer's body. One that is cut fails after its first half was written, which makes hyper
/// give the connection up.
pub(crate) struct Content {
    body: Bytes,
    left: Left,
}

#[derive(Clone, Copy)]
enum Left {
    All,
    Half,
    /// The half is with hyper, and has yet to be written.
    Flush,
    Failure,
    Nothing,
}

/// The end of an answer that is cut.
#[derive(Debug, thiserror::Error)]
#[error("cut, as set")]
pub(crate) struct Cut;

impl Body for Content {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let half = self.body.len() / 2;
        let (left, poll) = match self.left {
            Left::All => (Left::Nothing, Poll::Ready(Some(Ok(self.body.split_off(0))))),
            Left::Half => (Left::Flush, Poll::Ready(Some(Ok(self.body.slice(..half))))),
            Left::Flush => {
                context.waker().wake_by_ref();
                (Left::Failure, Poll::Pending)
            }
            Left::Failure => (Left::Nothing, Poll::Ready(Some(Err(Cut)))),
            Left::Nothing => (Left::Nothing, Poll::Ready(None)),
        };
        self.left = left;
        poll.map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.left, Left::Nothing)
    }

    /// The whole length, also of what is cut.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.len() as u64)
    }
}
