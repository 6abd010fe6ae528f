//! The sink's own interface.

use serde_json::{Value, json};

use crate::support::*;

#[test]
fn an_unknown_setting_is_refused_by_name_and_nothing_is_set() {
    let mut sink = Sink::with("q", json!({}));
    let update = json!({"latency_ms": 5, "latency": 5});
    let (status, told) = sink.control("POST", "settings?queue=q", &update);
    assert_eq!(status, 400);
    assert!(told["error"].as_str().unwrap().contains("`latency`"), "{told}");
    let (_, settings) = sink.control("GET", "settings?queue=q", &Value::Null);
    assert_eq!(settings["latency_ms"], 0);
}

#[test]
fn a_value_that_a_setting_cannot_have_is_refused() {
    let mut sink = Sink::with("q", json!({}));
    let refused = [
        json!({"cut_share": 1.5}),
        json!({"cut_share": -0.1}),
        json!({"queue_messages_per_second": 0}),
        json!({"seed": "one"}),
    ];
    for update in refused {
        assert_eq!(sink.control("POST", "settings?queue=q", &update).0, 400, "{update}");
    }
}

#[test]
fn null_sets_a_setting_to_its_default() {
    let mut sink = Sink::with("q", json!({"id_name": "customer"}));
    sink.set("q", json!({"id_name": null}));
    let (_, settings) = sink.control("GET", "settings?queue=q", &Value::Null);
    assert_eq!(settings["id_name"], "id");
}

#[test]
fn settings_without_a_queue_are_for_all_and_for_those_to_come() {
    let mut sink = Sink::with("q", json!({"seed": 3}));
    sink.control("POST", "settings", &json!({"latency_ms": 1}));
    sink.create("later");
    for (queue, seed) in [("q", 3), ("later", 0)] {
        let (_, settings) = sink.control("GET", &format!("settings?queue={queue}"), &Value::Null);
        assert_eq!((&settings["latency_ms"], &settings["seed"]), (&json!(1), &json!(seed)));
    }
}

#[test]
fn what_is_not_there_is_said_so() {
    let mut sink = Sink::with("q", json!({}));
    assert_eq!(sink.control("GET", "nothing", &Value::Null).0, 404);
    assert_eq!(sink.control("GET", "settings?queue=other", &Value::Null).0, 404);
    assert_eq!(sink.control("GET", "missing?queue=q&from=x&through=1", &Value::Null).0, 400);
    assert_eq!(sink.control("POST", "queues", &json!(["no name"])).0, 400);
}

#[test]
fn counts_tell_what_the_sink_has_used() {
    let mut sink = Sink::start();
    let (_, counts) = sink.control("GET", "counts", &Value::Null);
    assert!(counts["cpu_seconds"].as_f64().unwrap() > 0.0, "{counts}");
    assert!(counts["peak_rss_kb"].as_i64().unwrap() > 0, "{counts}");
}
