//! What the crate `liquid` renders rightly renders alike here: arbitrary templates of the part of
//! the language that it is right about, so without long numbers, decimals, remainders of negative numbers, comparisons of different
//! kinds, characters beyond ASCII, and what it lacks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use fastrand::Rng;
use message::{Format, Source};

const TEXTS: [&str; 8] =
    ["", "a", "  b a ", "a,b,,c", "<i>&\"'</i>", "x\ny", "Ada Lovelace", "aXbXa"];

struct Maker {
    rng: Rng,
    left: usize,
}

impl Maker {
    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.rng.usize(..from.len())]
    }

    fn nodes(&mut self) -> String {
        (0..self.rng.usize(1..4)).map(|_| self.node()).collect()
    }

    fn node(&mut self) -> String {
        self.left = self.left.saturating_sub(1);
        match self.rng.u8(..if self.left == 0 { 4 } else { 12 }) {
            0 => "some text ".to_owned(),
            1 => format!("{{{{ {} }}}}", self.text()),
            2 => format!("{{{{- {} -}}}} ", self.number()),
            3 => format!("{{% assign v = {} %}}{{{{ v }}}}", self.text()),
            4 => {
                let (condition, a, b) = (self.condition(), self.nodes(), self.nodes());
                format!("{{% if {condition} %}}{a}{{% else %}}{b}{{% endif %}}")
            }
            5 => {
                let (condition, inner) = (self.condition(), self.nodes());
                format!("{{%- unless {condition} -%}} {inner} {{%- endunless -%}}")
            }
            6 | 7 => {
                let argument =
                    self.pick(&["", " limit: 2", " offset: 1", " reversed", " limit: 0"]);
                let inner = self.nodes();
                let leave = self.pick(&["", "", "{% break %}", "{% continue %}"]);
                format!(
                    "{{% for i in row.list{argument} %}}{{{{ i }}}}{{{{ forloop.index }}}}{inner}{leave}{{% else %}}none{{% endfor %}}"
                )
            }
            8 => {
                let (subject, value, a, b) =
                    (self.value(), self.value(), self.nodes(), self.nodes());
                format!(
                    "{{% case {subject} %}}{{% when {value} %}}{a}{{% else %}}{b}{{% endcase %}}"
                )
            }
            9 => format!("{{% capture c %}}{}{{% endcapture %}}[{{{{ c }}}}]", self.nodes()),
            10 => "{% for j in (1..3) %}{{ j }}{% cycle 'x', 'y' %}{% endfor %}".to_owned(),
            _ => {
                "{% raw %}{{ x }}{% endraw %}{% comment %}{{ y }}{% endcomment %}{% increment k %}"
                    .to_owned()
            }
        }
    }

    fn value(&mut self) -> &'static str {
        self.pick(&["row.s", "row.t", "'a'", "'Ada Lovelace'", "\"\""])
    }

    fn text(&mut self) -> String {
        let mut text = self.value().to_owned();
        for _ in 0..self.rng.usize(..4) {
            text += " | ";
            text += self.pick(&[
                "append: 'x'",
                "append: row.t",
                "prepend: row.s",
                "upcase",
                "downcase",
                "strip",
                "lstrip",
                "rstrip",
                "replace: 'a', 'b'",
                "replace_first: 'a', 'bb'",
                "remove: 'X'",
                "remove_first: 'a'",
                "escape",
                "strip_newlines",
                "truncate: 6",
                "split: 'X' | join: '-'",
                "split: ',' | first",
                "slice: 0, 3",
                "escape_once",
                "newline_to_br",
                "strip_html",
            ]);
        }
        text
    }

    fn number(&mut self) -> String {
        let mut number = self.pick(&["row.n", "7", "3"]).to_owned();
        for _ in 0..self.rng.usize(..3) {
            number += " | ";
            number += self.pick(&[
                "plus: 2",
                "minus: row.n",
                "times: 3",
                "abs | divided_by: 2",
                "abs | modulo: 4",
                "at_least: 5",
                "at_most: 5",
                "abs",
            ]);
        }
        number
    }

    fn condition(&mut self) -> String {
        let mut condition = self.test();
        let join = self.pick(&[" and ", " or "]);
        for _ in 0..self.rng.usize(..2) {
            condition = condition + join + &self.test();
        }
        condition
    }

    fn test(&mut self) -> String {
        let operator = self.pick(&["==", "!=", "<", "<=", ">", ">="]);
        match self.rng.u8(..4) {
            0 => format!("row.n {operator} {}", self.pick(&["3", "7", "0"])),
            1 => format!("{} {operator} {}", self.value(), self.value()),
            2 => format!("{} contains {}", self.value(), self.pick(&["'a'", "'X'", "'love'"])),
            _ => self.pick(&["true", "false", "row.flag", "row.list contains 'a'"]).to_owned(),
        }
    }
}

#[test]
fn what_the_crate_liquid_has_right_is_alike() {
    let parser = liquid::ParserBuilder::with_stdlib().build().unwrap();
    let mut compared = 0;
    for seed in 0..4_000 {
        let mut maker = Maker { rng: Rng::with_seed(seed), left: 12 };
        let source = format!("<{}>", maker.nodes());
        let list: Vec<&str> = (0..maker.rng.usize(..4)).map(|_| maker.pick(&TEXTS)).collect();
        let (s, t, n) = (maker.pick(&TEXTS), maker.pick(&TEXTS), maker.rng.i64(0..9));
        let data = liquid::object!({
            "row": { "s": s, "t": t, "n": n, "flag": n > 4, "list": list },
        });
        let theirs = parser.parse(&source).and_then(|template| template.render(&data));
        let Ok(theirs) = theirs else { continue };
        let digits = n.to_string();
        let elements = serde_json::json!(list).to_string();
        let row = [
            ("s", text(s)),
            ("t", text(t)),
            ("n", number(&digits)),
            ("flag", message::Value::Bool(n > 4)),
            ("list", json(&elements)),
        ];
        let ours = Source { format: Some(Format::Text), ..template(&source) };
        let ours = render(&ours, &row).unwrap_or_else(|it| panic!("{source}: {it:?}")).body;
        assert_eq!(ours, theirs, "seed {seed}: {source} with {row:?}");
        compared += 1;
    }
    assert!(compared > 3_000, "{compared}");
}
