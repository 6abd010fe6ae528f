//! A page of everything, in which every text that is not ours is one that is given; and the page
//! as a browser reads it.
#![allow(dead_code, reason = "each test file uses a part of it")]

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use report::data::*;
use report::text::Text;
use report::time::{Duration, Time};

pub const NOW: Time = Time(1_795_547_100_000);

pub fn before(seconds: i64) -> Time {
    Time(NOW.0 - seconds * 1000)
}

pub fn about(text: &str) -> About {
    let text = || Text::from(text);
    About { at: NOW, database: text(), reader: text(), postgres: text(), extension: text() }
}

pub fn run(sync: &str, state: State) -> Run {
    Run {
        id: 7,
        sync: sync.into(),
        state,
        requested_at: before(60),
        started_at: Some(before(59)),
        finished_at: Some(before(57)),
        found: Found { added: 5, changed: 4, removed: 3, silent: 2 },
        published: 9,
        ..Run::default()
    }
}

pub fn sync(name: &str, state: State) -> Sync {
    Sync {
        name: name.into(),
        state: SyncState::Ready,
        last: Some(run(name, state)),
        recent: vec![state],
        rejected: Some(0),
        ..Sync::default()
    }
}

pub fn history(spans: Vec<Span>) -> History {
    History { begins: before(60 * spans.len() as i64), span: Duration::MINUTE, spans }
}

/// All that a page can have on it.
pub fn everything(text: &str) -> Report {
    let own = || Text::from(text);
    let event = Event {
        name: own(),
        own: Some(own()),
        without: vec![own(), own()],
        condition: Some(own()),
    };
    let sync = |state| Sync {
        name: own(),
        owner: Some(own()),
        model: own(),
        key: own(),
        server: own(),
        queue: own(),
        events: vec![event.clone()],
        last: Some(Run {
            in_doubt: 2,
            waiting_for: Some(own()),
            error: Some(own()),
            sqlstate: Some(own()),
            hint: Some(own()),
            ..run(text, state)
        }),
        recent: vec![State::Held, State::Failed, State::Succeeded, State::PartlyFailed],
        told_at: Some(before(100)),
        schedule: Some(own()),
        next_at: Some(before(-150)),
        after: Some(own()),
        rejected: Some(3),
        ..Sync::default()
    };
    let syncs: Vec<Sync> =
        [State::Held, State::Failed, State::Cancelled, State::Queued].map(sync).into();
    let rejection = Rejection {
        sync: own(),
        key: own(),
        message_id: Some(own()),
        event: Some(own()),
        reason: own(),
        hint: Some(own()),
        attempts: 3,
        retried_when: own(),
        last_at: before(5),
    };
    let reason = Reason {
        code: own(),
        syncs: vec![(own(), 3); 9],
        keys: 27,
        first_at: before(900),
        last_at: before(5),
        examples: vec![rejection; 3],
    };
    let process = |kind: &str| Process {
        pid: Some(1),
        kind: kind.into(),
        sync: Some(own()),
        run_id: Some(7),
        since: Some(before(900)),
        activity: Some(own()),
    };
    let span = Span {
        succeeded: 1,
        failed: 2,
        found: Found { added: 5, changed: 4, removed: 3, silent: 2 },
        published: 9,
        rejected: 1,
        median: Some(Duration(10)),
        longest: Some(Duration(2000)),
        running: Duration(2100),
        ..Span::default()
    };
    Report {
        about: about(text),
        only: None,
        runs: syncs.iter().filter_map(|sync| sync.last.clone()).collect(),
        syncs,
        history: history(vec![Span::default(), span.clone(), Span::default(), span]),
        rejections: Rejections { reasons: vec![reason], hidden_syncs: 2 },
        calls: vec![
            call(text, Some(503)),
            Call { error: None, ..call(text, Some(200)) },
            call(text, None),
        ],
        alerts: vec![alert(text, true), alert(text, false)],
        processes: Processes {
            max_runners: 2,
            running: vec![process("launcher"), process(text)],
            queued: vec![process("queued run")],
            ..Processes::default()
        },
    }
}

/// A call that failed, and of which messages did.
pub fn call(text: &str, status: Option<i32>) -> Call {
    let own = || Text::from(text);
    Call {
        id: 9,
        sync: own(),
        run_id: 7,
        at: before(58),
        operation: own(),
        queue: own(),
        attempt: 2,
        status,
        latency: Duration(31),
        aws_request_id: Some(own()),
        error: Some(own()),
        messages: 10,
        refused: 3,
        refusal: Some(own()),
    }
}

pub fn alert(text: &str, is_firing: bool) -> Alert {
    let own = || Text::from(text);
    Alert {
        name: own(),
        sync: Some(own()),
        condition: own(),
        channel: own(),
        is_firing,
        since: before(700),
        summary: is_firing.then(own),
        silenced_until: Some(before(-600)),
        delivery: Some(Delivery { state: own(), answer: Some(own()) }),
    }
}

/// The same of one sync.
pub fn alone(text: &str) -> Report {
    let mut report = everything(text);
    report.only = Some(text.into());
    report.syncs.truncate(1);
    report
}

/// A page as a browser reads it.
pub struct Dom(RcDom);

pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Dom {
    pub fn of(report: &Report) -> Dom {
        Dom::parse(&report::page(report))
    }

    pub fn parse(page: &str) -> Dom {
        let options = ParseOpts {
            tokenizer: html5ever::tokenizer::TokenizerOpts {
                exact_errors: true,
                ..Default::default()
            },
            ..ParseOpts::default()
        };
        Dom(parse_document(RcDom::default(), options).one(page))
    }

    pub fn errors(&self) -> Vec<String> {
        self.0.errors.borrow().iter().map(ToString::to_string).collect()
    }

    pub fn elements(&self) -> Vec<Element> {
        let mut all = Vec::new();
        collect(&self.0.document, &mut all);
        all
    }

    pub fn named(&self, name: &str) -> Vec<Element> {
        self.elements().into_iter().filter(|element| element.name == name).collect()
    }

    /// What the element of that id says.
    pub fn says(&self, id: &str) -> String {
        let found = self.elements().into_iter().find(|one| one.attribute("id") == Some(id));
        found.map(|element| element.text).unwrap_or_default()
    }
}

fn collect(node: &Handle, all: &mut Vec<Element>) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        all.push(Element {
            name: name.local.to_string(),
            attributes: attrs
                .borrow()
                .iter()
                .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
                .collect(),
            text: text_of(node),
        });
    }
    for child in node.children.borrow().iter() {
        collect(child, all);
    }
}

fn text_of(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => node.children.borrow().iter().map(text_of).collect(),
    }
}
