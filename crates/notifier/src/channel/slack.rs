//! Slack, by an incoming webhook: Block Kit, laid out to be read on a phone.
//!
//! A title, the summary, name and value of each detail, and a line of when and where. Everything
//! that comes from outside stands in `plain_text`, in which nothing is markup; `&`, `<` and `>` are
//! escaped all the same, as Slack asks of every text object, so that nothing can become a mention
//! or a link.

use publisher::OptionError;
use publisher::Secret;
use serde_json::{Value, json};

use super::options::{Known, Options};
use super::url::{Reach, Url};
use crate::alert::{Alert, News, clock};
use crate::error;
use crate::text::line;

pub(super) const OPTIONS: &[Known] = &[
    Known::of_server(
        "endpoint_url",
        "where `webhook_url` has to be instead of Slack. A superuser's to set.",
    )
    .superuser(),
    Known::of_mapping("webhook_url", "that of the incoming webhook, all of it").required(),
];

/// Where incoming webhooks are: Slack's, and that for governments.
const ORIGINS: [&str; 2] = ["https://hooks.slack.com", "https://hooks.slack-gov.com"];

/// Of a header's text.
const HEADER_LIMIT: usize = 150;
/// Of a section's text, after escaping.
const TEXT_LIMIT: usize = 3000;
/// Of a field's text, after escaping.
const FIELD_LIMIT: usize = 2000;
/// A section has ten fields: a name and a value each.
const PAIRS_A_SECTION: usize = 5;
/// What a phone shows without end is not read. Slack's own limit is 50 blocks.
const MOST_PAIRS: usize = 20;
/// The names of details are our own, and short.
const NAME_LIMIT: usize = 60;

#[derive(Clone, Debug)]
pub(crate) struct Slack {
    url: Secret,
    reach: Reach,
}

pub(super) fn check_server(server: Options<'_>) -> Result<(), OptionError> {
    endpoint(server).map(drop)
}

fn endpoint(server: Options<'_>) -> Result<Option<Url>, OptionError> {
    let given = server.get("endpoint_url");
    given.map(|url| Url::parse("endpoint_url", url, Reach::Internal)).transpose()
}

impl Slack {
    /// The URL is a secret, so it is in the user mapping; and a role may make a mapping of its
    /// own. So where it leads is the server's to say.
    pub(super) fn new(server: Options<'_>, mapping: Options<'_>) -> Result<Self, OptionError> {
        let text = mapping.need("webhook_url")?;
        let endpoint = endpoint(server)?;
        let reach = if endpoint.is_some() { Reach::Internal } else { Reach::Public };
        let url = Url::parse("webhook_url", text, reach)?;
        let is_there = match &endpoint {
            Some(endpoint) => url.has_origin(endpoint),
            None => ORIGINS.iter().any(|origin| {
                Url::parse("webhook_url", origin, reach).is_ok_and(|origin| url.has_origin(&origin))
            }),
        };
        if !is_there {
            return Err(error::invalid(
                "option \"webhook_url\" leads elsewhere than to Slack",
                "It begins with https://hooks.slack.com/services/. \
                 For another host a superuser sets the server's endpoint_url.",
            ));
        }
        Ok(Self { url: Secret::new(text.to_owned()), reach })
    }

    pub(crate) fn url(&self) -> Result<Url, OptionError> {
        Url::parse("webhook_url", self.url.expose(), self.reach)
    }

    /// The URL, its path, and the end of that, which is the secret proper.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let url = self.url.expose();
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let end = path.rsplit('/').next().unwrap_or_default();
        vec![url, path, end]
    }
}

/// The body of the request.
pub(crate) fn body(alert: &Alert) -> Value {
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&headline(alert), HEADER_LIMIT)}),
        json!({"type": "section", "text": plain(&alert.summary, TEXT_LIMIT)}),
    ];
    let shown = alert.details.get(..MOST_PAIRS).unwrap_or(&alert.details);
    blocks.extend(shown.chunks(PAIRS_A_SECTION).map(|pairs| {
        let fields = pairs.iter().flat_map(|(name, value)| [bold(name), plain(value, FIELD_LIMIT)]);
        json!({"type": "section", "fields": fields.collect::<Vec<_>>()})
    }));
    if let Some(runbook) = &alert.runbook {
        blocks.push(json!({"type": "section", "text": plain(runbook, TEXT_LIMIT)}));
    }
    let place = format!(
        "{} · {} · since {} · {}",
        alert.database,
        alert.name,
        clock(alert.since),
        clock(alert.at)
    );
    blocks.push(json!({"type": "context", "elements": [plain(&place, FIELD_LIMIT)]}));
    // `text` is what a notification shows, and mrkdwn.
    let text = format!("{}: {}", headline(alert), alert.summary);
    json!({"text": escaped(&text, TEXT_LIMIT), "blocks": blocks})
}

fn headline(alert: &Alert) -> String {
    let sign = match alert.news {
        News::Firing => "🔴",
        News::Reminder => "🟠",
        News::Recovered => "🟢",
        News::Test => "🔵",
    };
    format!("{sign} {}: {}", alert.news.label(), alert.title)
}

fn plain(text: &str, limit: usize) -> Value {
    json!({"type": "plain_text", "text": escaped(text, limit), "emoji": false})
}

fn bold(name: &str) -> Value {
    // What would end the bold text early, or is markup of its own.
    let name: String = name.chars().filter(|c| !matches!(c, '*' | '_' | '~' | '`')).collect();
    let name = escaped(&name, NAME_LIMIT);
    json!({"type": "mrkdwn", "text": format!("*{name}*"), "verbatim": true})
}

/// On one line, escaped, and at most so many characters then. Slack refuses an empty text.
fn escaped(text: &str, limit: usize) -> String {
    let text = line(text, limit);
    let length = |c: char| match c {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        _ => 1,
    };
    let is_whole = text.chars().map(length).sum::<usize>() <= limit;
    let mut left = if is_whole { limit } else { limit.saturating_sub(1) };
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let Some(rest) = left.checked_sub(length(c)) else {
            break;
        };
        left = rest;
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    if !is_whole {
        escaped.push('…');
    }
    if escaped.is_empty() { "–".to_owned() } else { escaped }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::tests::alert;

    /// Each text of a block, with its limit.
    fn texts(value: &Value, found: &mut Vec<(String, usize)>) {
        match value {
            Value::Object(object) => {
                if let Some(text) = object.get("text").and_then(Value::as_str) {
                    let limit = if object.contains_key("blocks") { 40_000 } else { TEXT_LIMIT };
                    found.push((text.to_owned(), limit));
                }
                object.values().for_each(|value| texts(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
            _ => {}
        }
    }

    #[test]
    fn a_message_says_what_and_since_when() {
        let body = body(&alert());
        assert_eq!(body["blocks"][0]["text"]["text"], "🔴 FIRING: customers: run failed");
        assert_eq!(body["blocks"][2]["fields"][0]["text"], "*Run*");
        assert_eq!(body["blocks"][2]["fields"][1]["text"], "42");
        let place = body["blocks"][4]["elements"][0]["text"].as_str().unwrap();
        assert_eq!(
            place,
            "shop · customers failed · since 2026-11-24 18:00 UTC · 2026-11-24 18:10 UTC"
        );
    }

    #[test]
    fn a_name_cannot_call_the_channel_or_become_a_link() {
        let alert =
            Alert { title: "<!channel> & <https://evil.example|here>".to_owned(), ..alert() };
        let title = body(&alert)["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
        assert!(title.ends_with("&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;"));
    }

    #[test]
    fn what_is_too_long_once_it_is_escaped_ends_in_an_ellipsis() {
        assert_eq!(escaped("a<b", 6), "a&lt;b");
        assert_eq!(escaped("a<bc", 6), "a&lt;…");
        assert_eq!(escaped("a<<<", 6), "a&lt;…");
        assert_eq!(escaped("\n", 6), "–");
    }

    proptest! {
        // Long texts take a while to make.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_an_alert_holds_slack_takes_it(
            title in any::<String>(), summary in "(\\PC|[&<>*_~`\n]){0,4000}",
            details in prop::collection::vec((any::<String>(), "[&<>a]{0,2500}"), 0..40),
            runbook in prop::option::of(any::<String>()),
        ) {
            let body = body(&Alert { title, summary, details, runbook, ..alert() });
            let blocks = body["blocks"].as_array().unwrap();
            prop_assert!(blocks.len() <= 50);
            prop_assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= HEADER_LIMIT);
            for block in blocks {
                let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
                prop_assert!(fields.len() <= 10);
                for field in fields {
                    prop_assert!(field["text"].as_str().unwrap().chars().count() <= FIELD_LIMIT);
                }
            }
            let mut found = Vec::new();
            texts(&body, &mut found);
            for (text, limit) in found {
                prop_assert!(!text.is_empty() && text.chars().count() <= limit);
                prop_assert!(!text.contains(['<', '>', '\n', '\r']), "{text}");
                let rest = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
                prop_assert!(!rest.contains('&'), "{text}");
            }
        }
    }
}
