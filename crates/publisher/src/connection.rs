//! What a publisher connects to, and the SDK's configuration made of it.
//!
//! The configuration is explicit: no environment, no profile, no instance metadata, no proxy, no
//! redirect. The SDK's own retries are off, because a retry that we do not see would hide
//! whether an earlier attempt may have been accepted.

use std::fmt;
use std::io;
use std::time::Duration;

use aws_sdk_sqs::Config;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{
    BehaviorVersion, IdentityCache, Region, SharedCredentialsProvider,
    StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;

use crate::lean::{LeanHeaders, OneEndpoint};

/// How long the TCP connection and its TLS handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one attempt may take from its start to the end of its answer.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// A secret text. It cannot be printed; who uses it says so by [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text into keeping.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for a request.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Static credentials of one AWS identity.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
}

/// A region, an optional endpoint and the credentials for one AWS account.
#[derive(Clone, Debug)]
pub struct Connection {
    pub region: String,
    /// Where SQS is, if not at AWS. Whether it may be plain http is the caller's policy.
    pub endpoint_url: Option<String>,
    pub credentials: Credentials,
}

/// How the publisher works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a message is tried, from its first attempt. What it runs into then is its failure.
    pub retry_for: Duration,
    /// The most requests in flight at once, over all queues. 0 counts as 1.
    pub max_requests_in_flight: usize,
    /// A request carries at most one message of a group: then a group's order holds whatever
    /// fails. Else a request may carry several, in their order, and SQS may refuse an earlier one
    /// of them for now and take a later one.
    pub one_per_group: bool,
    /// All messages go to one queue, which so may have all the requests. Else some are kept free
    /// for others.
    pub one_queue: bool,
}

impl Connection {
    /// The address that requests go to, as it is named in failures.
    pub(crate) fn endpoint(&self) -> String {
        match &self.endpoint_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("https://sqs.{}.{}", self.region, dns_suffix(self.region.as_str())),
        }
    }

    /// The SDK panics at what is no URL. The error does not quote it: there may be a password in
    /// the part that makes it none.
    pub(crate) fn check_endpoint(&self) -> io::Result<()> {
        let endpoint = self.endpoint();
        let is_http = endpoint.starts_with("https://") || endpoint.starts_with("http://");
        let is_bare = !endpoint.contains(['?', '#']);
        if is_http && is_bare && host_and_port(&endpoint).is_some() {
            return Ok(());
        }
        let what = match self.endpoint_url {
            Some(_) => "the connection's endpoint is not an http or https URL of host and port",
            None => "the connection's region is not the name of a region",
        };
        Err(io::Error::new(io::ErrorKind::InvalidInput, what))
    }

    /// The configuration that the SDK's clients of every service share. A region that is none, or
    /// an endpoint that is no URL, must not come here: the SDK panics at them.
    pub fn sdk_config(&self) -> SdkConfig {
        let keys = &self.credentials;
        let credentials = aws_sdk_sqs::config::Credentials::new(
            keys.access_key_id.as_str(),
            keys.secret_access_key.expose(),
            keys.session_token.as_ref().map(|token| token.expose().to_owned()),
            None,
            "sqs_sync",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let http =
            HttpClientBuilder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http)
            // The credentials do not expire: there is nothing to keep but what is given.
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            // Answers are small and each attempt has its timeout: a second clock adds nothing.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(self.endpoint_url.clone());
        config.build()
    }

    pub(crate) fn sqs_config(&self) -> Config {
        aws_sdk_sqs::config::Builder::from(&self.sdk_config())
            // The SDK has no rules to follow that could lead elsewhere: failures name the address
            // that was really used.
            .endpoint_resolver(OneEndpoint::new(self.endpoint()))
            .interceptor(LeanHeaders)
            .build()
    }
}

/// A URL's host, in lower case, and port. `None` for what is no URL, or has a user in it.
pub(crate) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let host_alone = authority.as_str() == authority.host();
    let port = match (authority.port_u16(), uri.scheme_str()?) {
        (Some(port), _) => port,
        // A port that is no number.
        (None, _) if !host_alone => return None,
        (None, "https") => 443,
        (None, _) => 80,
    };
    if authority.host().is_empty() || authority.as_str().contains('@') {
        return None;
    }
    Some((authority.host().to_ascii_lowercase(), port))
}

/// The domain of a region's endpoints. China's regions are a partition with a domain of its own.
pub(crate) fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}
