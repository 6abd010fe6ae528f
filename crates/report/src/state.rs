//! States of runs: what they are called, and the class that gives each its colour.

use std::str::FromStr;

use maud::{Markup, html};

use crate::data::{State, SyncState};

const STATES: [(State, &str, &str); 9] = [
    (State::Queued, "queued", "open"),
    (State::Diffing, "diffing", "open"),
    (State::Publishing, "publishing", "open"),
    (State::Held, "held", "held"),
    (State::Succeeded, "succeeded", "good"),
    (State::PartlyFailed, "partly_failed", "part"),
    (State::Failed, "failed", "bad"),
    (State::Cancelled, "cancelled", "off"),
    (State::Discarded, "discarded", "off"),
];

#[derive(Debug)]
pub struct UnknownState;

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<State, UnknownState> {
        STATES
            .iter()
            .find(|(_, name, _)| *name == text)
            .map(|(state, ..)| *state)
            .ok_or(UnknownState)
    }
}

impl FromStr for SyncState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<SyncState, UnknownState> {
        match text {
            "new" => Ok(SyncState::New),
            "ready" => Ok(SyncState::Ready),
            "paused" => Ok(SyncState::Paused),
            _ => Err(UnknownState),
        }
    }
}

impl State {
    fn entry(self) -> (&'static str, &'static str) {
        STATES
            .iter()
            .find(|(state, ..)| *state == self)
            .map_or(("", ""), |(_, name, class)| (name, class))
    }

    pub fn words(self) -> String {
        self.entry().0.replace('_', " ")
    }

    pub fn class(self) -> &'static str {
        self.entry().1
    }

    pub fn is_open(self) -> bool {
        matches!(self, State::Queued | State::Diffing | State::Publishing | State::Held)
    }

    pub fn badge(self) -> Markup {
        html! { span class={ "badge " (self.class()) } { (self.words()) } }
    }
}
