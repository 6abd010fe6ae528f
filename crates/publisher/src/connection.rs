//! What a publisher connects to, and the SDK's configuration made of it.
//!
//! The configuration is explicit: no environment, no profile, no instance metadata (but for what an
//! identity says of itself), no proxy, no redirect. The SDK's own retries are off, because a retry that we do not see would hide
//! whether an earlier attempt may have been accepted.

use std::io;
use std::sync::Arc;
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

use crate::endpoint::{Resolver, check_endpoint_url};
use crate::exchange::Witness;
use crate::identity::{Identity, Keyring, Keys};
use crate::journal::Journal;
use crate::lean::{LeanHeaders, OneEndpoint};

/// How long the TCP connection and its TLS handshake may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one attempt may take from its start to the end of its answer.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// A region, an optional endpoint and the credentials for one AWS account.
#[derive(Clone, Debug)]
pub struct Connection {
    pub region: String,
    /// Where SQS is, if not at AWS. Whether it may be plain http is the caller's policy.
    pub endpoint_url: Option<String>,
    /// Where STS is, if not at AWS.
    pub sts_endpoint_url: Option<String>,
    pub identity: Identity,
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
    /// The most messages that are sent in a second, over all queues, those that are sent again
    /// included. Above 0.
    pub max_messages_per_second: Option<f64>,
}

impl Connection {
    /// The address that requests go to, as it is named in failures.
    pub(crate) fn endpoint(&self) -> String {
        match &self.endpoint_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("https://sqs.{}.{}", self.region, dns_suffix(self.region.as_str())),
        }
    }

    /// The address at which roles are assumed.
    fn sts_endpoint(&self) -> String {
        match &self.sts_endpoint_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("https://sts.{}.{}", self.region, dns_suffix(self.region.as_str())),
        }
    }

    /// The SDK panics at what is no URL.
    pub(crate) fn check_endpoint(&self) -> io::Result<()> {
        let what = match self.endpoint_url {
            Some(_) => "the connection's endpoint",
            None => "the endpoint of the connection's region",
        };
        let endpoints =
            [(what, self.endpoint()), ("the connection's endpoint of STS", self.sts_endpoint())];
        endpoints.into_iter().try_for_each(|(what, url)| {
            let invalid =
                |why| io::Error::new(io::ErrorKind::InvalidInput, format!("{what} {why}"));
            check_endpoint_url(&url).map_err(invalid)
        })
    }

    /// The configuration that the SDK's clients of every service share. A region that is none, or
    /// an endpoint that is no URL, must not come here: the SDK panics at them.
    pub fn sdk_config(&self) -> SdkConfig {
        self.configure(Arc::default()).0
    }

    fn configure(&self, journal: Arc<Journal>) -> (SdkConfig, Arc<Keyring>) {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let http = HttpClientBuilder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_with_resolver(Resolver::new(&[&self.endpoint(), &self.sts_endpoint()]));
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .http_client(http)
            // Keys are kept by the keyring, which knows when a service has refused them.
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            // Answers are small and each attempt has its timeout: a second clock adds nothing.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(self.endpoint_url.clone());
        let config = config.build();
        let identity = self.identity.clone();
        let keyring = Keyring::new(identity, config.clone(), self.sts_endpoint(), journal);
        let keys = SharedCredentialsProvider::new(Keys(Arc::clone(&keyring)));
        (config.into_builder().credentials_provider(keys).build(), keyring)
    }

    /// The configuration of the client of SQS, and the keys that it signs with. That they were
    /// asked for is for the journal.
    pub(crate) fn sqs_config(&self, journal: Arc<Journal>) -> (Config, Arc<Keyring>) {
        let (config, keyring) = self.configure(journal);
        let config = aws_sdk_sqs::config::Builder::from(&config)
            // The SDK has no rules to follow that could lead elsewhere: failures name the address
            // that was really used.
            .endpoint_resolver(OneEndpoint::new(self.endpoint()))
            .interceptor(LeanHeaders)
            .interceptor(Witness)
            .build();
        (config, keyring)
    }
}

/// The partition of a region, as ARNs name it. Accounts and roles are of one.
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The domain of a region's endpoints. China's regions are a partition with a domain of its own.
pub(crate) fn dns_suffix(region: &str) -> &'static str {
    if partition_of(region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
}
