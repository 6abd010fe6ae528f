//! The options of a channel's server and user mapping, as Postgres asks about them. Which there
//! are, the notifier says; an error names the option and never its value.

use notifier::ChannelKind;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::{self, Oid, panic::ErrorReport};
use pgrx::prelude::*;

use crate::pg::{Error, Result, rights, validator};

/// An option that there is: what users read in the view `sqs_sync.options`.
pub struct Known {
    pub object: &'static str,
    pub name: &'static str,
    pub required: bool,
    pub means: String,
}

/// All options, each with the kinds of channel that have it.
pub fn known() -> impl Iterator<Item = Known> {
    let kinds = ChannelKind::ALL.map(|kind| format!("`{}`", kind.name()));
    let channel = Known {
        object: "server",
        name: "channel",
        required: true,
        means: format!("which kind it is: {}", kinds.join(", ")),
    };
    let of_kinds = |object| notifier::options().filter(move |option| option.object == object);
    let all = ["server", "user mapping"].into_iter().flat_map(of_kinds).map(|option| Known {
        object: option.object,
        name: option.name,
        required: option.required,
        means: format!("of `{}`: {}", option.kind.name(), option.means),
    });
    std::iter::once(channel).chain(all)
}

/// The validator: called by Postgres with all options that an object will have.
#[pg_extern(sql = false)]
fn channel_options(
    options: Vec<Option<String>>,
    catalog: Oid,
) -> std::result::Result<(), ErrorReport> {
    validator::validated(options, |options| validate(catalog, options))
}

fn validate(catalog: Oid, options: &[(String, String)]) -> Result<()> {
    match catalog {
        pg_sys::ForeignServerRelationId => {
            notifier::check_server(options)?;
            check_superuser(options)
        }
        pg_sys::UserMappingRelationId => notifier::check_mapping(options).map_err(Error::from),
        _ => validator::without_options(options),
    }
}

/// What decides where this server connects to inside its own network is a superuser's to say,
/// and so is any change of a server of which one has said so.
fn check_superuser(options: &[(String, String)]) -> Result<()> {
    match notifier::superuser_option(options) {
        Some(name) if !rights::is_superuser(rights::current_user()) => Err(Error::new(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("option \"{name}\" is a superuser's to set"),
        )
        .hint("Without it only public addresses are reached.")),
        _ => Ok(()),
    }
}
