//! No row, whatever it holds, makes a body that is not JSON or that has a key or value which the
//! template did not ask for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::Value;
use proptest::prelude::*;
use serde_json::Value as Json;

/// Text made of what is special to JSON and to Liquid.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "\"",
        "\\",
        "\\\"",
        "\\u0022",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"admin\":true",
        "null",
        "true",
        "1",
        "-",
        "e9",
        " ",
        "\n",
        "\t",
        "\0",
        "\u{1}",
        "\u{7f}",
        "\u{2028}",
        "\u{ffff}",
        "😀",
        "é",
        "{{",
        "}}",
        "{%",
        "%}",
        "{{row.b}}",
        "{% endif %}",
        "'",
        "/",
        "\\u",
        "name",
    ]);
    prop_oneof![
        3 => prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

fn object(body: &str) -> serde_json::Map<String, Json> {
    serde_json::from_str(body).unwrap()
}

/// Values of a JSON template by which the text of the column `a` is told.
const CONSTRUCTS: [&str; 21] = [
    r#""{% assign v = row.a %}{{ v }}""#,
    r#""{% capture v %}{{ row.a }}{% endcapture %}{{ v }}""#,
    r#""{% if row.a contains 'admin' %}{{ row.a }}{% else %}{{ row.a }}{% endif %}""#,
    r#"{% unless row.b == row.b %}1{% else %}"{{ row.a }}"{% endunless %}"#,
    r#"{% case row.b %}{% when 1 %}2{% else %}"{{ row.a }}"{% endcase %}"#,
    r#""{% for i in (1..1) %}{{ row.a }}{% endfor %}""#,
    r#""{% for i in row.doc.list limit: 1 %}{{ i }}{% endfor %}""#,
    r#""{% for pair in row.doc.o %}{{ pair[1] }}{% endfor %}""#,
    r#""{% cycle row.a, row.b %}""#,
    r#""{% ifchanged %}{{ row.a }}{% endifchanged %}{% ifchanged %}{{ row.a }}{% endifchanged %}""#,
    r#""{% liquid echo row.a %}""#,
    r#""{{ row.doc.x }}""#,
    r#""{{ row.doc['o'].y }}""#,
    r#""{{ row.b | default: row.a | replace: row.b, row.a | slice: 0, 0 }}{{ row.a | append: '' }}""#,
    r#"{{ row.a | json }}"#,
    r#"{{ row.a | append: '' | json }}"#,
    r#"{{ row.doc.list | first | json }}"#,
    r#"{{ row.doc | json }}"#,
    r#"{{ row.doc.list }}"#,
    r#"{{ row | json }}"#,
    r#"{% assign all = row.doc.list | concat: row.doc.list %}{{ all | uniq | slice: 0, 1 }}"#,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn text_inside_quotes_reads_back_as_it_was(a in hostile(), b in hostile()) {
        let source = template(
            r#"{"a":"{{row.a}}",{% if row.b contains '"' %}"b":"<{{row.b}}>"{% else %}"b":"{{row.b}}"{% endif %},"end":1}"#,
        );
        let message = render(&source, &[("a", text(&a)), ("b", text(&b))]).unwrap();
        let body = object(&message.body);
        prop_assert_eq!(body.keys().collect::<Vec<_>>(), ["a", "b", "end"]);
        prop_assert_eq!(body["a"].as_str().unwrap(), a);
        let expected = if b.contains('"') { format!("<{b}>") } else { b };
        prop_assert_eq!(body["b"].as_str().unwrap(), expected);
    }

    #[test]
    fn text_outside_quotes_is_one_value_or_a_rejection(a in hostile()) {
        let source = template(r#"{"a":{{row.a}},"end":1}"#);
        match render(&source, &[("a", text(&a))]) {
            Ok(message) => {
                let body = object(&message.body);
                prop_assert_eq!(body.keys().collect::<Vec<_>>(), ["a", "end"]);
                prop_assert_eq!(&body["a"], &serde_json::from_str::<Json>(&a).unwrap());
            }
            Err(rejection) => {
                let codes = ["not_a_json_value", "invalid_json", "invalid_character"];
                prop_assert!(codes.contains(&rejection.code), "{:?}", rejection);
                prop_assert!(a.len() < 8 || !rejection.reason.contains(&a));
            }
        }
    }

    #[test]
    fn json_inside_quotes_is_its_text(a in hostile()) {
        let document = serde_json::json!({ "x": a }).to_string();
        let message = render(&template(r#"["{{row.a}}"]"#), &[("a", json(&document))]).unwrap();
        let body: Vec<String> = serde_json::from_str(&message.body).unwrap();
        prop_assert_eq!(&body[0], &document);
    }

    /// Through each construct of the language the same text arrives, or no message at all.
    #[test]
    fn text_reads_back_as_it_was_through_every_construct(a in hostile(), b in hostile()) {
        let document = serde_json::json!({ "x": a, "list": [a, b], "o": { "y": a } }).to_string();
        let row = [("a", text(&a)), ("b", text(&b)), ("doc", json(&document))];
        for value in CONSTRUCTS {
            let source = template(&format!("{{\"v\":{value},\"end\":1}}"));
            let body = match render(&source, &row) {
                Ok(message) => object(&message.body),
                // JSON of the row is not written anew, so it can hold what SQS refuses.
                Err(rejection) if rejection.code == "invalid_character" => continue,
                Err(rejection) => {
                    return Err(TestCaseError::fail(format!("{value}: {rejection:?}")));
                }
            };
            prop_assert_eq!(body.keys().collect::<Vec<_>>(), ["v", "end"], "{}", value);
            let found = match &body["v"] {
                Json::Object(object) => object.get("x").or(object.get("a")),
                Json::Array(list) => list.first(),
                text => Some(text),
            };
            prop_assert_eq!(found.and_then(Json::as_str), Some(a.as_str()), "{}", value);
        }
    }

    #[test]
    fn no_text_is_a_template_that_panics(source in hostile(), plain in any::<String>()) {
        let row = [("a", text("x")), ("b", Value::Null)];
        for source in [source, plain] {
            for wrapped in [source.clone(), format!("{{{{{source}}}}}"), format!("{{% if {source} %}}{{% endif %}}")] {
                if let Ok(definition) = compile(&template(&wrapped), &row) {
                    let row = [text("x"), Value::Null];
                    if let Ok(message) = definition.render(&change(message::Event::Added, &row)) {
                        prop_assert!(serde_json::from_str::<Json>(&message.body).is_ok());
                    }
                }
            }
        }
    }

    #[test]
    fn no_tokens_are_a_condition_that_panics(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "row.a", "row['b']", "row[", "]", "(1..2)", "(", "==", "!=", "<", "<>", "=", "contains",
            "and", "or", "nil", "empty", "blank", "true", "'x'", "\"y\"", "'", "1", "-1.5",
            "99999999999999999999", "row[99999999999999999999]", "|", "| upcase", ":", ",", ".", "-", "event",
        ]), 0..10),
    ) {
        let source = format!("[{{% if {} %}}1{{% endif %}}]", tokens.join(" "));
        let row = [("a", text("x")), ("b", Value::Null)];
        if compile(&template(&source), &row).is_ok() {
            let body = render(&template(&source), &row).unwrap().body;
            prop_assert!(body == "[1]" || body == "[]");
        }
    }
}

#[test]
fn a_megabyte_of_text_is_the_same_text_or_a_rejection() {
    for part in ["x", "\"", "\\", "\",\"admin\":true,\"", "\u{1}", "é", "30,\"admin\":true"] {
        let long = part.repeat(1_000_000 / part.len());
        for source in ["{\"v\":\"{{row.a}}\"}", "{\"v\":{{row.a | json}}}", "{\"v\":{{row.a}}}"] {
            match render(&template(source), &[("a", text(&long))]) {
                Ok(message) => assert_eq!(object(&message.body)["v"].as_str().unwrap(), long),
                Err(rejection) => {
                    let codes = ["message_too_long", "not_a_json_value"];
                    assert!(codes.contains(&rejection.code), "{source} {part}: {rejection:?}");
                }
            }
        }
    }
}
