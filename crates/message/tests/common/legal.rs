//! SQS's rules as the service model and the developer guide have them, by a checker that shares
//! nothing with the crate.
#![allow(dead_code)]

use std::collections::HashSet;

use message::{AttributeValue, Message};

/// What is wrong with a message by SQS's rules, as the service model and the developer guide have
/// them. The queue of a message comes from a row.
pub fn illegality(message: &Message) -> Option<String> {
    let is_id = |id: &str| {
        let punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
        (1..=128).contains(&id.len())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || punctuation.contains(c))
    };
    let is_text = |text: &str| {
        text.chars().all(|c| {
            matches!(u32::from(c), 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..)
        })
    };
    let (stem, is_fifo) = match message.queue.strip_suffix(".fifo") {
        Some(stem) => (stem, true),
        None => (&*message.queue, false),
    };
    let mut size = message.body.len();
    let mut names = HashSet::new();
    for attribute in &message.attributes {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let lower = attribute.name.to_lowercase();
        if !(1..=256).contains(&attribute.name.len())
            || !attribute.name.chars().all(is_name)
            || lower.starts_with("aws.")
            || lower.starts_with("amazon.")
            || lower.starts_with('.')
            || lower.ends_with('.')
            || lower.contains("..")
            || !names.insert(&attribute.name)
        {
            return Some(format!("name {:?}", attribute.name));
        }
        let kind = attribute.data_type.split('.').next().unwrap();
        let is_legal = match (kind, &attribute.value) {
            ("String", AttributeValue::Text(text)) => !text.is_empty() && is_text(text),
            ("Number", AttributeValue::Text(text)) => is_number(text),
            ("Binary", AttributeValue::Bytes(bytes)) => !bytes.is_empty(),
            _ => false,
        };
        if !is_legal || attribute.data_type.chars().count() > 256 || !is_text(&attribute.data_type)
        {
            return Some(format!("{attribute:?}"));
        }
        size += attribute.name.len() + attribute.data_type.len();
        size += match &attribute.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Bytes(bytes) => bytes.len(),
        };
    }
    let wrong = [
        ("queue", stem.is_empty() || message.queue.len() > 80),
        ("queue", !stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')),
        ("body", message.body.is_empty() || !is_text(&message.body)),
        ("size", size > 1_048_576 || size != message.size()),
        ("attributes", message.attributes.len() > 10),
        ("group", message.group_id.as_deref().is_some_and(|id| !is_id(id))),
        ("group", is_fifo && message.group_id.is_none()),
        ("dedup", message.dedup_id.as_deref().is_some_and(|id| !is_id(id) || !is_fifo)),
        ("delay", message.delay_seconds.is_some_and(|delay| delay > 900 || is_fifo)),
        ("id", message.message_id.as_ref().is_some_and(|id| id.chars().count() > 1024)),
    ];
    wrong.into_iter().find(|(_, is_wrong)| *is_wrong).map(|(what, _)| what.to_owned())
}

/// 38 digits, from 10^-128 to 10^126, by moving the point through the digits.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let Ok(exponent) = exponent.parse::<i128>() else { return false };
    if whole.is_empty() || mantissa.ends_with('.') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let significant = digits.trim_matches('0');
    let Some(first) = digits.find(|c| c != '0') else { return true };
    // The power of ten of the first digit that is not zero.
    let power = whole.len() as i128 - 1 - first as i128 + exponent;
    significant.len() <= 38
        && ((-128..126).contains(&power) || (power == 126 && significant == "1"))
}
