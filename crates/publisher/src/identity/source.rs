//! The first keys: those that were given, or the server's own.

use std::path::Path;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_types::SdkConfig;
use tokio::time::timeout;

use super::{Credentials as Given, Secret, Source};
use crate::error::Trouble;
use crate::wording::root_cause;

/// How long the machine may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// The SDK's credentials of keys that were given.
pub(super) fn given(keys: &Given) -> Credentials {
    Credentials::new(
        keys.access_key_id.as_str(),
        keys.secret_access_key.expose(),
        keys.session_token.as_ref().map(|token: &Secret| token.expose().to_owned()),
        None,
        "sqs_sync",
    )
}

pub(super) async fn fetch(source: &Source, config: &SdkConfig) -> Result<Credentials, Trouble> {
    match source {
        Source::Keys(keys) => Ok(given(keys)),
        Source::Server => {
            let mut chain = DefaultCredentialsChain::builder().configure(of_machine(config));
            chain.set_region(config.region().cloned());
            ask("the server", chain.build().await).await
        }
        Source::Profile(name) => {
            let profile = ProfileFileCredentialsProvider::builder()
                .configure(&of_machine(config))
                .profile_name(name)
                .build();
            ask(&format!("profile \"{name}\""), profile).await
        }
        Source::WebIdentity(_) => Err(Trouble::credentials(
            "the user mapping has a web identity and no role".to_owned(),
            "Set its option role_arn.",
        )),
    }
}

/// The token of a web identity, anew each time: whoever wrote it replaces it.
pub(super) fn token(file: &Path) -> Result<String, Trouble> {
    let token = std::fs::read_to_string(file).map_err(|error| error.kind().to_string());
    match token.as_deref().map(str::trim) {
        Ok("") => Err("it is empty".to_owned()),
        Ok(token) => Ok(token.to_owned()),
        Err(error) => Err(error.to_owned()),
    }
    .map_err(|why| {
        Trouble::credentials(
            format!("the web identity's token cannot be read from {}: {why}", file.display()),
            "The operating system's user of the server must be able to read the file.",
        )
    })
}

/// Where the machine's own credentials are looked for. No program is run and nobody is asked to
/// log in: those features of the SDK are left out.
fn of_machine(config: &SdkConfig) -> ProviderConfig {
    let of_machine = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_behavior_version(config.behavior_version());
    match config.http_client() {
        Some(client) => of_machine.with_http_client(client),
        None => of_machine,
    }
}

async fn ask(who: &str, provider: impl ProvideCredentials) -> Result<Credentials, Trouble> {
    let error = match timeout(PATIENCE, provider.provide_credentials()).await {
        Ok(Ok(credentials)) => return Ok(credentials),
        Ok(Err(error)) => error,
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            return Err(Trouble::unreached(format!(
                "{who} gave no AWS credentials within {seconds} s"
            )));
        }
    };
    Err(match error {
        CredentialsError::CredentialsNotLoaded(_) => Trouble::credentials(
            format!("{who} has no AWS credentials of its own"),
            "Give the machine a role, set the credentials in the environment or files of the operating system's user, or set access keys in the user mapping.",
        ),
        CredentialsError::InvalidConfiguration(_) => Trouble::credentials(
            format!("the AWS credentials of {who} cannot be used: {}", root_cause(&error)),
            "Look at the AWS configuration files and environment of the operating system's user.",
        ),
        error => Trouble::unreached(format!(
            "the AWS credentials of {who} could not be had: {}",
            root_cause(&error)
        )),
    })
}
