//! Attribute maps: whatever is written, it is refused, or makes of each row a message with just these
//! attributes that SQS takes, or a rejection that says nothing of the row.

use fastrand::Rng;
use message::{Attribute, AttributeValue, Change, Context, Definition, Event, Run, Source, Value};
use serde_json::Value as Json;

use crate::legal::illegality;
use crate::spoil::{MARK, one_in, pick, spoiled};

const VALUES: [&str; 16] = [
    "plain",
    "",
    " ",
    "1",
    "-1.50",
    "1e126",
    "ten",
    "\u{ffff}",
    "a\u{1}b",
    "é😀",
    "{{ row.secret }}",
    "{{row.n}}",
    "{{ row.bytes }}",
    "x{{ row.secret | size }}",
    "{% if row.n %}{{ event }}{% endif %}",
    "{{ row.nothing }}",
];

const TYPES: [&str; 14] = [
    "String",
    "Number",
    "Binary",
    "String.a label",
    "Number.cents",
    "Binary.é",
    "string",
    "Text",
    "",
    "String.",
    "Number.\u{ffff}",
    "{{ row.secret }}",
    "List",
    "StringX",
];

fn name(rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0 => "n".repeat(rng.usize(253..259)),
        1 => {
            pick(rng, &["", ".a", "a.", "a..b", "AWS.x", "amazon.x", "aws", "é", "a b"]).to_owned()
        }
        2 => spoiled(rng, "attribute.of-me_1"),
        _ => format!("{}{}", pick(rng, &["a", "B", "c.d", "e_f", "g-h"]), rng.u8(..20)),
    }
}

fn value(rng: &mut Rng) -> Json {
    let value = pick(rng, &VALUES);
    match rng.u8(..20) {
        0 => serde_json::json!([value]),
        1 => serde_json::json!(7),
        2 => Json::Null,
        3 => serde_json::json!({ "type": pick(rng, &TYPES) }),
        4 => serde_json::json!({ "value": value, "more": 1 }),
        5..=8 => serde_json::json!({ "value": value }),
        9..=14 => serde_json::json!({ "type": pick(rng, &TYPES[..6]), "value": value }),
        15 => serde_json::json!({ "value": value, "type": pick(rng, &TYPES) }),
        _ => Json::from(value),
    }
}

fn map(rng: &mut Rng) -> String {
    let count = if one_in(rng, 8) { rng.usize(8..13) } else { rng.usize(..5) };
    let pairs: serde_json::Map<String, Json> =
        (0..count).map(|_| (name(rng), value(rng))).collect();
    let text = Json::Object(pairs).to_string();
    match rng.u8(..8) {
        0 => spoiled(rng, &text),
        // The first name comes twice.
        1 => text.replacen('{', "{\"a1\":\"x\",", 1),
        2 => "[".repeat(rng.usize(..3_000)) + &text,
        _ => text,
    }
}

fn row(rng: &mut Rng) -> [Value<'static>; 3] {
    let secret = match rng.u8(..6) {
        0 => Value::Null,
        1 => Value::Text(format!("{MARK}\u{fffe}").into()),
        2 => Value::Text(MARK.repeat(400_000).into()),
        3 => Value::Json(format!("{{\"{MARK}\": \"{MARK}\"}}").into()),
        _ => Value::Text(format!("{MARK}{}", rng.u64(..)).into()),
    };
    let number = match rng.u8(..4) {
        0 => Value::Null,
        1 => Value::Number("9".repeat(rng.usize(30..50)).into()),
        2 => Value::Number("NaN".into()),
        _ => Value::Number(rng.i64(..).to_string().into()),
    };
    let bytes = (0..rng.usize(..4)).map(|_| rng.u8(..)).collect::<Vec<_>>();
    [secret, number, Value::Bytes(bytes.into())]
}

pub fn trial(seed: u64) -> &'static str {
    let mut rng = Rng::with_seed(seed);
    let map = map(&mut rng);
    let row = row(&mut rng);
    let columns = ["secret", "n", "bytes"].map(str::to_owned);
    let context = Context {
        columns: &columns,
        key: &columns[..1],
        sync_name: "sync",
        sync_uuid: "6a1f0d5e-3b0c-4c8f-9a53-0d3a8c1f2e11",
        allowed_queues: None,
    };
    let source = Source {
        queue: Some("orders".to_owned()),
        template: Some("{}".to_owned()),
        attributes: Some(map.clone()),
        ..Source::default()
    };
    let Ok(definition) = Definition::compile(&source, &context) else { return "refused" };
    let run = Run { id: 7, started_at: "2024-01-15T08:00:00Z" };
    let change = Change { id: 42, event: Event::Added, row: &row, old: None, run };
    match definition.render(&change) {
        Ok(message) => {
            assert_eq!(illegality(&message), None, "{map} with {row:?}");
            assert_written(&map, &message.attributes);
            "rendered"
        }
        Err(rejection) => {
            assert!(!format!("{rejection:?}").contains(MARK), "{rejection:?} of {map}");
            assert!(rejection.reason.len() < 1_000, "{rejection:?}");
            "rejected"
        }
    }
}

/// The attributes are those of the map, in its order, of its types, and what is no template is the
/// value.
fn assert_written(map: &str, attributes: &[Attribute]) {
    let written: serde_json::Map<String, Json> = serde_json::from_str(map).unwrap();
    assert!(written.keys().eq(attributes.iter().map(|it| &*it.name)), "{map}: {attributes:?}");
    for (written, attribute) in written.values().zip(attributes) {
        let (kind, value) = match written {
            Json::String(value) => (None, value.as_str()),
            typed => (typed["type"].as_str(), typed["value"].as_str().unwrap()),
        };
        assert_eq!(&*attribute.data_type, kind.unwrap_or("String"), "{map}");
        if !value.contains("{{") && !value.contains("{%") {
            let is_it = match &attribute.value {
                AttributeValue::Text(text) => **text == *value,
                AttributeValue::Bytes(bytes) => bytes == value.as_bytes(),
            };
            assert!(is_it, "{attribute:?} of {map}");
        }
    }
}
