//! How a sync is, in a word.

use maud::{Markup, html};

use crate::data::{State, Sync, SyncState};

/// The worst first: the order in which syncs are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    Held,
    Failed,
    /// Rows of it are not told, for a reason of their own.
    Partly,
    Cancelled,
    Paused,
    /// It has never run.
    New,
    UnderWay,
    Well,
}

impl Health {
    pub fn of(sync: &Sync) -> Health {
        let last = sync.last.as_ref().map(|run| run.state);
        match last {
            Some(State::Held) => Health::Held,
            Some(State::Failed) => Health::Failed,
            _ if sync.state == SyncState::Paused => Health::Paused,
            None => Health::New,
            Some(State::Cancelled | State::Discarded) => Health::Cancelled,
            Some(State::PartlyFailed) => Health::Partly,
            _ if sync.rejected.unwrap_or(0) > 0 => Health::Partly,
            Some(State::Succeeded) => Health::Well,
            Some(_) => Health::UnderWay,
        }
    }

    pub fn stands_still(self) -> bool {
        self <= Health::Failed
    }

    pub fn badge(self) -> Markup {
        let (class, words) = match self {
            Health::Held => ("held", "held"),
            Health::Failed => ("bad", "failed"),
            Health::Partly => ("part", "partly told"),
            Health::Cancelled => ("off", "cancelled"),
            Health::Paused => ("off", "paused"),
            Health::New => ("off", "not run yet"),
            Health::UnderWay => ("open", "under way"),
            Health::Well => ("good", "told"),
        };
        html! { span class={ "badge " (class) } { (words) } }
    }
}
