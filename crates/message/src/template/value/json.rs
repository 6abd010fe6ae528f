//! JSON of the row, looked into as far as a template asks and no further: an array or object is its
//! text until an element is wanted. It is never parsed into a tree, so its depth does not matter.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Number, Text, Val};

/// The value that JSON text is. Text that is none, which the caller has promised not to hand over,
/// and a string that no text can hold (half a surrogate pair) stay what they are.
pub(in crate::template) fn value(json: &str) -> Val<'_> {
    let json = json.trim();
    match json.as_bytes().first() {
        Some(b'"') => string(json).map_or(Val::Json(json), Val::Text),
        Some(b't') => Val::Bool(true),
        Some(b'f') => Val::Bool(false),
        Some(b'n') => Val::Nil,
        Some(b'-' | b'0'..=b'9') => Val::Number(Number::Written(Text::Slice(json))),
        _ => Val::Json(json),
    }
}

/// How much is read to tell which value JSON text is: an array or object is not looked into.
pub(in crate::template) fn bytes_read(json: &str) -> usize {
    let begun = json.trim();
    match begun.starts_with('"') {
        true => json.len(),
        false => json.len() - begun.len(),
    }
}

fn string(json: &str) -> Option<Text<'_>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        false => Some(Text::Slice(inner)),
        true => serde_json::from_str::<String>(json).ok().map(Text::from),
    }
}

pub(in crate::template) fn is_array(json: &str) -> bool {
    json.starts_with('[')
}

pub(in crate::template) fn is_object(json: &str) -> bool {
    json.starts_with('{')
}

/// What is between the brackets of an array or object.
pub(in crate::template) fn inside(json: &str) -> Option<&str> {
    json.starts_with(['[', '{']).then(|| json.get(1..json.len().saturating_sub(1)))?
}

/// The elements of an array.
pub(in crate::template) fn elements(json: &str) -> Vec<Val<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_seq(Elements).unwrap_or_default()
}

/// The names and values of an object, in its own order.
pub(in crate::template) fn pairs(json: &str) -> Vec<(Text<'_>, Val<'_>)> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Pairs).unwrap_or_default()
}

/// How many elements or names there are.
pub(in crate::template) fn len(json: &str) -> usize {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_any(Count).unwrap_or_default()
}

/// What an object has under a name; of a name that comes twice the last, as JSON.parse has it.
pub(in crate::template) fn get<'a>(json: &'a str, name: &str) -> Option<Val<'a>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let raw = deserializer.deserialize_map(Find(name)).ok()??;
    Some(value(raw.get()))
}

/// An element of an array by its place, from the end if that is negative.
pub(in crate::template) fn index(json: &str, place: i64) -> Option<Val<'_>> {
    let from_start = match usize::try_from(place) {
        Ok(place) => place,
        Err(_) => len(json).checked_sub(usize::try_from(place.unsigned_abs()).ok()?)?,
    };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let raw = deserializer.deserialize_seq(Nth(from_start)).ok()??;
    Some(value(raw.get()))
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(Text<'de>, Val<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            let raw: &RawValue = map.next_value()?;
            pairs.push((name, value(raw.get())));
        }
        Ok(pairs)
    }
}

/// A name, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Text<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Text::Slice(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<Val<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            elements.push(value(raw.get()));
        }
        Ok(elements)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

struct Find<'n>(&'n str);

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(self.0))? {
            match is_it {
                true => found = Some(map.next_value()?),
                false => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Whether a name is this.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

struct Nth(usize);

impl<'de> Visitor<'de> for Nth {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.0 {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}
