//! One POST over HTTP/1.1. Redirects are not followed, no proxy is used, and of an answer no more
//! is read than its beginning.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use ::http::{HeaderMap, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use publisher::root_cause;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::dial::connect;
use super::{is_untrusted, unmade};
use crate::channel::Url;
use crate::error::Trouble;

/// How much of an answer's body is read.
const BODY_LIMIT: usize = 16 * 1024;

/// A receiver's log shows who it was.
const AGENT: &str = concat!("sqs_sync/", env!("CARGO_PKG_VERSION"));

pub(super) struct Request<'a> {
    pub(super) url: &'a Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    /// What the peer's `Retry-After` comes to.
    pub(super) retry_after: Option<Duration>,
    /// The beginning of the body.
    pub(super) words: String,
}

pub(super) async fn post(
    tls: &OnceCell<Arc<ClientConfig>>,
    request: Request<'_>,
) -> Result<Answer, Trouble> {
    let url = request.url;
    let stream = connect(&url.peer).await?;
    if !url.is_tls {
        return exchange(stream, request).await;
    }
    let host = &url.peer.host;
    let config = tls.get_or_try_init(async || tls_config()).await?;
    let name = ServerName::try_from(host.clone()).map_err(|error| unmade(&error.to_string()))?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    let stream = stream.map_err(|error| {
        let what = root_cause(&error);
        match is_untrusted(&error) {
            true => Trouble::certificate(host, &what),
            false => Trouble::network(format!("no TLS connection to {host}: {what}")),
        }
    })?;
    exchange(stream, request).await
}

/// The machine's certificate authorities, or those of `SSL_CERT_FILE`, as for SQS.
fn tls_config() -> Result<Arc<ClientConfig>, Trouble> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Trouble::network(
            "no certificate authorities are installed on this server".to_owned(),
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unmade(&error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

async fn exchange<S>(stream: S, request: Request<'_>) -> Result<Answer, Trouble>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let host = &request.url.peer.host;
    let lost = |error: hyper::Error| {
        Trouble::network(format!(
            "the connection to {host} was lost before the answer came: {}",
            root_cause(&error)
        ))
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    // Dropped with this function, it ends the connection.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let mut message = ::http::Request::post(request.url.path.as_str())
        .header(HOST, request.url.authority.as_str())
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/json");
    for (name, value) in request.headers {
        message = message.header(name, value);
    }
    let message = message
        .body(Full::new(Bytes::from(request.body)))
        .map_err(|error| unmade(&error.to_string()))?;
    let response = sender.send_request(message).await.map_err(lost)?;
    Ok(answer(response).await)
}

/// The status decides. A body that breaks off says less, and changes nothing.
async fn answer(response: Response<Incoming>) -> Answer {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut body = response.into_body();
    let mut read = Vec::new();
    while read.len() < BODY_LIMIT {
        let Some(Ok(frame)) = body.frame().await else {
            break;
        };
        read.extend_from_slice(frame.data_ref().map(Bytes::as_ref).unwrap_or_default());
    }
    read.truncate(BODY_LIMIT);
    Answer { status, retry_after, words: String::from_utf8_lossy(&read).into_owned() }
}

/// Seconds, or a time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_time_to_come() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(of("30"), Some(Duration::from_secs(30)));
        assert_eq!(of("-1"), None);
        assert_eq!(of("soon"), None);
        assert_eq!(of("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        let later = SystemTime::now() + Duration::from_secs(100);
        let wait = of(&httpdate::fmt_http_date(later)).unwrap();
        assert!((98..=100).contains(&wait.as_secs()));
    }
}
