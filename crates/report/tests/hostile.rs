//! What rows and users wrote stays text, wherever it stands on the page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;

use common::{Dom, alone, everything};

const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "</title></style></script><script src=//x.example></script>",
    "\" onload=\"alert(1)\" x=\"",
    "' autofocus onfocus='alert(1)",
    "<img src=https://x.example/a.png onerror=alert(1)>",
    "--><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;script&gt; &#60;b&#62; &amp",
    "]]></svg></table></main><iframe srcdoc='x'>",
];

/// Each element with the names of its attributes: what a page is made of.
fn shape(dom: &Dom) -> BTreeSet<String> {
    let describe = |element: common::Element| {
        let names: Vec<String> = element.attributes.into_iter().map(|(name, _)| name).collect();
        format!("{} {}", element.name, names.join(" "))
    };
    dom.elements().into_iter().map(describe).collect()
}

#[test]
fn markup_in_a_text_makes_no_element_and_no_attribute() {
    for make in [everything, alone] {
        let plain = Dom::of(&make("plain"));
        for text in HOSTILE {
            let dom = Dom::of(&make(text));
            assert_eq!(dom.errors(), Vec::<String>::new(), "{text}");
            assert_eq!(shape(&dom), shape(&plain), "{text}");
            assert_eq!(dom.elements().len(), plain.elements().len(), "{text}");
        }
    }
}

#[test]
fn a_text_is_shown_as_it_is() {
    for text in HOSTILE {
        let dom = Dom::of(&everything(text));
        for section in ["next", "syncs", "rejections", "runs", "calls", "alerts", "workers"] {
            assert!(dom.says(section).contains(text), "{section} does not show {text}");
        }
    }
}

#[test]
fn every_link_stays_on_the_page() {
    for text in HOSTILE {
        for link in Dom::of(&everything(text)).named("a") {
            assert!(link.attribute("href").is_some_and(|to| to.starts_with('#')));
        }
    }
}

#[test]
fn what_turns_text_round_or_is_not_allowed_in_html_is_shown_as_its_code_point() {
    let text = "a\u{202E}b\u{2066}c\u{0}d\u{1B}e\u{FFFE}f\u{FEFF}g\u{7F}h";
    for make in [everything, alone] {
        let dom = Dom::of(&make(text));
        assert_eq!(dom.errors(), Vec::<String>::new());
        let page = dom.says("rejections");
        assert!(page.contains("a⟨U+202E⟩b⟨U+2066⟩c⟨U+0000⟩d⟨U+001B⟩e⟨U+FFFE⟩f⟨U+FEFF⟩g⟨U+007F⟩h"));
    }
}

#[test]
fn a_long_text_does_not_make_a_long_page() {
    let page = report::page(&everything(&"x".repeat(1_000_000)));
    let short = report::page(&everything("x"));
    assert!(page.len() < short.len() + 300_000, "{} bytes", page.len());
}

#[test]
fn a_command_quotes_the_name_that_it_has() {
    let dom = Dom::of(&everything("o'); DROP TABLE customers; --"));
    assert!(dom.says("next").contains("SELECT sqs_sync_run('o''); DROP TABLE customers; --');"));
}
