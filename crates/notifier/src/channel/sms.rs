//! A phone, by Amazon SNS: one segment, so that a carrier neither splits nor reorders it.
//!
//! A segment is 160 characters of GSM-7 (3GPP TS 23.038) or 70 UTF-16 units. What GSM-7 has no
//! place for is written by its likes where that is the same to a reader; only where it is not, as
//! in a name in Cyrillic, is the segment the short one.

use publisher::OptionError;
use publisher::{Connection, Credentials, Secret};

use super::options::{Known, Options};
use super::url::{Peer, Reach, Url};
use crate::alert::Alert;
use crate::error;
use crate::text::line;

pub(super) const OPTIONS: &[Known] = &[
    Known::of_server("region", "the AWS region: `eu-west-1`").required(),
    Known::of_server("phone_number", "a number such as `+4915112345678`; this or `topic_arn`"),
    Known::of_server("topic_arn", "a topic to which phones are subscribed"),
    Known::of_server(
        "endpoint_url",
        "where SNS is, if not at the region's own endpoint. A superuser's to set.",
    )
    .superuser(),
    Known::of_mapping("access_key_id", "of the IAM user as whom requests are made").required(),
    Known::of_mapping("secret_access_key", "the secret of that key").required(),
    Known::of_mapping("session_token", "of temporary credentials"),
];

/// Characters of a segment in GSM-7, one of the extension table counting as two.
const SEPTETS: usize = 160;
/// UTF-16 units of a segment otherwise.
const UNITS: usize = 70;
/// Longer than any region's name.
const LONGEST_REGION: usize = 32;
/// More than any segment holds.
const LONGEST: usize = 400;

const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                         ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_EXTENSION: &str = "^{}\\[~]|€";

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// In E.164: `+4915112345678`.
    Phone(String),
    Topic(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Sms {
    pub(crate) connection: Connection,
    /// Where SNS is, if not at AWS.
    pub(crate) endpoint: Option<Peer>,
    pub(crate) destination: Destination,
}

pub(super) fn check_server(server: Options<'_>) -> Result<(), OptionError> {
    region(server)?;
    endpoint(server)?;
    destination(server).map(drop)
}

fn region(server: Options<'_>) -> Result<&str, OptionError> {
    let region = server.need("region")?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match region.len() <= LONGEST_REGION && region.chars().all(is_name) {
        true => Ok(region),
        false => Err(error::invalid(
            "option \"region\" is not the name of an AWS region",
            "It is a name such as eu-west-1.",
        )),
    }
}

fn endpoint(server: Options<'_>) -> Result<Option<Url>, OptionError> {
    let given = server.get("endpoint_url");
    given.map(|url| Url::parse("endpoint_url", url, Reach::Internal)).transpose()
}

fn destination(server: Options<'_>) -> Result<Destination, OptionError> {
    match (server.get("phone_number"), server.get("topic_arn")) {
        (Some(number), None) => {
            let digits = number.strip_prefix('+').unwrap_or_default();
            if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(error::invalid(
                    "option \"phone_number\" is not a phone number",
                    "It is + and the country's code, then digits alone: +4915112345678.",
                ));
            }
            Ok(Destination::Phone(number.to_owned()))
        }
        (None, Some(arn)) => {
            let parts: Vec<&str> = arn.split(':').collect();
            if !matches!(parts[..], ["arn", _, "sns", _, _, name] if !name.is_empty()) {
                return Err(error::invalid(
                    "option \"topic_arn\" is not the ARN of an SNS topic",
                    "It is such as arn:aws:sns:eu-west-1:123456789012:alerts.",
                ));
            }
            Ok(Destination::Topic(arn.to_owned()))
        }
        (None, None) => Err(error::missing(
            "option \"phone_number\" or \"topic_arn\" of the server is missing".to_owned(),
            "Give the number of a phone, or a topic to which phones are subscribed.".to_owned(),
        )),
        (Some(_), Some(_)) => Err(error::invalid(
            "options \"phone_number\" and \"topic_arn\" are both given",
            "Make a server for each.",
        )),
    }
}

impl Sms {
    pub(super) fn new(server: Options<'_>, mapping: Options<'_>) -> Result<Self, OptionError> {
        let secret_access_key = mapping.need("secret_access_key")?.to_owned();
        let session_token = mapping.get("session_token").map(str::to_owned);
        Ok(Self {
            connection: Connection {
                region: region(server)?.to_owned(),
                endpoint_url: server.get("endpoint_url").map(str::to_owned),
                sts_endpoint_url: None,
                identity: Credentials {
                    access_key_id: mapping.need("access_key_id")?.to_owned(),
                    secret_access_key: Secret::new(secret_access_key),
                    session_token: session_token.map(Secret::new),
                }
                .into(),
            },
            endpoint: endpoint(server)?.map(|url| url.peer),
            destination: destination(server)?,
        })
    }

    pub(super) fn secrets(&self) -> Vec<&str> {
        let Some(keys) = self.connection.identity.keys() else { return Vec::new() };
        let token = keys.session_token.as_ref().map(Secret::expose);
        std::iter::once(keys.secret_access_key.expose()).chain(token).collect()
    }
}

/// What the phone shows: one segment.
pub(crate) fn text(alert: &Alert) -> String {
    let text =
        format!("{} {}: {}. {}", alert.news.label(), alert.database, alert.title, alert.summary);
    let plain: String = line(&text, LONGEST).chars().flat_map(plainer).collect();
    let septets = |c: char| match c {
        _ if GSM_BASIC.contains(c) => Some(1),
        _ if GSM_EXTENSION.contains(c) => Some(2),
        _ => None,
    };
    if plain.chars().all(|c| septets(c).is_some()) {
        segment(&plain, SEPTETS, |c| septets(c).unwrap_or(2), "...")
    } else {
        segment(&plain, UNITS, char::len_utf16, "…")
    }
}

/// A character of GSM-7 that reads the same, where there is one.
fn plainer(c: char) -> impl Iterator<Item = char> {
    let text = match c {
        '‘' | '’' | '‚' | '`' | '´' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '–' | '—' | '‐' | '‑' | '−' => "-",
        '…' => "...",
        '•' | '·' => "*",
        '→' => "->",
        '×' => "x",
        'á' | 'â' | 'ã' => "a",
        'ç' => "c",
        'ê' | 'ë' => "e",
        'í' | 'î' | 'ï' => "i",
        'ó' | 'ô' | 'õ' => "o",
        'ú' | 'û' => "u",
        _ => "",
    };
    let own = if text.is_empty() { Some(c) } else { None };
    text.chars().chain(own)
}

/// As much of a text as fits, what is left out marked by `end`.
fn segment(text: &str, room: usize, size: impl Fn(char) -> usize, end: &str) -> String {
    let size_of = |text: &str| text.chars().map(&size).sum::<usize>();
    if size_of(text) <= room {
        return text.to_owned();
    }
    let mut left = room - size_of(end);
    let fitting = text.chars().take_while(|c| {
        let fits = size(*c) <= left;
        left = left.saturating_sub(size(*c));
        fits
    });
    let mut cut: String = fitting.collect();
    cut.truncate(cut.trim_end().len());
    cut + end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::tests::alert;

    #[test]
    fn the_tables_of_gsm_7_are_whole() {
        assert_eq!(GSM_BASIC.chars().count(), 127);
        assert_eq!(GSM_EXTENSION.chars().count(), 9);
    }

    #[test]
    fn an_alert_is_read_on_a_lock_screen() {
        assert_eq!(
            text(&alert()),
            "FIRING shop: customers: run failed. run 42 failed: queue \"customers\" does not exist"
        );
    }

    #[test]
    fn what_gsm_7_lacks_is_written_by_its_likes_and_else_in_a_short_segment() {
        let title = |title: &str| text(&Alert { title: title.to_owned(), ..alert() });
        assert!(
            title("“Ça – l’été”…")
                .starts_with("FIRING shop: \"Ça - l'été\"...".replace('ç', "c").as_str())
        );
        let cyrillic = title("Синхронизация клиентов");
        assert!(cyrillic.starts_with("FIRING shop: Синхронизация клиентов."));
        assert_eq!(cyrillic.encode_utf16().count(), UNITS);
    }

    proptest! {
        #[test]
        fn whatever_an_alert_holds_it_is_one_segment(
            title in any::<String>(), summary in "(\\PC|[a-z{}€]){0,300}", name in "\\PC{0,40}"
        ) {
            let text = text(&Alert { title, summary, database: name, ..alert() });
            let is_gsm = text.chars().all(|c| GSM_BASIC.contains(c) || GSM_EXTENSION.contains(c));
            let septets: usize =
                text.chars().map(|c| if GSM_EXTENSION.contains(c) { 2 } else { 1 }).sum();
            let fits =
                if is_gsm { septets <= SEPTETS } else { text.encode_utf16().count() <= UNITS };
            prop_assert!(fits && !text.is_empty(), "{text}");
        }
    }
}
