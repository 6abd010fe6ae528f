//! Liquid: what templates may say, and what it means.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::{Definition, ErrorKind, Event, Value};

#[test]
fn outputs_show_columns_the_event_the_key_and_the_change() {
    let row = [("id", number("7")), ("full name", text("Ann"))];
    let source = r#"{"a":"{{ row['full name'] }}","b":{{row["id"]}},"c":"{{event}}","d":{{key}},"e":{{key.id}},"f":{{change.id}}}"#;
    assert_eq!(body(source, &row), r#"{"a":"Ann","b":7,"c":"changed","d":7,"e":7,"f":42}"#);
}

#[test]
fn a_key_of_several_columns_is_an_object_in_the_keys_order() {
    let columns = names(&["a", "b", "c"]);
    let key = names(&["c", "a"]);
    let source = template(r#"{"value":{{key}},"text":"{{key}}","c":"{{key.c}}"}"#);
    let definition = Definition::compile(&source, &context(&columns, &key)).unwrap();
    let row = [number("1"), Value::Null, text("x\"y")];
    assert_eq!(
        definition.render(&change(Event::Removed, &row)).unwrap().body,
        r#"{"value":{"c":"x\"y","a":1},"text":"{\"c\":\"x\\\"y\",\"a\":1}","c":"x\"y"}"#
    );
    let error =
        Definition::compile(&template(r#"{{key.b}}"#), &context(&columns, &key)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UndefinedColumn);
    assert_eq!(error.to_string(), "line 1, column 3: column \"b\" is not in the key");
}

#[test]
fn a_value_outside_quotes_is_json() {
    for (value, expected) in [
        (Value::Null, "null"),
        (number("NaN"), "null"),
        (number("Infinity"), "null"),
        (number("-Infinity"), "null"),
        (number("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (number("1.50"), "1.50"),
        (Value::Bool(true), "true"),
        (json("{\"a\": [1]}"), "{\"a\": [1]}"),
        (text("null"), "null"),
        (text(" [1] "), " [1] "),
        (text("\"quoted\""), "\"quoted\""),
    ] {
        let expected = format!("{{\"v\":{expected}}}");
        assert_eq!(body("{\"v\":{{row.v}}}", &[("v", value)]), expected);
    }
    assert_eq!(body("[1{{row.v}}2]", &[("v", text(","))]), "[1,2]");
    assert_eq!(body("[{{row.v}}]", &[("v", text(""))]), "[]");
}

#[test]
fn text_outside_quotes_that_is_not_one_json_value_is_rejected_with_its_column() {
    for bad in ["30,\"admin\":true", "Ann", "1 2", "}", "\"", ",,", "NaN", "1,"] {
        let source = template("{\"v\":{{row.v}}}");
        let rejection = render(&source, &[("v", text(bad))]).unwrap_err();
        assert_eq!(rejection.code, "not_a_json_value", "{bad}");
        assert_eq!(
            rejection.reason,
            "template: line 1, column 8: column \"v\" holds text that is not one JSON value"
        );
        assert_eq!(rejection.hint.unwrap(), "Put quotes around the output in the template.");
    }
}

#[test]
fn a_value_inside_quotes_is_escaped_text() {
    for (value, expected) in [
        (Value::Null, r#""#),
        (Value::Bool(false), "false"),
        (number("NaN"), "NaN"),
        (number("1.50"), "1.50"),
        (text("\",\"admin\":true,\"x\":\""), r#"\",\"admin\":true,\"x\":\""#),
        (text("a\\\n\u{1}\u{ffff}"), r#"a\\\n\u0001\uffff"#),
        (json("{\"a\":\"b\"}"), r#"{\"a\":\"b\"}"#),
    ] {
        let expected = format!("{{\"v\":\"<{expected}>\"}}");
        assert_eq!(body("{\"v\":\"<{{row.v}}>\"}", &[("v", value)]), expected);
    }
}

#[test]
fn a_body_that_is_not_json_is_rejected() {
    let source = template("{\"v\":{{row.v}}}");
    let rejection = render(&source, &[("v", text(""))]).unwrap_err();
    assert_eq!(rejection.code, "invalid_json");
    assert!(rejection.reason.contains("line 1 column 6"), "{}", rejection.reason);
}

#[test]
fn branches_choose_by_the_first_condition_that_holds() {
    let source = "{% if row.n > 10 %}big{% elsif row.n > 5 %}middle{% else %}small{% endif %}";
    for (n, expected) in [("11", "big"), ("6", "middle"), ("5", "small")] {
        assert_eq!(plain(source, &[("n", number(n))]), expected);
    }
    assert_eq!(
        plain(
            "{% if row.n %}{% if false %}a{% else %}b{% endif %}c{% endif %}",
            &[("n", text(""))]
        ),
        "bc"
    );
    assert_eq!(plain("{% if false %}a{% endif %}", &[("n", text(""))]), "");
}

#[test]
fn only_nil_and_false_are_false() {
    let row = [
        ("null", Value::Null),
        ("f", Value::Bool(false)),
        ("t", Value::Bool(true)),
        ("zero", number("0")),
        ("empty", text("")),
        ("jnull", json("null")),
        ("jfalse", json(" false ")),
        ("list", json("[]")),
    ];
    for (condition, expected) in [
        ("row.null", false),
        ("row.f", false),
        ("row.jnull", false),
        ("row.jfalse", false),
        ("nil", false),
        ("false", false),
        ("row.t", true),
        ("row.zero", true),
        ("row.empty", true),
        ("row.list", true),
        ("true", true),
        ("'false'", true),
    ] {
        assert_eq!(holds(condition, &row), expected, "{condition}");
    }
}

#[test]
fn comparisons_have_liquids_meaning() {
    let row = [
        ("ten", number("10.0")),
        ("big", number("9007199254740993")),
        ("nan", number("NaN")),
        ("inf", number("Infinity")),
        ("text", text("10")),
        ("word", text("no")),
        ("null", Value::Null),
        ("yes", Value::Bool(true)),
        ("jtext", json("\"no\"")),
        ("jnum", json("10")),
    ];
    for (condition, expected) in [
        ("row.ten == 10", true),
        ("row.ten > 9", true),
        ("row.ten < 9", false),
        ("row.ten >= 10.00", true),
        ("row.ten <= 9.99", false),
        ("row.big == 9007199254740992", false),
        ("row.big > 9007199254740992", true),
        ("row.big < 99999999999999999999999", true),
        ("row.nan == row.nan", false),
        ("row.nan > 1", false),
        ("row.inf > 1", true),
        ("'10' > 9", true),
        ("row.text > 9", true),
        ("row.text == 10", false),
        ("row.text == '10'", true),
        ("row.word > 9", false),
        ("row.word == true", false),
        ("row.word != true", true),
        ("row.word == \"no\"", true),
        ("row.word < 'nz'", true),
        ("row.yes == true", true),
        ("row.yes > false", false),
        ("nil == false", false),
        ("row.null == nil", true),
        ("row.null == false", false),
        ("row.null < 1", false),
        ("row.null >= nil", false),
        ("row.jtext == 'no'", true),
        ("row.jnum == row.ten", true),
        ("event == 'changed'", true),
        ("change.id == 42", true),
        ("row.word <> 'yes'", true),
    ] {
        assert_eq!(holds(condition, &row), expected, "{condition}");
    }
}

#[test]
fn contains_looks_in_text_arrays_and_objects() {
    let row = [
        ("text", text("a10z")),
        ("null", Value::Null),
        ("list", json("[\"vip\", 10, true, false, null, [1]]")),
        ("object", json("{\"a\": 1}")),
        ("number", number("10")),
    ];
    for (condition, expected) in [
        ("row.text contains '10'", true),
        ("row.text contains 10", true),
        ("row.text contains 'b'", false),
        ("row.text contains nil", false),
        ("row.text contains row.null", false),
        ("row.null contains 'a'", false),
        ("row.list contains 'vip'", true),
        ("row.list contains 10.0", true),
        ("row.list contains '10'", false),
        ("row.list contains true", true),
        ("row.list contains nil", false),
        ("row.list contains false", false),
        ("row.object contains 'a'", true),
        ("row.object contains 'b'", false),
        ("row.number contains 1", false),
    ] {
        assert_eq!(holds(condition, &row), expected, "{condition}");
    }
}

#[test]
fn empty_and_blank_are_what_liquid_says() {
    let row = [
        ("empty", text("")),
        ("space", text(" \n")),
        ("null", Value::Null),
        ("f", Value::Bool(false)),
        ("zero", number("0")),
        ("list", json("[ ]")),
        ("object", json("{}")),
        ("full", json("[1]")),
    ];
    for (condition, expected) in [
        ("row.empty == empty", true),
        ("row.list == empty", true),
        ("row.object == empty", true),
        ("row.full == empty", false),
        ("row.space == empty", false),
        ("row.null == empty", false),
        ("nil == empty", false),
        ("row.zero == empty", false),
        ("row.space == blank", true),
        ("row.null == blank", true),
        ("row.f == blank", true),
        ("row.zero == blank", false),
        ("blank == row.empty", true),
        ("blank == empty", false),
        ("empty == blank", false),
        ("blank", true),
        ("row.full != blank", true),
        ("row.space > empty", false),
        ("row.empty <= blank", false),
    ] {
        assert_eq!(holds(condition, &row), expected, "{condition}");
    }
}

#[test]
fn and_and_or_bind_alike_from_right_to_left() {
    let row = [("id", number("1"))];
    for (condition, expected) in [
        ("true or false and false", true),
        // false and (false or true); from left to right it would be true.
        ("false and false or true", false),
        ("true and false or true", true),
        ("false or true and true", true),
        ("true and true and false", false),
    ] {
        assert_eq!(holds(condition, &row), expected, "{condition}");
    }
}

#[test]
fn whitespace_goes_where_hyphens_say() {
    let row = [("id", number("1"))];
    for (source, expected) in [
        ("a \n {{- row.id -}} \t\n b", "a1b"),
        ("a {{- row.id }} b", "a1 b"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        ("a {% comment %} {{ nonsense {% x %} {% endcomment -%} b", "a b"),
        ("a {%- comment %}x{% endcomment %} b", "a b"),
        ("{% comment %}{% comment %}x{% endcomment %}y{% endcomment %}z", "z"),
        ("{% raw %} {{ row.id }} {% if %} {% endraw %}", " {{ row.id }} {% if %} "),
        ("a {%- raw -%} {{ {%- endraw -%} b", "a{{b"),
        ("{% comment %} {% raw %} {% endcomment %} {% endraw %}{% endcomment %}x", "x"),
        ("a{% if true %} {% comment %} x {% endcomment %} {% else %}\n{% endif %}b", "ab"),
        ("{{-1-}}", "1"),
        ("{{\trow.id\n}}", "1"),
        ("{%\tif\trow.id\t==\t1\n%}x{%\nendif\n%}", "x"),
    ] {
        assert_eq!(plain(source, &row), expected, "{source}");
    }
}

#[test]
fn quotes_inside_an_element_hide_its_delimiters() {
    let row = [("id", number("1")), ("a}}b", text("x"))];
    assert_eq!(plain("{{ row['a}}b'] }}", &row), "x");
    assert_eq!(plain("{% if \"%}\" == '%}' %}y{% endif %}", &row), "y");
    assert_eq!(plain("{{ 'a\nb\t\"c' }}", &row), "a\nb\t\"c");
}

#[test]
fn branches_may_open_and_close_strings_alike() {
    let row = [("id", number("1")), ("v", text("a\"b"))];
    let source = "[{% if row.id == 1 %}\"x{% else %}\"y{% endif %}{{ row.v }}\"]";
    assert_eq!(body(source, &row), r#"["xa\"b"]"#);
    let source = "{\"a\":\"\\\\{{row.v}}\"{% if row.id == 1 %},\"b\":{{row.id}}{% endif %}}";
    assert_eq!(body(source, &row), r#"{"a":"\\a\"b","b":1}"#);
    let source = "[{% raw %}\"{{ {% endraw %}{% comment %}\"{% endcomment %}{{ row.v }}\"]";
    assert_eq!(body(source, &row), r#"["{{ a\"b"]"#);
}
