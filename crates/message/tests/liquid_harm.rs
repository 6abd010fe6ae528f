//! What a Liquid engine can do to a server, to a value or to a reader, and this one does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::*;
use message::{Format, Rejection, Source, Value};

/// How long the worst may take: unoptimised, on a machine that is shared.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rejection of a text template, which must come soon.
fn rejected(source: &str, row: &[(&str, Value<'_>)]) -> Rejection {
    let begun = Instant::now();
    let source = Source { format: Some(Format::Text), ..template(&format!("<{source}>")) };
    let rejection = render(&source, row).expect_err("rejected");
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    rejection
}

#[test]
fn a_range_is_gone_through_and_not_made() {
    let row = [("id", number("1000000000"))];
    assert_eq!(plain("{% for i in (1..row.id) limit: 1 %}{{ i }}{% endfor %}", &row), "1");
    assert_eq!(
        plain(
            "{% for i in (1..row.id) reversed limit: 2 offset: 999999990 %}{{ i }} {% endfor %}",
            &row
        ),
        "999999992 999999991 "
    );
    assert_eq!(
        plain("{% assign r = (1..row.id) %}{{ r.size }} {{ r.last }}", &row),
        "1000000000 1000000000"
    );
    assert_eq!(plain("{{ (1..row.id) }}", &row), "1..1000000000");
    for source in [
        "{% for i in (1..row.id) %}{% assign x = i %}{% endfor %}",
        "{{ (1..row.id) | join }}",
        "{{ (1..row.id) | json }}",
        "{{ (1..row.id) | reverse | first }}",
        "{% assign r = (1..row.id) %}{% if r == row.id %}{% endif %}{{ r | sum }}",
        "{{ (-9223372036854775808..9223372036854775807) | sort | size }}",
    ] {
        assert_eq!(rejected(source, &row).code, "template_too_costly", "{source}");
    }
}

#[test]
fn what_is_looked_for_is_paid_for_too() {
    let long = "ab".repeat(50_000);
    let row = [("id", number("100000")), ("x", text(&long))];
    for look in [
        "{{ 'a' | replace_last: row.x, '' }}",
        "{{ 'a' | replace: row.x, '' }}",
        "{{ 'a' | split: row.x }}",
        "{% if 'a' contains row.x %}y{% endif %}",
    ] {
        let source = format!("{{% for i in (1..row.id) %}}{look}{{% endfor %}}");
        assert_eq!(rejected(&source, &row).code, "template_too_costly", "{source}");
    }
}

#[test]
fn a_text_that_doubles_is_stopped() {
    let doubling =
        "{% assign x = row.x %}".to_owned() + &"{% assign x = x | append: x %}".repeat(40);
    for source in [
        doubling.as_str(),
        "{{ row.x | replace: '', row.x }}",
        "{{ row.x | split: '' | join: row.x }}",
        "{% assign x = row.x | prepend: row.x %}{{ x | replace: 'x', x }}",
        "{{ row.x | escape | url_encode | url_encode | url_encode }}",
        "{% capture c %}{% for i in (1..100000) %}{{ row.x }}{% endfor %}{% endcapture %}",
        "{% assign x = row.x | base64_encode | append: row.x %}{{ x | append: x }}{{ x | append: x }}{{ x }}",
    ] {
        let rejection = rejected(source, &[("x", text(&"x<".repeat(500_000)))]);
        let codes = ["message_too_long", "template_too_costly"];
        assert!(codes.contains(&rejection.code), "{source}: {rejection:?}");
    }
}

/// Whatever a filter is given, it ends soon.
#[test]
fn a_megabyte_of_anything_goes_through_every_filter_soon() {
    let texts = [
        "<script".repeat(150_000),
        "&".repeat(1_000_000),
        "<".repeat(1_000_000),
        "\n".repeat(1_000_000),
        "a ".repeat(500_000),
        "%".repeat(1_000_000),
        "9".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
    ];
    let arrays = [
        "[".to_owned() + &"[],".repeat(300_000) + "1]",
        "[".repeat(500_000) + &"]".repeat(500_000),
        serde_json::json!((0..150_000).collect::<Vec<_>>()).to_string(),
        serde_json::json!((0..50_000).map(|i| format!("{i}x")).collect::<Vec<_>>()).to_string(),
    ];
    let filters = [
        "strip_html",
        "escape_once",
        "escape",
        "strip_newlines",
        "newline_to_br",
        "split: ' '",
        "split: ''",
        "truncatewords: 100000",
        "url_decode",
        "base64_decode",
        "plus: 1",
        "round",
        "date: '%Y'",
        "sort",
        "sort_natural",
        "uniq",
        "sum",
        "join",
        "compact",
        "map: 'a'",
        "where: 'a'",
        "find: 'zz'",
        "reverse",
        "concat: row.v",
        "size",
        "json",
        "first",
        "slice: 2, 100000",
    ];
    for filter in filters {
        let source = Source {
            format: Some(Format::Text),
            ..template(&format!("<{{% assign x = row.v | {filter} %}}{{{{ x | size }}}}>"))
        };
        for value in texts.iter().map(|it| text(it)).chain(arrays.iter().map(|it| json(it))) {
            let begun = Instant::now();
            if let Err(rejection) = render(&source, &[("v", value)]) {
                let codes = ["message_too_long", "template_too_costly", "template_error"];
                assert!(codes.contains(&rejection.code), "{filter}: {rejection:?}");
            }
            assert!(begun.elapsed() < PATIENCE, "{filter}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn loops_over_loops_and_over_large_json_are_stopped() {
    let large = serde_json::json!((0..100_000).map(|i| i.to_string()).collect::<Vec<_>>());
    let large = large.to_string();
    let row = [("id", number("1")), ("v", json(&large))];
    for source in [
        "{% for a in (1..9999) %}{% for b in (1..9999) %}{% for c in (1..9999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in (1..99999) %}{{ row.v[-1] }}{% endfor %}",
        "{% for a in row.v %}{% if row.v contains 'zz' %}1{% endif %}{% endfor %}",
        "{% for a in (1..99999) %}{% if row.v == row.v %}{% endif %}{{ row.v.size }}{% endfor %}",
        "{% for a in (1..999999) %}{% cycle a: '' %}{% endfor %}",
    ] {
        assert_eq!(rejected(source, &row).code, "template_too_costly", "{source}");
    }
}

#[test]
fn a_format_of_any_width_does_no_harm() {
    let row = [("at", text("2024-01-15T08:00:00Z"))];
    assert_eq!(plain("{{ row.at | date: '%3000000000d' }}", &row), "%3000000000d");
    assert_eq!(plain("{{ row.at | date: '%255d|' | size }}", &row), "21");
    let long = format!("{{{{ row.at | date: '{}' }}}}", "%c".repeat(600));
    assert_eq!(rejected(&long, &row).code, "template_error");
}

#[test]
fn numbers_keep_their_digits_and_never_wrap() {
    let row = [
        ("n", number("12345678901234567890.123456789")),
        ("u", number("18446744073709551615")),
        ("max", number("9223372036854775807")),
        ("min", number("-9223372036854775808")),
        ("p", number("1.50")),
        ("nan", number("NaN")),
        ("inf", number("-Infinity")),
    ];
    for (source, expected) in [
        ("{{ row.n }} {{ row.u }}", "12345678901234567890.123456789 18446744073709551615"),
        (
            "{{ row.n | json }} {{ row.n | default: 0 }}",
            "12345678901234567890.123456789 12345678901234567890.123456789",
        ),
        (
            "{{ row.max | plus: 1 }} {{ row.min | minus: 1 }}",
            "9223372036854775808 -9223372036854775809",
        ),
        (
            "{{ row.min | divided_by: -1 }} {{ row.min | abs }}",
            "9223372036854775808 9223372036854775808",
        ),
        ("{{ row.min | modulo: -1 }}", "0"),
        ("{{ row.p | default: 0 }} {{ row.p | abs }}", "1.50 1.50"),
        ("{{ 99999999999999999999999 | plus: 1 }}", "100000000000000000000000"),
        ("{{ 0.1 | plus: 0.2 }}", "0.3"),
        (
            "{{ row.nan | json }} {{ row.inf | json }} {{ row.inf | plus: 1 | json }}",
            "null null null",
        ),
    ] {
        assert_eq!(plain(source, &row), expected, "{source}");
    }
    assert_eq!(body("[{{row.nan}},{{row.inf}},{{ row.nan | plus: 1 }}]", &row), "[null,null,null]");
}

#[test]
fn a_limit_and_an_offset_never_make_an_element() {
    let row = [("v", json("[1,2,3]"))];
    for (arguments, expected) in [
        ("limit: 2 offset: 2", "3,"),
        ("limit: 2 offset: 3", "none"),
        ("limit: 9 offset: 1", "2,3,"),
        ("limit: -1", "none"),
        ("offset: -5 limit: 1", "1,"),
        ("limit: nil", "1,2,3,"),
        ("offset: 99999999999999999999", "none"),
    ] {
        let source =
            format!("{{% for i in row.v {arguments} %}}{{{{ i }}}},{{% else %}}none{{% endfor %}}");
        let source = Source { format: Some(Format::Text), ..template(&format!("<{source}>")) };
        match render(&source, &row) {
            Ok(message) => assert_eq!(message.body, format!("<{expected}>"), "{arguments}"),
            Err(rejection) => {
                assert!(arguments.contains("9999"), "{rejection:?}");
                assert_eq!(
                    rejection.reason,
                    "template: line 1, column 5: offset of a loop is not a whole number"
                );
            }
        }
    }
}

#[test]
fn sizes_are_in_characters_and_objects_in_their_own_order() {
    let row = [("t", text("né😀")), ("o", json(r#"{"z":1,"a":2,"m":{"y":1,"b":2},"a":3}"#))];
    assert_eq!(
        plain("{{ row.t | size }} {{ row.t.size }} {{ row.t | slice: -1 }}", &row),
        "3 3 😀"
    );
    let source = "{% for p in row.o %}{{ p[0] }}{% endfor %} {{ row.o.m | json }} {{ row.o.a }}";
    assert_eq!(plain(source, &row), "zama {\"y\":1,\"b\":2} 3");
    let source = "{% for p in row %}{{ p | first }} {% endfor %}";
    assert_eq!(plain(source, &row), "t o ");
}

#[test]
fn a_rejection_names_the_place_and_the_column_and_shows_nothing_of_the_row() {
    let row = [("name", text("secret")), ("zero", number("0")), ("price", number("4711"))];
    for (source, reason) in [
        (
            "a\n{{ row.price | divided_by: row.zero }}",
            "template: line 2, column 16: filter \"divided_by\" of column \"price\": division by zero",
        ),
        (
            "{% if true %}{{ row.name | base64_decode }}{% endif %}",
            "template: line 1, column 29: filter \"base64_decode\" of column \"name\": the value is not Base64",
        ),
        (
            "{% assign x = row.price %}{{ x | date: '%F', row.name }}",
            "template: line 1, column 35: filter \"date\" of variable \"x\": the time zone is not known",
        ),
        (
            "{{ row.name | truncate: row.name }}",
            "template: line 1, column 16: filter \"truncate\" of column \"name\": the length is not a whole number",
        ),
    ] {
        let rejection = rejected(source, &row);
        assert_eq!(rejection.reason, reason);
        assert!(!format!("{rejection:?}").contains("secret"), "{rejection:?}");
    }
    let source = Source { group_id: given("{{ row.price | modulo: 0 }}"), ..template("{}") };
    let rejection = render(&source, &row).unwrap_err();
    assert_eq!(
        rejection.reason,
        "the group id: line 1, column 16: filter \"modulo\" of column \"price\": division by zero"
    );
}

#[test]
fn null_and_what_is_not_there_fail_no_row() {
    let row = [("null", Value::Null), ("doc", json("{\"a\":null}"))];
    for filter in [
        "plus: 1",
        "join: ','",
        "first",
        "round",
        "map: 'a'",
        "where: 'a'",
        "size",
        "sort",
        "uniq",
        "upcase",
        "append: 'x'",
        "append: row.null",
        "replace: row.null, row.null",
        "split: ','",
        "date: '%F'",
        "default: 'x'",
        "json",
        "sum",
        "concat: row.null",
        "find: 'a'",
        "slice: 0",
        "truncate",
        "escape",
        "url_encode",
        "base64_encode",
        "base64_decode",
        "times: row.null",
        "strip_html",
        "reverse",
        "compact",
        "last",
        "has: 'a'",
        "reject: 'a'",
    ] {
        for value in ["row.null", "row.doc.a", "row.doc.b.c", "nil", "row.doc['x y'][3]"] {
            plain(&format!("{{{{ {value} | {filter} }}}}"), &row);
        }
    }
    assert!(holds("row.doc.b == nil", &row));
    assert_eq!(plain("{{ row.doc.b | default: 'x' }}", &row), "x");
}

#[test]
fn a_body_is_the_same_every_time() {
    let object: serde_json::Map<String, serde_json::Value> =
        (0..200).rev().map(|i| (format!("k{}", i * 7919 % 200), i.into())).collect();
    let object = serde_json::Value::Object(object).to_string();
    let row = [("o", json(&object))];
    let source = "{{ row }}{% for p in row.o %}{{ p }}{% endfor %}{{ row.o | uniq }}";
    let first = plain(source, &row);
    for _ in 0..20 {
        assert_eq!(plain(source, &row), first);
    }
}
