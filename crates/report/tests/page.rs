//! What is on the page, and what it is made of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Dom, NOW, about, alert, alone, before, call, everything, history, run, sync};
use report::data::*;
use report::time::Duration;

fn empty() -> Report {
    Report {
        about: about("shop"),
        history: history(vec![Span::default(); 60]),
        ..Report::default()
    }
}

fn with(syncs: Vec<Sync>) -> Report {
    Report { syncs, ..empty() }
}

#[test]
fn a_page_is_valid_stands_alone_and_is_ascii() {
    for report in [empty(), everything("naïve – ☃ 🎻"), alone("naïve – ☃ 🎻")] {
        let page = report::page(&report);
        let dom = Dom::parse(&page);
        assert!(page.is_ascii());
        assert_eq!(dom.errors(), Vec::<String>::new());
        assert!(
            ["script", "iframe", "object", "img", "form"]
                .iter()
                .all(|name| dom.named(name).is_empty())
        );
        for element in dom.elements() {
            for (name, value) in &element.attributes {
                assert!(!name.starts_with("on"), "<{} {name}>", element.name);
                assert!(
                    !value.contains("//") || value.starts_with("data:"),
                    "<{} {name}={value}>",
                    element.name
                );
            }
        }
        assert!(!dom.named("style")[0].text.contains("url("));
    }
}

#[test]
fn nothing_may_run_or_be_loaded() {
    let dom = Dom::of(&empty());
    let policy = dom.named("meta").into_iter().find(|meta| meta.attribute("http-equiv").is_some());
    let policy = policy.expect("a policy").attribute("content").unwrap_or_default().to_owned();
    assert!(policy.starts_with("default-src 'none'"));
    assert!(!policy.contains("script-src") && !policy.contains("connect-src"));
}

#[test]
fn ids_are_unique_and_links_lead_to_them() {
    let dom = Dom::of(&everything("x"));
    let elements = dom.elements();
    let mut ids: Vec<&str> = elements.iter().filter_map(|one| one.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for link in dom.named("a") {
        let to = link.attribute("href").unwrap_or_default().trim_start_matches('#').to_owned();
        assert!(ids.contains(&to.as_str()), "#{to}");
    }
}

#[test]
fn every_table_has_a_caption_and_headers() {
    let page = report::page(&everything("x"));
    let tables = page.matches("<table").count();
    assert!(tables >= 4);
    assert_eq!(page.matches("<caption>").count(), tables);
    assert!(Dom::parse(&page).named("th").iter().all(|th| th.attribute("scope").is_some()));
}

#[test]
fn what_is_empty_says_so_in_words() {
    let dom = Dom::of(&empty());
    assert!(dom.named("h1")[0].text.contains("no sync"));
    assert!(dom.says("next").contains("sqs_sync_create"));
    assert!(dom.says("history").contains("No run yet"));
    assert!(dom.says("rejections").contains("None."));
    assert!(dom.named("svg").is_empty());
}

#[test]
fn a_chart_of_nothing_is_a_sentence() {
    let quiet = Span {
        succeeded: 1,
        median: Some(Duration(5)),
        longest: Some(Duration(5)),
        ..Span::default()
    };
    let dom = Dom::of(&Report { history: history(vec![quiet; 60]), ..empty() });
    assert!(dom.says("history").contains("No message was published in this time."));
    assert!(dom.says("history").contains("No change was found in this time."));
}

#[test]
fn a_history_without_runs_tells_of_the_latest_one() {
    let report = Report {
        runs: vec![Run { requested_at: before(3 * 86_400), ..run("a", State::Succeeded) }],
        ..empty()
    };
    assert!(Dom::of(&report).says("history").contains("the latest one was, 3 days ago"));
}

#[test]
fn the_headline_tells_the_worst() {
    let headline = |syncs| Dom::of(&with(syncs)).named("h1")[0].text.clone();
    let well = || sync("a", State::Succeeded);
    assert_eq!(headline(vec![well()]), "All is well with 1 sync");
    assert_eq!(
        headline(vec![well(), sync("b", State::PartlyFailed)]),
        "1 of 2 syncs leaves rows out"
    );
    let worst = vec![well(), sync("b", State::PartlyFailed), sync("c", State::Held)];
    assert_eq!(headline(worst), "1 of 3 syncs stands still");
}

#[test]
fn syncs_that_need_a_look_come_first() {
    let report = with(vec![
        sync("a-well", State::Succeeded),
        sync("b-failed", State::Failed),
        sync("c-part", State::PartlyFailed),
    ]);
    let said = Dom::of(&report).says("syncs");
    let at = |name: &str| said.find(name).expect(name);
    assert!(at("b-failed") < at("c-part") && at("c-part") < at("a-well"));
}

#[test]
fn a_failed_run_says_why_what_to_do_and_how() {
    let mut failed = sync("a", State::Failed);
    failed.last = Some(Run {
        error: Some("queue \"x\" does not exist".into()),
        hint: Some("Create the queue.".into()),
        ..run("a", State::Failed)
    });
    let said = Dom::of(&with(vec![failed])).says("next");
    for words in
        ["act", "queue \"x\" does not exist", "Create the queue.", "SELECT sqs_sync_run('a');"]
    {
        assert!(said.contains(words), "{words} is not in: {said}");
    }
}

#[test]
fn a_held_run_is_decided_a_paused_sync_resumed_and_a_new_one_run() {
    let paused = Sync { state: SyncState::Paused, ..sync("b", State::Succeeded) };
    let new = Sync { last: None, recent: Vec::new(), ..sync("c", State::Succeeded) };
    let said = Dom::of(&with(vec![sync("a", State::Held), paused, new])).says("next");
    for command in [
        "sqs_sync_approve(7);",
        "sqs_sync_discard(7);",
        "sqs_sync.held WHERE run_id = 7;",
        "sqs_sync_resume('b');",
        "sqs_sync_run('c');",
    ] {
        assert!(said.contains(command), "{command} is not in: {said}");
    }
}

#[test]
fn what_is_the_same_for_many_syncs_is_said_once() {
    let failed = |i: i32| {
        let mut sync = sync(&format!("sync-{i}"), State::Failed);
        let error = format!("sync \"sync-{i}\": no credentials");
        let run = run(&format!("sync-{i}"), State::Failed);
        sync.last = Some(Run { error: Some(error.into()), ..run });
        sync
    };
    let said = Dom::of(&with((0..9).map(failed).collect())).says("next");
    assert_eq!(said.matches("no credentials").count(), 1);
    assert!(said.contains("sync-0, sync-1, sync-2, sync-3 and 5 more"));
}

#[test]
fn a_run_that_waits_for_long_says_for_what() {
    let queued = |seconds| Process {
        kind: "queued run".into(),
        sync: Some("a".into()),
        since: Some(before(seconds)),
        activity: Some("a free slot".into()),
        ..Process::default()
    };
    let said = |seconds| {
        let processes = Processes { queued: vec![queued(seconds)], ..Processes::default() };
        Dom::of(&Report { processes, ..with(vec![sync("a", State::Queued)]) }).says("next")
    };
    assert!(said(100).contains("a free slot") && said(100).contains("no worker is there"));
    assert!(!said(10).contains("a free slot"));
}

#[test]
fn where_all_is_well_there_is_nothing_to_do() {
    assert!(Dom::of(&with(vec![sync("a", State::Succeeded)])).says("next").contains("Nothing."));
}

#[test]
fn rejections_that_the_reader_may_not_see_are_told_of() {
    let mut report = with(vec![Sync { rejected: None, ..sync("a", State::PartlyFailed) }]);
    report.rejections.hidden_syncs = 1;
    let dom = Dom::of(&report);
    assert!(dom.says("rejections").contains("1 sync, whose rows are not shown here"));
    assert!(dom.says("next").contains("for who has the rights of the sync's owner"));
}

#[test]
fn a_bar_that_is_not_zero_can_be_seen() {
    let many = Span { succeeded: 1_000_000, ..Span::default() };
    let one = Span { failed: 1, ..Span::default() };
    let dom = Dom::of(&Report { history: history(vec![many, one]), ..empty() });
    let bars = dom.named("path");
    let failed =
        bars.iter().find(|path| path.attribute("class") == Some("bar bad")).expect("a bar");
    assert!(failed.attribute("d").is_some_and(|d| d.contains("v-1.4")));
}

#[test]
fn a_sync_tells_what_it_runs_by_and_when_next() {
    let asked = sync("a", State::Succeeded);
    let scheduled =
        Sync { schedule: Some("*/5 * * * *".into()), next_at: Some(before(-150)), ..asked.clone() };
    let in_sequence = Sync { after: Some("parts".into()), ..asked.clone() };
    let said = |sync: Sync| {
        let of_one = Report { only: Some("a".into()), ..with(vec![sync.clone()]) };
        (Dom::of(&with(vec![sync])).says("syncs"), Dom::of(&of_one).says("syncs"))
    };
    let (all, one) = said(scheduled);
    assert!(all.contains("next in 2 minutes") && one.contains("*/5 * * * * next in 2 minutes"));
    let (all, one) = said(in_sequence);
    assert!(all.contains("after parts") && one.contains("after parts"));
    let (all, one) = said(asked);
    assert!(!all.contains("next") && one.contains("when asked to"));
}

#[test]
fn moments_are_told_by_how_long_ago_they_were() {
    let dom = Dom::of(&with(vec![sync("a", State::Succeeded)]));
    assert!(dom.says("syncs").contains("57 seconds ago"));
    let times = dom.named("time");
    assert!(times.iter().any(|time| time.attribute("datetime") == Some("2026-11-24T19:04:03Z")));
    assert_eq!(NOW.minute(), "2026-11-24 19:05");
}

#[test]
fn an_alert_says_what_is_so_and_whether_its_channel_has_been_told() {
    let firing = Alert {
        delivery: Some(Delivery { state: "failed".into(), answer: Some("no such hook".into()) }),
        ..alert("late", true)
    };
    let told = Alert {
        delivery: Some(Delivery { state: "delivered".into(), answer: Some("id 7".into()) }),
        silenced_until: None,
        ..alert("early", false)
    };
    let said = Dom::of(&Report { alerts: vec![firing, told], ..empty() }).says("alerts");
    assert!(said.contains("firing") && said.contains("Not delivered: no such hook"));
    assert!(said.contains("silenced, ends in 10 minutes") && !said.contains("id 7"));
    assert!(Dom::of(&empty()).says("alerts").contains("None"));
}

#[test]
fn an_alert_that_fires_is_something_to_look_at_and_more_so_if_its_channel_was_not_told() {
    let delivered = Delivery { state: "delivered".into(), answer: Some("id 7".into()) };
    let failed = Delivery { state: "failed".into(), answer: Some("no such hook".into()) };
    let firing = |name: &str, sync: &str, delivery: &Delivery, silenced| Alert {
        sync: Some(sync.into()),
        summary: Some("nothing for an hour".into()),
        delivery: Some(delivery.clone()),
        silenced_until: silenced,
        ..alert(name, true)
    };
    let said = |alerts| {
        Dom::of(&Report { alerts, ..with(vec![sync("a", State::Succeeded)]) }).says("next")
    };
    let late = said(vec![
        firing("late", "a", &delivered, Some(before(5))),
        firing("late", "b", &delivered, None),
    ]);
    assert!(
        late.contains("looka, b: The alert \"late\" is firing.")
            && late.contains("nothing for an hour")
    );
    assert!(!late.contains("id 7") && late.matches("is firing").count() == 1);
    let untold = said(vec![firing("o'late", "a", &failed, None)]);
    assert!(untold.contains("act") && untold.contains("no such hook"));
    assert!(untold.contains("sqs_sync_alert_test('o''late');"));
    assert!(said(vec![firing("late", "a", &failed, Some(before(-5)))]).contains("know"));
    assert!(said(vec![alert("late", false)]).contains("Nothing."));
}

#[test]
fn a_copy_waits_for_somebody_to_take_over() {
    let processes = Processes { copy: Some("it was restored".into()), ..Processes::default() };
    let said =
        Dom::of(&Report { processes, ..with(vec![sync("a", State::Succeeded)]) }).says("next");
    assert!(said.contains("it was restored") && said.contains("SELECT sqs_sync_take_over();"));
}

#[test]
fn a_call_says_what_came_back_and_how_much_of_it_failed() {
    let went = Call { error: None, refused: 0, ..call("fine", Some(200)) };
    let partly = Call { error: None, ..call("bad body", Some(200)) };
    let calls = vec![call("throttled", Some(503)), call("reset", None), partly, went];
    let dom = Dom::of(&Report { calls, ..empty() });
    let said = dom.says("calls");
    for words in [
        "throttled",
        "no answer",
        "3 of 10 messages not accepted: bad body",
        "58 seconds ago",
        "31 ms",
    ] {
        assert!(said.contains(words), "{words} is not in: {said}");
    }
    let badges: Vec<String> = dom
        .named("span")
        .iter()
        .filter_map(|span| Some(format!("{} {}", span.attribute("class")?, span.text)))
        .filter(|badge| badge.starts_with("badge"))
        .collect();
    assert_eq!(
        badges,
        ["badge bad 503", "badge bad no answer", "badge part 200", "badge good 200"]
    );
    assert!(Dom::of(&empty()).says("calls").contains("sqs_sync_log"));
}
