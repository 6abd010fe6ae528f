//! Channels: where alerts go. A channel is made of the options of a foreign server, which everybody
//! can read, and of those of a user mapping, where the secrets are.
//!
//! [`check_server`] and [`check_mapping`] judge each by itself, as Postgres asks for it when an
//! object is created or altered; [`Channel::new`] takes both. Whoever makes a channel makes this
//! server connect to somewhere: what lies inside its own network only a superuser may name, and
//! [`superuser_option`] says whether options do.

mod email;
mod notify;
mod options;
mod pagerduty;
mod slack;
mod sms;
mod url;
mod webhook;

use std::sync::Arc;

pub(crate) use self::email::{Email, Encryption, Login};
pub(crate) use self::notify::Notify;
pub(crate) use self::pagerduty::PagerDuty;
pub(crate) use self::slack::{Slack, body as slack_body};
pub(crate) use self::sms::{Destination, Sms, text as sms_text};
pub(crate) use self::url::{Peer, Url};
pub(crate) use self::webhook::{Webhook, body as webhook_body};

use self::options::{Known, Object, Options, check_names, check_values};
use publisher::OptionError;

use crate::alert::Alert;
use crate::error;
use crate::nearest::nearest;

/// A kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Slack,
    PagerDuty,
    Sms,
    Email,
    Webhook,
    /// Of the database's own, which the caller makes.
    Notify,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Slack, Self::PagerDuty, Self::Sms, Self::Email, Self::Webhook, Self::Notify];

    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::PagerDuty => "pagerduty",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Notify => "notify",
        }
    }

    fn options(self) -> &'static [Known] {
        match self {
            Self::Slack => slack::OPTIONS,
            Self::PagerDuty => pagerduty::OPTIONS,
            Self::Sms => sms::OPTIONS,
            Self::Email => email::OPTIONS,
            Self::Webhook => webhook::OPTIONS,
            Self::Notify => notify::OPTIONS,
        }
    }

    fn named(name: &str) -> Result<Self, OptionError> {
        let names = Self::ALL.map(Self::name);
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let hint = format!("Kinds of channel are: {}.", names.join(", "));
            error::invalid(
                "option \"channel\" is not a kind of channel",
                nearest(name, names).map_or(hint.clone(), |n| format!("Perhaps {n}? {hint}")),
            )
        })
    }
}

/// Where alerts go, and how.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The server's name. Messages to one channel are sent one at a time, in their order.
    pub name: Arc<str>,
    pub(crate) target: Target,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Slack(Slack),
    PagerDuty(PagerDuty),
    Sms(Sms),
    Email(Email),
    Webhook(Webhook),
    Notify(Notify),
}

impl Channel {
    /// The channel that a server's options and those of a user mapping make.
    ///
    /// # Errors
    ///
    /// What is unknown, missing or invalid among them, or does not fit together.
    pub fn new(
        name: &str,
        server: &[(String, String)],
        mapping: &[(String, String)],
    ) -> Result<Self, OptionError> {
        let kind = check_server(server)?;
        check_names(kind, Object::Mapping, mapping)?;
        check_values(mapping)?;
        let (server, mapping) = (Options(server), Options(mapping));
        let target = match kind {
            Kind::Slack => Target::Slack(Slack::new(server, mapping)?),
            Kind::PagerDuty => Target::PagerDuty(PagerDuty::new(server, mapping)?),
            Kind::Sms => Target::Sms(Sms::new(server, mapping)?),
            Kind::Email => Target::Email(Email::new(server, mapping)?),
            Kind::Webhook => Target::Webhook(Webhook::new(server, mapping)?),
            Kind::Notify => Target::Notify(Notify::new(server)?),
        };
        Ok(Self { name: name.into(), target })
    }

    pub fn kind(&self) -> Kind {
        match self.target {
            Target::Slack(_) => Kind::Slack,
            Target::PagerDuty(_) => Kind::PagerDuty,
            Target::Sms(_) => Kind::Sms,
            Target::Email(_) => Kind::Email,
            Target::Webhook(_) => Kind::Webhook,
            Target::Notify(_) => Kind::Notify,
        }
    }

    /// The name and the payload of the notification that the caller is to make, if this is such a
    /// channel. A [`Notifier`](crate::Notifier) delivers nothing to it.
    pub fn notification(&self, alert: &Alert) -> Option<(&str, String)> {
        match &self.target {
            Target::Notify(notify) => Some((&notify.name, notify::payload(alert))),
            _ => None,
        }
    }

    /// What an answer is awaited from, for an error's text.
    pub(crate) fn peer(&self) -> String {
        match &self.target {
            Target::Slack(_) => "Slack".to_owned(),
            Target::PagerDuty(pagerduty) => pagerduty.url.peer.host.clone(),
            Target::Sms(_) => "SNS".to_owned(),
            Target::Email(email) => email.peer.host.clone(),
            Target::Webhook(webhook) => webhook.url.peer.host.clone(),
            Target::Notify(_) => "the database".to_owned(),
        }
    }

    /// The text without what is secret of this channel, should a peer have repeated it.
    pub(crate) fn redact(&self, text: &str) -> String {
        let secrets = match &self.target {
            Target::Slack(slack) => slack.secrets(),
            Target::PagerDuty(pagerduty) => pagerduty.secrets(),
            Target::Sms(sms) => sms.secrets(),
            Target::Email(email) => email.secrets(),
            Target::Webhook(webhook) => webhook.secrets(),
            Target::Notify(_) => Vec::new(),
        };
        secrets
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "(secret)"))
    }
}

/// An option that there is, for users to read of.
pub struct Explained {
    pub kind: Kind,
    /// `server` or `user mapping`.
    pub object: &'static str,
    pub name: &'static str,
    pub required: bool,
    /// In Markdown.
    pub means: &'static str,
}

/// The options of all kinds, without `channel`, which says the kind.
pub fn options() -> impl Iterator<Item = Explained> {
    let of_kind = |kind: Kind| kind.options().iter().map(move |known| (kind, known));
    Kind::ALL.into_iter().flat_map(of_kind).map(|(kind, known)| Explained {
        kind,
        object: known.object.name(),
        name: known.name,
        required: known.required,
        means: known.means,
    })
}

/// Judges the options of a server.
///
/// # Errors
///
/// What is unknown, missing or invalid among them.
pub fn check_server(options: &[(String, String)]) -> Result<Kind, OptionError> {
    check_values(options)?;
    let Some(name) = Options(options).get("channel") else {
        return Err(error::missing(
            "option \"channel\" of the server is missing".to_owned(),
            format!("It is one of: {}.", Kind::ALL.map(Kind::name).join(", ")),
        ));
    };
    let kind = Kind::named(name)?;
    check_names(kind, Object::Server, options)?;
    let server = Options(options);
    match kind {
        Kind::Slack => slack::check_server(server)?,
        Kind::PagerDuty => pagerduty::check_server(server)?,
        Kind::Sms => sms::check_server(server)?,
        Kind::Email => email::check_server(server)?,
        Kind::Webhook => webhook::check_server(server)?,
        Kind::Notify => notify::check_server(server)?,
    }
    Ok(kind)
}

/// Judges the options of a user mapping, without knowing of which kind its server is: they have to
/// be those of one kind. Whether they fit the server is seen by [`Channel::new`].
///
/// # Errors
///
/// What is unknown or invalid among them, or belongs to several kinds.
pub fn check_mapping(options: &[(String, String)]) -> Result<(), OptionError> {
    check_values(options)?;
    let fits = |kind: &Kind| check_names(*kind, Object::Mapping, options).is_ok();
    if options.is_empty() || Kind::ALL.iter().any(fits) {
        return Ok(());
    }
    // The kind that knows the most of them says what is wrong.
    let known = |kind: &Kind| {
        let of_mapping = |name: &str| {
            kind.options().iter().any(|k| k.name == name && k.object == Object::Mapping)
        };
        options.iter().filter(|(name, _)| of_mapping(name)).count()
    };
    match Kind::ALL.into_iter().max_by_key(known) {
        Some(kind) if known(&kind) > 0 => check_names(kind, Object::Mapping, options),
        _ => options::unknown_everywhere(options),
    }
}

/// The first of a server's options that is a superuser's to set, if there is one: it decides what
/// is reached inside the server's own network.
pub fn superuser_option(server: &[(String, String)]) -> Option<&'static str> {
    let mut all = Kind::ALL.into_iter().flat_map(Kind::options);
    all.find(|known| known.superuser && server.iter().any(|(name, _)| name == known.name))
        .map(|known| known.name)
}
