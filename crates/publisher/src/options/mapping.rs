//! Options of user mappings: as whom a connection comes. An error names the option and never its
//! value.
//!
//! There are four ways, of which a mapping says one: access keys; the server's own identity; a
//! profile in the files of the operating system's user; and a web identity, whose token is in a
//! file. With the first three a role may be assumed. All but the first use what belongs to the
//! server, and are a superuser's to give (what [`Mapping::lends`] tells).

use super::{Known, OptionError, USER_MAPPING, check_filled, check_names, missing};
use crate::connection::partition_of;
use crate::identity::{Credentials, Identity, Role, Secret, Source};

type Result<T> = std::result::Result<T, OptionError>;

pub(super) const KNOWN: &[Known] = &[
    Known::optional(
        "access_key_id",
        "of the IAM user as whom requests are made, or the role is assumed",
    ),
    Known::optional("secret_access_key", "the secret of that key"),
    Known::optional("session_token", "of temporary credentials"),
    Known::optional(
        "role_arn",
        "the role to assume, in which requests are then made: `arn:aws:iam::123456789012:role/sqs-sync`",
    ),
    Known::optional(
        "external_id",
        "what is shown when the role is assumed: its trust policy asks for it",
    ),
    Known::optional(
        "ambient_credentials",
        "`true`: the first credentials are the server's own, of its environment, its operating system user's default profile, its container or its instance. A superuser's to set, as the two below.",
    ),
    Known::optional(
        "profile",
        "the first credentials are those of this profile in the files of the server's operating system user",
    ),
    Known::optional(
        "web_identity_token_file",
        "the role's credentials are given for the token in this file of the server",
    ),
];

/// What is given that belongs to the server.
const OF_SERVER: [&str; 3] = ["ambient_credentials", "profile", "web_identity_token_file"];

const KEYS: [&str; 3] = ["access_key_id", "secret_access_key", "session_token"];

const WAYS: &str = "Give access_key_id and secret_access_key, or, as a superuser, ambient_credentials, profile or web_identity_token_file.";

/// The options of one mapping.
pub struct Mapping<'a>(pub &'a [(String, String)]);

impl Mapping<'_> {
    /// The value of an option, if it is given. What is off is as if it were not.
    pub fn get(&self, name: &str) -> Option<&str> {
        let is_off = |value: &str| name == "ambient_credentials" && value == "false";
        let found = self.0.iter().find(|(option, _)| option == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !is_off(value))
    }

    fn need(&self, name: &str) -> Result<String> {
        self.get(name).map(str::to_owned).ok_or_else(|| missing(USER_MAPPING, name))
    }

    /// Whether a token is given for the keys.
    pub fn is_web_identity(&self) -> bool {
        self.get("web_identity_token_file").is_some()
    }

    /// The option that lends what belongs to the server, if one does.
    pub fn lends(&self) -> Option<&'static str> {
        OF_SERVER.into_iter().find(|name| self.get(name).is_some())
    }

    /// Checks all options that a mapping has.
    ///
    /// # Errors
    ///
    /// What is unknown, missing or invalid among them, or does not go together.
    pub fn check(&self) -> Result<()> {
        check_names(USER_MAPPING, KNOWN, self.0)?;
        check_filled(self.0)?;
        self.check_source()?;
        self.check_role()
    }

    fn check_source(&self) -> Result<()> {
        let keys = KEYS.into_iter().find(|name| self.get(name).is_some());
        let given: Vec<&str> = keys
            .into_iter()
            .chain(OF_SERVER.into_iter().filter(|n| self.get(n).is_some()))
            .collect();
        match given[..] {
            [_] => {}
            [] => return Err(missing(USER_MAPPING, "access_key_id").hint(WAYS)),
            [first, second, ..] => {
                return Err(OptionError::invalid(format!(
                    "options \"{first}\" and \"{second}\" are both given"
                ))
                .hint(WAYS));
            }
        }
        if keys.is_some() {
            self.need("access_key_id").map_err(|error| error.hint(WAYS))?;
            self.need("secret_access_key").map_err(|error| error.hint(WAYS))?;
        }
        if let Some(value) = self.get("ambient_credentials")
            && value != "true"
        {
            return Err(OptionError::invalid(
                "option \"ambient_credentials\" is neither true nor false",
            ));
        }
        match self.get("web_identity_token_file") {
            Some(file) if !file.starts_with('/') => Err(OptionError::invalid(
                "option \"web_identity_token_file\" is not an absolute path",
            )),
            _ => Ok(()),
        }
    }

    fn check_role(&self) -> Result<()> {
        let by_token = self.is_web_identity();
        match (self.get("role_arn"), self.get("external_id")) {
            (None, Some(_)) => {
                return Err(missing(USER_MAPPING, "role_arn")
                    .hint("An external id is shown when a role is assumed."));
            }
            (None, None) if by_token => {
                return Err(missing(USER_MAPPING, "role_arn")
                    .hint("A web identity's token is given for the keys of a role."));
            }
            (_, Some(_)) if by_token => {
                return Err(OptionError::invalid(
                    "option \"external_id\" is not for web identities",
                )
                .hint("Their trust policies name the token's audience and subject."));
            }
            _ => {}
        }
        if self.get("role_arn").is_some_and(|arn| partition_of_role(arn).is_none()) {
            return Err(OptionError::invalid("option \"role_arn\" is not the ARN of a role")
                .hint("It should read arn:aws:iam::account:role/name."));
        }
        match self.get("external_id") {
            Some(id) if !is_external_id(id) => {
                Err(OptionError::invalid("option \"external_id\" is not an external id")
                    .hint("It has 2 to 1224 letters, digits and characters of _+=,.@:/- in it."))
            }
            _ => Ok(()),
        }
    }

    /// As whom the connection comes, in sessions of this name.
    ///
    /// # Errors
    ///
    /// As of [`Mapping::check`], and where the role is not in the region's partition.
    pub fn identity(&self, region: &str, session_name: String) -> Result<Identity> {
        self.check()?;
        let source = match self.lends() {
            None => Source::Keys(Credentials {
                access_key_id: self.need("access_key_id")?,
                secret_access_key: Secret::new(self.need("secret_access_key")?),
                session_token: self.get("session_token").map(|t| Secret::new(t.to_owned())),
            }),
            Some("profile") => Source::Profile(self.need("profile")?),
            Some("web_identity_token_file") => {
                Source::WebIdentity(self.need("web_identity_token_file")?.into())
            }
            Some(_) => Source::Server,
        };
        let Some(arn) = self.get("role_arn") else { return Ok(Identity::new(source, None)) };
        let partition = partition_of(region);
        if partition_of_role(arn) != Some(partition) {
            return Err(OptionError::invalid(format!(
                "role {arn} is not in the partition {partition} of region {region}"
            ))
            .hint("A role of one partition cannot be assumed in another."));
        }
        let external_id = self.get("external_id").map(str::to_owned);
        Ok(Identity::new(source, Some(Role { arn: arn.to_owned(), external_id, session_name })))
    }
}

/// `arn:partition:iam::account:role/path/name`.
fn partition_of_role(arn: &str) -> Option<&str> {
    let ["arn", partition, "iam", "", account, role] = arn.splitn(6, ':').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let name = role.strip_prefix("role/")?;
    let of_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    let is_name = (1..=576).contains(&name.len()) && name.chars().all(of_name);
    (is_account && is_name).then_some(partition)
}

/// As IAM has it (botocore, AssumeRole).
fn is_external_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    (2..=1224).contains(&id.len()) && id.chars().all(allowed)
}
