//! What is wrong with a template is told when it is compiled, with its place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use message::ErrorKind;

#[test]
fn an_unknown_filter_or_tag_is_named_with_the_nearest_one() {
    for (source, message, hint) in [
        (
            "{{ row.id | upcas }}",
            "line 1, column 13: unknown filter \"upcas\"",
            Some("Perhaps you meant \"upcase\"."),
        ),
        ("{{ row.id | zzz: 'a|b' }}", "line 1, column 13: unknown filter \"zzz\"", None),
        (
            "{\n  {% fro x in row.id %}{% endfor %}",
            "line 2, column 6: unknown tag \"fro\"",
            Some("Perhaps you meant \"for\"."),
        ),
        ("é{% zzz %}", "line 1, column 5: unknown tag \"zzz\"", None),
        (
            "{% include 'x' %}",
            "line 1, column 4: unknown tag \"include\"",
            Some("A template is whole: there are no others to take in."),
        ),
        (
            "{% tablerow x in row.id %}",
            "line 1, column 4: unknown tag \"tablerow\"",
            Some("Write a for loop."),
        ),
    ] {
        let error = fault(source);
        assert_eq!(error.to_string(), message, "{source}");
        assert_eq!((error.property(), error.kind()), ("template", ErrorKind::Invalid));
        assert_eq!(error.hint(), hint, "{source}");
    }
}

#[test]
fn a_name_that_means_nothing_is_an_error_when_it_is_compiled() {
    let error = fault("{\n \"a\": \"{{ row.fullname }}\"}");
    assert_eq!(error.kind(), ErrorKind::UndefinedColumn);
    assert_eq!(error.to_string(), "line 2, column 11: column \"fullname\" is not in the model");
    assert_eq!(error.hint(), Some("Perhaps you meant \"full_name\"."));

    let error = fault("{{ full_name }}");
    assert_eq!(error.to_string(), "line 1, column 4: unknown name \"full_name\"");
    assert_eq!(error.hint(), Some("Write row.full_name for the column."));
    assert_eq!(fault("{{ old.fullname }}").hint(), Some("Perhaps you meant \"full_name\"."));
    for (source, message) in [
        ("{{ sync.id }}", "line 1, column 4: sync has nothing but name"),
        ("{{ run }}", "line 1, column 4: run has nothing but id and started_at"),
        ("{{ event.name }}", "line 1, column 4: event is a text, with nothing in it"),
    ] {
        assert_eq!(fault(source).to_string(), message);
    }
    assert_eq!(fault("{{ rows.id }}").hint(), Some("Perhaps you meant \"row\"."));
    assert_eq!(fault("{{ change.at }}").to_string(), "line 1, column 4: change has nothing but id");
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (source, message) in [
        ("{{ row.id", "line 1, column 1: \"{{\" is not closed"),
        ("{{ row.id }", "line 1, column 1: \"{{\" is not closed"),
        ("{{ row.id {{ row.id }}", "line 1, column 1: \"{{\" is not closed"),
        ("{{ row['id }}", "line 1, column 1: \"{{\" is not closed"),
        ("[\n{% if true }", "line 2, column 1: \"{%\" is not closed"),
        ("{{ }}", "line 1, column 3: an output needs a value"),
        ("{{ == }}", "line 1, column 4: an output needs a value instead of \"==\""),
        (
            "{{ row.id row.id }}",
            "line 1, column 11: a filter begins with \"|\"; there is more than one value",
        ),
        ("{{ row.id ! }}", "line 1, column 11: unexpected \"!\""),
        ("{{ 'a\nb' ! }}", "line 2, column 4: unexpected \"!\""),
        ("{{ row. }}", "line 1, column 8: a name is expected after \".\""),
        ("{{ row.naïve! }}", "line 1, column 13: unexpected \"!\""),
        ("{% größe %}", "line 1, column 4: unknown tag \"größe\""),
        ("{{ “x” }}", "line 1, column 4: unexpected \"“\""),
        ("{% %}", "line 1, column 1: a tag needs a name"),
        ("{% if %}{% endif %}", "line 1, column 6: a condition needs a value"),
        ("{% if true and %}{% endif %}", "line 1, column 15: a condition needs a value"),
        (
            "{% if row.id = 1 %}{% endif %}",
            "line 1, column 14: \"and\", \"or\" or a comparison is expected",
        ),
        (
            "{% if == 1 %}{% endif %}",
            "line 1, column 7: a condition needs a value instead of \"==\"",
        ),
        ("{% if true %}", "line 1, column 4: tag \"if\" is not closed with \"endif\""),
        ("{% endif %}", "line 1, column 4: tag \"endif\" has no \"if\""),
        ("{% else %}", "line 1, column 4: tag \"else\" has no \"if\""),
        (
            "{% if true %}{% else %}{% else %}",
            "line 1, column 27: tag \"else\" comes after \"else\"",
        ),
        (
            "{% if true %}{% else %}{% elsif true %}",
            "line 1, column 27: tag \"elsif\" comes after \"else\"",
        ),
        ("{% if true %}{% endif x %}", "line 1, column 22: tag \"endif\" takes no arguments"),
        ("{% raw %}", "line 1, column 1: tag \"raw\" is not closed with \"endraw\""),
        (
            "{% comment %}{% comment %}{% endcomment %}",
            "line 1, column 1: tag \"comment\" is not closed with \"endcomment\"",
        ),
        ("{{ 1 %} {% t 2 }}", "line 1, column 1: \"{{\" is not closed"),
    ] {
        let error = fault(source);
        assert_eq!(error.to_string(), message, "{source}");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{source}");
    }
}

#[test]
fn a_template_whose_strings_do_not_match_is_refused() {
    let uneven = "a JSON string is left open by only some of the branches of this block";
    for (source, message) in [
        ("{\"a\": \"{{ row.id }}}", "line 1, column 7: the template ends within a JSON string"),
        ("[{% if row.id %}\"a{% endif %}\"]", &format!("line 1, column 5: {uneven}")),
        ("[{% if row.id %}\"a\"{% else %}\"b{% endif %}]", &format!("line 1, column 5: {uneven}")),
        (
            "[\"\\{{ row.id }}\"]",
            "line 1, column 4: an escape in a JSON string is cut off by an output or a tag",
        ),
        (
            "[\"\\u00{{ row.id }}\"]",
            "line 1, column 7: an escape in a JSON string is cut off by an output or a tag",
        ),
        ("[\"a\nb\"]", "line 1, column 4: a line break or control character within a JSON string"),
        (
            "[{% for i in (1..2) %}\"{% break %}\"{% endfor %}]",
            "line 1, column 27: a JSON string is left open where its loop is left",
        ),
        (
            "[{% for i in (1..2) %}\"{% capture x %}{% if i %}{% break %}{% endif %}{% endcapture %}\"{% endfor %}]",
            "line 1, column 27: a JSON string is left open where its loop is left",
        ),
        (
            "[{% for i in (1..2) %}\"{% endfor %}]",
            "line 1, column 5: a JSON string is left open by this loop",
        ),
        (
            "[{% for i in (1..2) %}1{% else %}\"{% endfor %}]",
            "line 1, column 5: a JSON string is left open by this loop",
        ),
        (
            "[{% case 1 %}{% when 1 %}\"a{% else %}\"b{% endcase %}\"]",
            "line 1, column 5: a JSON string is left open by a part of this \"case\"",
        ),
        (
            "[{% ifchanged %}\"{% endifchanged %}]",
            "line 1, column 5: a JSON string is left open only in some cases",
        ),
        ("[{{ event }}]", "line 1, column 5: event outside quotes is not JSON"),
        ("[{{ now }}]", "line 1, column 5: run.started_at outside quotes is not JSON"),
        ("[{{ sync.name }}]", "line 1, column 5: a literal outside quotes is not JSON"),
        ("[{{ 'a' }}]", "line 1, column 5: a literal outside quotes is not JSON"),
        (
            "{\"a\": }",
            "line 1, column 1: the body is not valid JSON: expected value at line 1 column 7",
        ),
        (
            "",
            "line 1, column 1: the body is not valid JSON: EOF while parsing a value at line 1 column 0",
        ),
    ] {
        assert_eq!(fault(source).to_string(), message, "{source}");
    }
}
