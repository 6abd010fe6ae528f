//! A host can stop a rendering in its midst.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use message::INTERRUPTED;

static ASKED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_costly_row_is_interrupted_and_a_cheap_one_is_not_asked_about() {
    message::ask_for_interrupts(|| ASKED.fetch_add(1, Ordering::Relaxed) == 2);
    let row = [("id", number("1"))];
    assert_eq!(plain("{% for i in (1..100) %}{{ i | times: 2 }}{% endfor %}", &row).len(), 247);
    assert_eq!(ASKED.load(Ordering::Relaxed), 0);

    let source = template("{% for i in (1..300000) %}{% endfor %}{}");
    let rejection = render(&source, &row).unwrap_err();
    assert_eq!((rejection.code, ASKED.load(Ordering::Relaxed)), (INTERRUPTED, 3));
    assert_eq!(rejection.reason, "the rendering was interrupted");
    assert_eq!(render(&source, &row).unwrap().body, "{}");
}
