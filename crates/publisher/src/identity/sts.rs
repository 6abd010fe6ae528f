//! STS: the keys of a role, and who one is.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{Builder, SharedCredentialsProvider};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::{Client, types};
use aws_types::SdkConfig;

use super::Role;
use crate::connection::CONNECT_TIMEOUT;
use crate::error::Trouble;
use crate::exchange::Witness;
use crate::lean::LeanHeaders;
use crate::wording::{About, Subject};

/// How long one answer of STS may take: requests to SQS wait for it.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Who some keys belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub arn: String,
}

/// The keys of a session in the role. Its length is STS's default, an hour, which every role
/// allows, also one that is assumed from another.
pub(super) async fn assume(
    sts: &Client,
    endpoint: &str,
    role: &Role,
) -> Result<Credentials, Trouble> {
    let output = sts
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(&role.session_name)
        .set_external_id(role.external_id.clone())
        .send()
        .await
        .map_err(|error| about(Subject::Role(&role.arn), endpoint, &error))?;
    session(output.credentials, role, endpoint)
}

/// The same for a token of a web identity.
pub(super) async fn assume_by_token(
    config: &SdkConfig,
    endpoint: &str,
    role: &Role,
    token: String,
) -> Result<Credentials, Trouble> {
    let output = client(config, endpoint, None)
        .assume_role_with_web_identity()
        .role_arn(&role.arn)
        .role_session_name(&role.session_name)
        .web_identity_token(token)
        .send()
        .await
        .map_err(|error| about(Subject::Role(&role.arn), endpoint, &error))?;
    session(output.credentials, role, endpoint)
}

/// Whose keys these are: STS tells everyone that of himself.
pub(super) async fn caller(
    config: &SdkConfig,
    endpoint: &str,
    own: Credentials,
) -> Result<Caller, Trouble> {
    let asked = client(config, endpoint, Some(own)).get_caller_identity().send().await;
    let output = asked.map_err(|error| about(Subject::Caller, endpoint, &error))?;
    match (output.account, output.arn) {
        (Some(account), Some(arn)) => Ok(Caller { account, arn }),
        _ => Err(unreadable(Subject::Caller, endpoint)),
    }
}

/// A client that signs with these keys, or asks for what needs no signature.
pub(super) fn client(config: &SdkConfig, endpoint: &str, own: Option<Credentials>) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut builder = Builder::from(config)
        .endpoint_url(endpoint)
        .timeout_config(timeouts)
        .interceptor(LeanHeaders)
        .interceptor(Witness);
    builder.set_credentials_provider(own.map(SharedCredentialsProvider::new));
    Client::from_conf(builder.build())
}

fn session(
    credentials: Option<types::Credentials>,
    role: &Role,
    endpoint: &str,
) -> Result<Credentials, Trouble> {
    let keys = credentials.ok_or_else(|| unreadable(Subject::Role(&role.arn), endpoint))?;
    let end = SystemTime::try_from(keys.expiration)
        .map_err(|_| unreadable(Subject::Role(&role.arn), endpoint))?;
    Ok(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        Some(end),
        "sqs_sync",
    ))
}

fn about<E>(
    subject: Subject<'_>,
    endpoint: &str,
    error: &SdkError<E, aws_sdk_sts::config::http::HttpResponse>,
) -> Trouble
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    About { subject, endpoint, identity: None, patience: ATTEMPT_TIMEOUT }
        .request(error)
        .before_sending()
}

fn unreadable(subject: Subject<'_>, endpoint: &str) -> Trouble {
    About { subject, endpoint, identity: None, patience: ATTEMPT_TIMEOUT }
        .unreadable()
        .before_sending()
}
