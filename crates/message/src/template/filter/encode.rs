//! Filters that write a value in another form, and read it back: JSON, Base64, URLs.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Input, Made, about_to_make};
use crate::error::Rejection;
use crate::template::value::Val;
use crate::template::work::Work;

/// With padding, which is not asked for when it is read.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// What a form's value does not keep as it is; a space becomes `+` before.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'+');

/// The value as JSON, as JSON.stringify has it, but with all digits of numbers.
pub(super) fn json<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    Ok(Val::text(input.value.to_json(work)?))
}

pub(super) fn base64_encode<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    encode(&input, &STANDARD, work)
}

pub(super) fn base64_url_safe_encode<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    encode(&input, &URL_SAFE, work)
}

pub(super) fn base64_decode<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    decode(&input, &STANDARD, work)
}

pub(super) fn base64_url_safe_decode<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    decode(&input, &URL_SAFE, work)
}

/// Of a bytea its bytes, of all else its text.
fn encode<'a>(input: &Input<'a>, engine: &GeneralPurpose, work: &mut Work) -> Made<'a> {
    if let Val::Bytes(bytes) = input.value {
        about_to_make(bytes.len().saturating_mul(4) / 3, work)?;
        return Ok(Val::text(engine.encode(bytes)));
    }
    let text = input.text(work)?;
    about_to_make(text.len().saturating_mul(4) / 3, work)?;
    Ok(Val::text(engine.encode(text.as_bytes())))
}

fn decode<'a>(input: &Input<'a>, engine: &GeneralPurpose, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len(), work)?;
    let bytes = engine.decode(text.trim().as_bytes()).map_err(|_| failed("is not Base64"))?;
    let decoded = String::from_utf8(bytes).map_err(|_| failed("is no text in Base64"))?;
    Ok(Val::text(decoded))
}

pub(super) fn url_encode<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len().saturating_mul(3), work)?;
    // A plus of the text is escaped, and one that stands for a space is not.
    let parts = text.split(' ').map(|part| {
        let pluses = part.split('+').map(|part| utf8_percent_encode(part, ESCAPED).to_string());
        pluses.collect::<Vec<_>>().join("%2B")
    });
    Ok(Val::text(parts.collect::<Vec<_>>().join("+")))
}

pub(super) fn url_decode<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    let text = input.text(work)?;
    about_to_make(text.len(), work)?;
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| failed("is no text"))?;
    Ok(Val::text(decoded.into_owned()))
}

fn failed(what: &str) -> Rejection {
    Rejection::new("template_error", format!("the value {what}"))
}
