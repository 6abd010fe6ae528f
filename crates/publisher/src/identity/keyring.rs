//! The keys that are held, and who fetches new ones.
//!
//! Keys are fetched when they are first needed, before they end, and once more when a service
//! refuses them. Whoever needs new ones waits for whoever is fetching them, and shares what came of
//! it, a failure too: an outage or a role that is gone is asked about once, not by each request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{ProvideCredentials, Result as ProviderResult};
use aws_types::SdkConfig;
use tokio::sync::Mutex;

use super::{Identity, Role, Source, source, sts};
use crate::error::{Class, Trouble};
use crate::exchange::About;
use crate::journal::Journal;

/// Keys are renewed so long before they end, or when a quarter of their time is left.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);

/// Where keys that still hold could not be renewed, that is tried again after this long.
const PAUSE: Duration = Duration::from_secs(10);

/// What the clones of an identity share.
#[derive(Default)]
pub(super) struct Held {
    keys: RwLock<Option<Fetched>>,
    failures: AtomicU64,
    /// Held by whoever is fetching: why it failed last.
    turn: Mutex<Option<Trouble>>,
}

impl Held {
    /// Whether a text holds a secret of theirs.
    pub(super) fn are_told_by(&self, text: &[u8]) -> bool {
        let held = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().is_some_and(|held| {
            let keys = &held.credentials;
            super::tells(text, keys.secret_access_key(), keys.session_token())
        })
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

/// Counts what has been fetched.
type Generation = u64;

#[derive(Clone)]
struct Fetched {
    credentials: Credentials,
    generation: Generation,
    renew_at: Option<SystemTime>,
}

impl Fetched {
    fn new(credentials: Credentials, generation: Generation) -> Self {
        let now = SystemTime::now();
        let renew_at = credentials.expiry().map(|end| {
            let left = end.duration_since(now).unwrap_or_default();
            end - LONGEST_MARGIN.min(left / 4)
        });
        Self { credentials, generation, renew_at }
    }

    fn has_ended(&self, now: SystemTime) -> bool {
        self.credentials.expiry().is_some_and(|end| end <= now)
    }

    fn is_ageing(&self, now: SystemTime) -> bool {
        self.renew_at.is_some_and(|at| at <= now)
    }
}

/// The keys of one identity, and the means to get new ones.
#[derive(Debug)]
pub(crate) struct Keyring {
    identity: Identity,
    /// Region, HTTP client and timeouts: all but who asks.
    config: SdkConfig,
    sts_endpoint: String,
    journal: Arc<Journal>,
}

/// A request's use of the keys.
pub(crate) struct Use {
    generation: Generation,
    is_second: bool,
}

impl Keyring {
    pub(crate) fn new(
        identity: Identity,
        config: SdkConfig,
        sts_endpoint: String,
        journal: Arc<Journal>,
    ) -> Arc<Self> {
        let keyring = Self { identity, config, sts_endpoint, journal };
        if let (Source::Keys(keys), None) = (&keyring.identity.source, &keyring.identity.role) {
            keyring.put(source::given(keys), 1);
        }
        Arc::new(keyring)
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Sees to it that there are keys for a request.
    pub(crate) async fn begin(&self) -> Result<Use, Trouble> {
        let now = SystemTime::now();
        let generation = match self.held().filter(|keys| !keys.has_ended(now)) {
            None => self.newer_than(None).await?,
            Some(keys) => {
                if keys.is_ageing(now) {
                    self.renew_early(&keys).await;
                }
                keys.generation
            }
        };
        Ok(Use { generation, is_second: false })
    }

    /// Whether a request that failed so should be made once more: with new keys, or at the time of
    /// the service, which the SDK has learnt from the answer.
    pub(crate) async fn again(
        &self,
        used: &mut Use,
        trouble: Option<&Trouble>,
    ) -> Result<bool, Trouble> {
        let refused = trouble.filter(|trouble| trouble.class == Class::Credentials);
        let Some(trouble) = refused.filter(|_| !used.is_second) else {
            return Ok(false);
        };
        used.is_second = true;
        if self.identity.has_given_keys_only() {
            return Ok(trouble.is_about_signature());
        }
        used.generation = self.newer_than(Some(used.generation)).await?;
        Ok(true)
    }

    /// Who the first keys belong to, before a role is assumed.
    pub(crate) async fn caller(&self) -> Result<sts::Caller, Trouble> {
        let own = source::fetch(&self.identity.source, &self.config).await?;
        sts::caller(&self.config, &self.sts_endpoint, own).await
    }

    fn held(&self) -> Option<Fetched> {
        self.identity.held.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, credentials: Credentials, generation: Generation) {
        let keys = Fetched::new(credentials, generation);
        let mut held = self.identity.held.keys.write().unwrap_or_else(PoisonError::into_inner);
        *held = Some(keys);
    }

    /// Keys that still hold go on holding where this fails, or somebody else is at it.
    async fn renew_early(&self, ageing: &Fetched) {
        let held = &self.identity.held;
        let Ok(mut turn) = held.turn.try_lock() else { return };
        if self.held().is_none_or(|now| now.generation == ageing.generation)
            && self.fetch(&mut turn, ageing.generation).await.is_err()
        {
            let mut keys = held.keys.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(keys) = keys.as_mut() {
                keys.renew_at = Some(SystemTime::now() + PAUSE);
            }
        }
    }

    async fn newer_than(&self, old: Option<Generation>) -> Result<Generation, Trouble> {
        let held = &self.identity.held;
        let failures = held.failures.load(Ordering::Acquire);
        let mut turn = held.turn.lock().await;
        let generation = match self.held() {
            Some(keys) if Some(keys.generation) > old && !keys.has_ended(SystemTime::now()) => {
                return Ok(keys.generation);
            }
            keys => keys.map_or(0, |keys| keys.generation),
        };
        // It failed for somebody else while this request waited.
        if held.failures.load(Ordering::Acquire) > failures
            && let Some(trouble) = turn.as_ref()
        {
            return Err(trouble.clone());
        }
        self.fetch(&mut turn, generation).await
    }

    async fn fetch(
        &self,
        turn: &mut Option<Trouble>,
        generation: Generation,
    ) -> Result<Generation, Trouble> {
        // In a place of its own: what waits for this is deep in a request already.
        match Box::pin(self.new_keys()).await {
            Ok(credentials) => {
                self.put(credentials, generation + 1);
                *turn = None;
                Ok(generation + 1)
            }
            Err(trouble) => {
                *turn = Some(trouble.clone());
                self.identity.held.failures.fetch_add(1, Ordering::Release);
                Err(trouble)
            }
        }
    }

    async fn new_keys(&self) -> Result<Credentials, Trouble> {
        let Identity { source, role, .. } = &self.identity;
        match (source, role) {
            (Source::WebIdentity(file), Some(role)) => {
                let token = source::token(file)?;
                let asked = sts::assume_by_token(&self.config, &self.sts_endpoint, role, token);
                let about =
                    |keys: &_| About::of_role("AssumeRoleWithWebIdentity", &role.arn, 1, keys);
                self.journal.watch(&self.identity, asked, about).await
            }
            (source, role) => {
                let own = source::fetch(source, &self.config).await?;
                match role {
                    Some(role) => self.assume(role, own).await,
                    None => Ok(own),
                }
            }
        }
    }

    async fn assume(&self, role: &Role, own: Credentials) -> Result<Credentials, Trouble> {
        let sts = sts::client(&self.config, &self.sts_endpoint, Some(own));
        let ask = async |attempt| {
            let asked = sts::assume(&sts, &self.sts_endpoint, role);
            let about = |keys: &_| About::of_role("AssumeRole", &role.arn, attempt, keys);
            self.journal.watch(&self.identity, asked, about).await
        };
        let keys = ask(1).await;
        // By then the client has learnt the clock of STS.
        match keys.as_ref().is_err_and(Trouble::is_about_signature) {
            true => ask(2).await,
            false => keys,
        }
    }

    async fn provide(&self) -> ProviderResult {
        let none = |what: &str| CredentialsError::provider_error(what.to_owned());
        self.begin().await.map_err(|trouble| none(&trouble.what))?;
        let keys = self.held().ok_or_else(|| none("there are no keys"))?;
        Ok(keys.credentials)
    }
}

/// The keys of a keyring, for the SDK's clients.
#[derive(Debug)]
pub(crate) struct Keys(pub(crate) Arc<Keyring>);

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.0.provide())
    }
}
