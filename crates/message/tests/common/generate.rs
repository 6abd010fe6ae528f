//! Arbitrary templates and rows from a seed: by Liquid's grammar, so that they get far, and then cut
//! up and put together again, so that they get elsewhere.
#![allow(dead_code)]

use fastrand::Rng;
use message::Value;

pub const COLUMNS: [&str; 8] = ["id", "name", "price", "at", "items", "doc", "photo", "a b"];

/// What a template is made of.
pub struct Generated {
    pub template: String,
    /// The names that the body may have at its top, if the template is as the grammar has it.
    pub keys: Option<Vec<String>>,
}

/// A template of a JSON object, or of whatever became of it.
pub fn template(rng: &mut Rng) -> Generated {
    let keys: Vec<String> = (0..rng.usize(1..5)).map(|i| format!("k{i}")).collect();
    let mut maker = Maker { rng, left: 60, variables: Vec::new(), depth: 0 };
    let mut template = String::new();
    if maker.rng.bool() {
        template += &maker.tags();
    }
    template.push('{');
    for (i, key) in keys.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        let value = maker.json();
        template += &format!("{comma}\"{key}\":{value}");
    }
    template.push('}');
    if rng.u8(..4) == 0 {
        return Generated { template: mutated(rng, &template), keys: None };
    }
    Generated { template, keys: Some(keys) }
}

pub fn text_template(rng: &mut Rng) -> String {
    let mut maker = Maker { rng, left: 60, variables: Vec::new(), depth: 0 };
    let template: String = (0..maker.rng.usize(1..6)).map(|_| maker.text()).collect();
    if rng.bool() { mutated(rng, &template) } else { template }
}

pub fn row(rng: &mut Rng) -> Vec<Value<'static>> {
    COLUMNS.iter().map(|_| value(rng)).collect()
}

struct Maker<'r> {
    rng: &'r mut Rng,
    /// How many more parts there may be.
    left: usize,
    variables: Vec<String>,
    depth: usize,
}

const TEXTS: [&str; 30] = [
    "",
    " ",
    "a",
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
    "30,\"admin\":true",
    "\",\"admin\":true,\"x\":\"",
    "null",
    "1",
    "-1.50",
    "true",
    "\n",
    "\t\u{1}",
    "\u{ffff}",
    "é😀",
    "<b>&amp;'</b>",
    "{{ row.id }}",
    "{% endif %}",
    "2024-01-15",
    "%Y-%m-%d",
    "a,b,,c",
    "a b  c",
];

const NUMBERS: [&str; 18] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "10",
    "1.5",
    "-0.50",
    "1000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "12345678901234567890.123456789",
    "1e3",
    "1e-7",
    "1e30",
    "NaN",
    "Infinity",
];

const FILTERS: [(&str, usize); 59] = [
    ("abs", 0),
    ("append", 1),
    ("at_least", 1),
    ("at_most", 1),
    ("base64_decode", 0),
    ("base64_encode", 0),
    ("base64_url_safe_decode", 0),
    ("base64_url_safe_encode", 0),
    ("capitalize", 0),
    ("ceil", 0),
    ("compact", 1),
    ("concat", 1),
    ("date", 2),
    ("default", 1),
    ("divided_by", 1),
    ("downcase", 0),
    ("escape", 0),
    ("escape_once", 0),
    ("find", 2),
    ("find_index", 2),
    ("first", 0),
    ("floor", 0),
    ("has", 2),
    ("join", 1),
    ("json", 0),
    ("last", 0),
    ("lstrip", 0),
    ("map", 1),
    ("minus", 1),
    ("modulo", 1),
    ("newline_to_br", 0),
    ("plus", 1),
    ("prepend", 1),
    ("reject", 2),
    ("remove", 1),
    ("remove_first", 1),
    ("remove_last", 1),
    ("replace", 2),
    ("replace_first", 2),
    ("replace_last", 2),
    ("reverse", 0),
    ("round", 1),
    ("rstrip", 0),
    ("size", 0),
    ("slice", 2),
    ("sort", 1),
    ("sort_natural", 1),
    ("split", 1),
    ("strip", 0),
    ("strip_html", 0),
    ("strip_newlines", 0),
    ("sum", 1),
    ("times", 1),
    ("truncate", 2),
    ("truncatewords", 2),
    ("uniq", 1),
    ("upcase", 0),
    ("url_decode", 0),
    ("url_encode", 0),
];

impl Maker<'_> {
    fn pick<'s>(&mut self, from: &[&'s str]) -> &'s str {
        from[self.rng.usize(..from.len())]
    }

    /// A part is due; a leaf if there have been enough.
    fn is_leaf(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0 || self.depth > 6
    }

    fn json(&mut self) -> String {
        match self.rng.u8(..10) {
            0 => "null".to_owned(),
            1..=3 => format!("\"{}\"", self.string()),
            4..=5 => self.output(),
            6 => format!("{{{{ {} | json }}}}", self.expression()),
            _ if self.is_leaf() => "1".to_owned(),
            7 => {
                let (a, b, condition) = (self.json(), self.json(), self.condition());
                format!("{{% if {condition} %}}{a}{{% else %}}{b}{{% endif %}}")
            }
            8 => {
                let (head, variable) = self.loop_head();
                self.depth += 1;
                let body = self.json();
                self.depth -= 1;
                self.variables.retain(|it| *it != variable);
                format!("[{{% for {head} %}}{body},{{% endfor %}}]")
            }
            _ => {
                let (subject, value) = (self.expression(), self.value());
                let (a, b) = (self.json(), self.json());
                let name = self.variable();
                format!(
                    "{{% assign {name} = {subject} %}}{{% case {name} %}}{{% when {value} %}}{a}{{% else %}}{b}{{% endcase %}}"
                )
            }
        }
    }

    /// The inside of a JSON string.
    fn string(&mut self) -> String {
        let parts = self.rng.usize(..4);
        (0..parts)
            .map(|_| match self.rng.u8(..6) {
                0 => "x y".to_owned(),
                1 => "\\n\\\"\\u0041".to_owned(),
                2..=3 => self.output(),
                _ if self.is_leaf() => "z".to_owned(),
                4 => {
                    let (condition, inner) = (self.condition(), self.string());
                    format!("{{% unless {condition} %}}{inner}{{% endunless %}}")
                }
                _ => {
                    let (head, variable) = self.loop_head();
                    self.depth += 1;
                    let inner = self.string();
                    let leave = self.pick(&[
                        "",
                        "",
                        "{% break %}",
                        "{% continue %}",
                        "\"{% break %}\"",
                        "{% capture x %}{% if row.id %}{% break %}{% endif %}{% endcapture %}",
                        "\",{% capture x %}{% continue %}{% endcapture %}\"",
                    ]);
                    self.depth -= 1;
                    self.variables.retain(|it| *it != variable);
                    format!("{{% for {head} %}}{inner}{leave}{{% endfor %}}")
                }
            })
            .collect()
    }

    fn text(&mut self) -> String {
        match self.rng.u8(..8) {
            0..=2 => self.string(),
            3 => self.tags(),
            4 => self.output(),
            5 => {
                let (name, inner) = (self.variable(), self.string());
                format!("{{% capture {name} %}}{inner}{{% endcapture %}}")
            }
            6 => format!("{{% ifchanged %}}{}{{% endifchanged %}}", self.string()),
            _ => {
                let (a, b) = (self.value(), self.value());
                format!("{{% cycle {a}, {b} %}}{{%- increment n -%}}{{% decrement n %}}")
            }
        }
    }

    /// Tags that write nothing.
    fn tags(&mut self) -> String {
        let mut tags = String::new();
        for _ in 0..self.rng.usize(1..4) {
            let (expression, name) = (self.expression(), self.variable());
            tags += &match self.rng.u8(..4) {
                0 => format!("{{%- assign {name} = {expression} -%}}"),
                1 => format!("{{%- liquid\n assign {name} = {expression}\n # note\n-%}}"),
                2 => format!("{{%- capture {name} -%}}{}{{%- endcapture -%}}", self.output()),
                _ => "{%- comment %} {{ {% endcomment -%}".to_owned(),
            };
        }
        tags
    }

    fn variable(&mut self) -> String {
        let name = self.pick(&["x", "y", "z", "row", "now", "item-1"]).to_owned();
        if !self.variables.contains(&name) {
            self.variables.push(name.clone());
        }
        name
    }

    fn loop_head(&mut self) -> (String, String) {
        let over = match self.rng.u8(..4) {
            0 => format!("({}..{})", self.value(), self.value()),
            _ => self.value(),
        };
        let mut head = format!("item in {over}");
        if self.rng.bool() {
            head += self.pick(&[
                " limit: 3",
                " offset: 1",
                " reversed",
                " limit: 2 offset: continue",
                " limit: nil",
            ]);
        }
        self.variables.push("item".to_owned());
        (head, "item".to_owned())
    }

    fn output(&mut self) -> String {
        let expression = self.expression();
        let (open, close) = match self.rng.u8(..4) {
            0 => ("{{-", "-}}"),
            1 => ("{% echo", "%}"),
            _ => ("{{", "}}"),
        };
        format!("{open} {expression} {close}")
    }

    fn expression(&mut self) -> String {
        let mut expression = self.value();
        for _ in 0..self.rng.usize(..4).saturating_sub(1) {
            let (name, most) = FILTERS[self.rng.usize(..FILTERS.len())];
            expression += &format!(" | {name}");
            let arguments: Vec<String> =
                (0..most.min(1 + self.rng.usize(..2))).map(|_| self.value()).collect();
            if !arguments.is_empty() {
                expression += &format!(": {}", arguments.join(", "));
            }
        }
        expression
    }

    fn condition(&mut self) -> String {
        let mut condition = self.test();
        for _ in 0..self.rng.usize(..3) {
            let join = self.pick(&["and", "or"]);
            condition += &format!(" {join} {}", self.test());
        }
        condition
    }

    fn test(&mut self) -> String {
        let operators = ["==", "!=", "<>", "<", "<=", ">", ">=", "contains"];
        let left = self.value();
        if self.rng.bool() {
            return left;
        }
        format!("{left} {} {}", self.pick(&operators), self.value())
    }

    fn value(&mut self) -> String {
        match self.rng.u8(..10) {
            0 => format!("'{}'", self.pick(&TEXTS).replace(['\'', '\n'], " ")),
            1 => {
                let digits = self.pick(&NUMBERS[..13]);
                digits.to_owned()
            }
            2 => self.pick(&["nil", "true", "false", "empty", "blank"]).to_owned(),
            3 if !self.variables.is_empty() => {
                let place = self.rng.usize(..self.variables.len());
                self.variables[place].clone() + &self.segments()
            }
            4 => self.pick(&["event", "now", "key", "change.id", "run.id", "sync.name"]).to_owned(),
            5 => self.pick(&["row", "old", "changed_columns"]).to_owned(),
            _ => {
                let column = self.pick(&COLUMNS);
                format!("row['{column}']{}", self.segments())
            }
        }
    }

    fn segments(&mut self) -> String {
        (0..self.rng.usize(..5).saturating_sub(2))
            .map(|_| match self.rng.u8(..6) {
                0 => format!("[{}]", self.rng.i8(-3..3)),
                1 => ".size".to_owned(),
                2 => ".first".to_owned(),
                3 => ".last".to_owned(),
                4 => "[event]".to_owned(),
                _ => format!(".{}", self.pick(&["a", "b", "price", "tags"])),
            })
            .collect()
    }
}

/// The template cut up, doubled, and mixed with what does not belong there.
fn mutated(rng: &mut Rng, template: &str) -> String {
    let mut chars: Vec<char> = template.chars().collect();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(..=chars.len());
        let to = rng.usize(at..=chars.len());
        match rng.u8(..4) {
            0 => {
                chars.drain(at..to.min(at + 8));
            }
            1 => {
                let part: Vec<char> = chars[at..to.min(at + 40)].to_vec();
                let target = rng.usize(..=chars.len());
                chars.splice(target..target, part);
            }
            2 => {
                let parts = [
                    "{{",
                    "}}",
                    "{%",
                    "%}",
                    "-%}",
                    "{%-",
                    "'",
                    "\"",
                    "|",
                    ":",
                    "..",
                    "(",
                    ")",
                    "[",
                    "]",
                    "{% endfor %}",
                    "{% endif %}",
                    "{% else %}",
                    "{% raw %}",
                    "{% endraw %}",
                    "{% liquid",
                    "#",
                    "\n",
                    "\\",
                    ",",
                    "é",
                    "\u{0}",
                    "{% when 1 %}",
                    "row",
                    "1.5",
                ];
                let part = parts[rng.usize(..parts.len())];
                chars.splice(at..at, part.chars());
            }
            _ => {
                if at < chars.len() {
                    chars[at] = char::from_u32(rng.u32(..0x3000)).unwrap_or('x');
                }
            }
        }
    }
    chars.into_iter().collect()
}

fn value(rng: &mut Rng) -> Value<'static> {
    match rng.u8(..9) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 => Value::Number(NUMBERS[rng.usize(..NUMBERS.len())].into()),
        3 => Value::Number(rng.i64(..).to_string().into()),
        4 => Value::Bytes((0..rng.usize(..6)).map(|_| rng.u8(..)).collect::<Vec<_>>().into()),
        5 | 6 => Value::Json(json(rng, 4).to_string().into()),
        7 => {
            let parts = rng.usize(1..4);
            let text = (0..parts).map(|_| TEXTS[rng.usize(..TEXTS.len())]).collect::<String>();
            Value::Text(text.into())
        }
        _ => match rng.u8(..8) {
            0 => Value::Text("2024-01-15T08:00:00Z".into()),
            1 => Value::Text("x\"\\,".repeat(rng.usize(..20_000)).into()),
            2 => Value::Json(("[".repeat(5_000) + &"]".repeat(5_000)).into()),
            3 => Value::Number("9".repeat(rng.usize(1..3_000)).into()),
            4 => Value::Json(serde_json::json!((0..3_000).collect::<Vec<_>>()).to_string().into()),
            5 => Value::Json("{\"a\": \"\\ud800\", \"b\": 1e999999999999, \"a\": 2}".into()),
            _ => Value::Text(TEXTS[rng.usize(..TEXTS.len())].into()),
        },
    }
}

fn json(rng: &mut Rng, depth: usize) -> serde_json::Value {
    match rng.u8(..if depth == 0 { 5 } else { 8 }) {
        0 => serde_json::Value::Null,
        1 => rng.bool().into(),
        2 => rng.i32(-5..100).into(),
        3 => serde_json::json!(f64::from(rng.i32(-500..500)) / 100.0),
        4 => TEXTS[rng.usize(..TEXTS.len())].into(),
        5 | 6 => (0..rng.usize(..4)).map(|_| json(rng, depth - 1)).collect::<Vec<_>>().into(),
        _ => {
            let names = ["a", "b", "price", "tags", "x\"y"];
            let pairs = (0..rng.usize(..4))
                .map(|_| (names[rng.usize(..names.len())].to_owned(), json(rng, depth - 1)));
            serde_json::Value::Object(pairs.collect())
        }
    }
}
