//! As whom requests are signed.
//!
//! Keys are given, or are the server's own in one of the ways in which a machine has some; with
//! them a role may be assumed. What this module promises: nothing of the server's own is looked at
//! unless the identity says so; keys that end are renewed before they do; and of all requests that
//! need new keys, one fetches them for all, clones of the identity included ([`Keyring`]).

mod keyring;
mod source;
mod sts;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use memchr::memmem::{self, Finder};

pub(crate) use self::keyring::{Keyring, Keys};
pub use self::sts::Caller;

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

/// Where the first keys come from.
#[derive(Clone, Debug)]
pub enum Source {
    Keys(Credentials),
    /// The machine's own: its environment, its default profile, its container or instance.
    Server,
    /// A profile in the files of the operating system's user.
    Profile(String),
    /// A token in a file, for which STS gives the keys of a role.
    WebIdentity(PathBuf),
}

/// A role to assume.
#[derive(Clone, Debug)]
pub struct Role {
    pub arn: String,
    /// Without it an account's trust could be borrowed by whoever else is served here.
    pub external_id: Option<String>,
    /// What the account's CloudTrail shows: 2 to 64 letters, digits and `_+=,.@-`.
    pub session_name: String,
}

/// The longest name of a session that STS takes.
const SESSION_NAME: usize = 64;
/// Of which the database has so much, if it needs it.
const DATABASE_SHARE: usize = 24;

/// What an account's CloudTrail shows of who came, and for what: `customers@shop`.
pub fn session_name(purpose: &str, database: &str) -> String {
    let clean = |text: &str, most: usize| -> String {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.-".contains(c);
        text.chars().take(most).map(|c| if allowed(c) { c } else { '-' }).collect()
    };
    let database = clean(database, DATABASE_SHARE);
    let purpose = clean(purpose, SESSION_NAME - 1 - database.len());
    format!("{purpose}@{database}")
}

/// As whom requests are signed. Its clones share what has been fetched.
#[derive(Clone, Debug)]
pub struct Identity {
    source: Source,
    role: Option<Role>,
    held: Arc<keyring::Held>,
}

impl Identity {
    pub fn new(source: Source, role: Option<Role>) -> Self {
        Self { source, role, held: Arc::default() }
    }

    /// The keys that were given.
    pub fn keys(&self) -> Option<&Credentials> {
        match &self.source {
            Source::Keys(keys) => Some(keys),
            _ => None,
        }
    }

    /// New keys can be had by asking again.
    fn is_renewable(&self) -> bool {
        self.role.is_some() || !matches!(self.source, Source::Keys(_))
    }

    /// Whether a text holds a secret of it.
    pub(crate) fn is_told_by(&self, text: &[u8]) -> bool {
        let given = self.keys().is_some_and(|keys| {
            let token = keys.session_token.as_ref().map(Secret::expose);
            tells(text, keys.secret_access_key.expose(), token)
        });
        given || self.held.are_told_by(text)
    }

    pub(crate) fn has_given_keys_only(&self) -> bool {
        !self.is_renewable()
    }
}

impl From<Credentials> for Identity {
    fn from(keys: Credentials) -> Self {
        Self::new(Source::Keys(keys), None)
    }
}

/// What is so short is no secret, and stands in anything.
const SHORTEST_SECRET: usize = 12;

fn tells(text: &[u8], secret: &str, token: Option<&str>) -> bool {
    let mut secrets = [Some(secret), token].into_iter().flatten();
    secrets.any(|secret| {
        secret.len() >= SHORTEST_SECRET && memmem::find(text, secret.as_bytes()).is_some()
    })
}

/// Words that stand where a signed request is quoted.
static SIGNED: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| ["AWS4-HMAC-SHA256", "ecurity-token", "ecurity-Token"].map(Finder::new));

/// Whether a signed request is quoted in a text, whose headers are secret.
pub(crate) fn quotes_a_request(text: &[u8]) -> bool {
    SIGNED.iter().any(|word| word.find(text).is_some())
}

/// As failures name it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.role, &self.source) {
            (Some(role), _) => write!(f, "the credentials of role {}", role.arn),
            (None, Source::Keys(_)) => f.write_str("the connection's credentials"),
            (None, Source::Server | Source::WebIdentity(_)) => {
                f.write_str("the server's own credentials")
            }
            (None, Source::Profile(name)) => write!(f, "the credentials of profile \"{name}\""),
        }
    }
}
