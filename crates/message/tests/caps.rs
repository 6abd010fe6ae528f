//! Templates and rows that are made to do harm do none: the process neither aborts nor hangs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::*;
use message::{ErrorKind, Source, Value};

/// The message of a template's error, which must come soon.
fn refused(source: &str) -> String {
    let begun = Instant::now();
    let error = fault(source);
    // Generous: the tests run unoptimised, on machines that are shared.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

#[test]
fn ten_thousand_nested_ifs_are_refused() {
    let size = 64 * 1024;
    let source = "{%if 1%}".repeat(8_000) + "1";
    assert!(source.len() < size);
    assert_eq!(refused(&source), "line 1, column 403: more than 50 blocks within one another");
    let source = "{%if 1%}".repeat(10_000) + "1" + &"{%endif%}".repeat(10_000);
    assert!(refused(&source).contains("is larger than the limit of 65536"));
}

#[test]
fn fifty_nested_ifs_are_rendered() {
    let source = "{%if row.id%}".repeat(50) + "1" + &"{%endif%}".repeat(50);
    assert_eq!(body(&source, &[("id", number("1"))]), "1");
}

#[test]
fn a_hundred_thousand_ands_are_refused() {
    let condition = |ands: usize| format!("{{% if 1{} %}}1{{% endif %}}", " and 1".repeat(ands));
    assert!(refused(&condition(100_000)).contains("larger than the limit"));
    assert!(refused(&condition(10_000)).contains("more than 8192 bytes between delimiters"));
    assert!(refused(&condition(1_000)).contains("more than 100 operators"));
    assert!(refused(&condition(101)).contains("more than 100 operators"));
    assert_eq!(body(&condition(100), &[("id", number("1"))]), "1");
    let comparisons = format!("{{% if 1{} %}}1{{% endif %}}", " == 1 and 1".repeat(51));
    assert!(refused(&comparisons).contains("more than 100 operators"));
}

#[test]
fn indexes_within_indexes_are_refused_or_read_on_little_stack() {
    assert!(refused(&format!("{{{{ {} }}}}", "a[".repeat(20_000))).contains("bytes"));
    assert!(refused(&format!("{{{{ {} }}}}", "a[".repeat(2_000))).contains("brackets"));
    let nested = |depth: usize| {
        format!("<{{{{ {}1{} }}}}>", "changed_columns[".repeat(depth), "]".repeat(depth))
    };
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let read = move || {
        let row = [("id", number("1"))];
        assert_eq!(plain(&nested(30), &row), "<>");
        assert!(fault(&nested(31)).to_string().contains("more than 30 brackets"));
    };
    small.spawn(read).unwrap().join().unwrap();
}

#[test]
fn a_megabyte_of_anything_is_refused() {
    for part in ["{{", "{%", "{{ row.id }}", "\"", "{% raw %}", "{% comment %}", " ", "é", "\\"] {
        refused(&part.repeat(1_000_000 / part.len()));
    }
}

#[test]
fn a_whole_template_of_one_kind_of_nonsense_is_refused_soon() {
    for part in [
        "{{",
        "{%",
        "{{ '",
        "{{ \"",
        "{{'}}",
        "{%-",
        "-%}",
        "{% raw %}{%",
        "{% comment %}",
        "{{ a | b: '{{",
        "{% comment %}{%                                        ",
        "{{ row['id'",
        "{% if 'a",
        "{% if ((((",
    ] {
        refused(&part.repeat(65_000 / part.len()));
    }
    // An element that is closed, but that the parser must give up on after a long way.
    let (blanks, quoted) = ("a".to_owned() + &" ".repeat(256), format!("'{}'", " ".repeat(256)));
    for part in
        ["'{{ a ' ", "a | b: '{{a|b:', ", " ", "a,", "a['{{ a[' ", "(1..", "\n", &blanks, &quoted]
    {
        let inner = part.repeat(8_000 / part.len());
        refused(&format!("[{{{{ {inner} ! }}}}]"));
    }
}

#[test]
fn a_number_of_any_length_is_read() {
    let digits = "9".repeat(4_000);
    let row = [("id", number(&digits)), ("v", Value::Null)];
    assert!(holds(&format!("row.id == {digits}.0"), &row));
    assert_eq!(body(&format!("[{{{{ {digits} }}}}]"), &row), format!("[{digits}]"));
    assert!(fault(&format!("{{{{ row[{digits}] }}}}")).to_string().contains("no places"));
    assert_eq!(plain(&format!("{{{{ changed_columns[{digits}] }}}}"), &row), "");
}

#[test]
fn a_message_that_grows_too_large_is_rejected_while_it_is_written() {
    let value = "\u{1}".repeat(1024 * 1024);
    let source = "[".to_owned() + &"\"{{ row.v }}\",".repeat(4_000) + "1]";
    let rejection = render(&template(&source), &[("v", text(&value))]).unwrap_err();
    assert_eq!(rejection.code, "message_too_long");
    let rejection = render(&fields(r#"["v"]"#), &[("v", text(&value))]).unwrap_err();
    assert_eq!(rejection.code, "message_too_long");
    let attributes = Some(r#"{"a": "{{row.v}}{{row.v}}{{row.v}}"}"#.to_owned());
    let source = Source { attributes, ..template("1") };
    let rejection = render(&source, &[("v", text(&value))]).unwrap_err();
    assert_eq!(rejection.code, "message_too_long");
}

#[test]
fn deep_json_in_a_row_does_no_harm() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let row = [("id", json(&deep)), ("v", text(&deep))];
    assert_eq!(body("[{{ row.id }},{{ row.v }}]", &row).len(), 2 * deep.len() + 3);
    assert!(!holds("row.id contains 1", &row));
    assert!(!holds("row.id == empty", &row));
    let open = "[".repeat(400_000);
    let rejection = render(&template("[{{ row.v }}]"), &[("v", text(&open))]).unwrap_err();
    assert_eq!(rejection.code, "not_a_json_value");
}

#[test]
fn a_million_bytes_of_fields_or_attributes_are_refused() {
    let many = serde_json::json!((0..100_000).map(|i| format!("c{i}")).collect::<Vec<_>>());
    let row = [("id", number("1"))];
    assert!(compile(&fields(&many.to_string()), &row).is_err());
    assert!(compile(&fields(&"[".repeat(1_000_000)), &row).is_err());
    let attributes = Some("{\"a\":".repeat(200_000));
    assert!(compile(&Source { attributes, ..template("1") }, &row).is_err());
}
