//! The options that are JSON: an object of name to something, in the order in which it was written,
//! or (for `fields`) an array of names.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Fault;

/// The longest such option, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Reads an object of name to text, in its own order, or an array of names, each paired with
/// itself.
///
/// # Errors
///
/// When it is not that, and when a name comes twice.
pub(crate) fn fields(json: &str) -> Result<Vec<(String, String)>, Fault> {
    let pair = |name: String| (name.clone(), name);
    read(json, "a JSON object whose values are strings, or an array of strings", Some(pair))
}

/// Reads an object of name to what a `T` is, in its own order.
///
/// # Errors
///
/// When it is not that, and when a name comes twice.
pub(crate) fn object<'de, T: Deserialize<'de>>(json: &'de str) -> Result<Vec<(String, T)>, Fault> {
    read(json, "a JSON object", None)
}

fn read<'de, T: Deserialize<'de>>(
    json: &'de str,
    expecting: &'static str,
    pair: Option<fn(String) -> (String, T)>,
) -> Result<Vec<(String, T)>, Fault> {
    if json.len() > MAX_BYTES {
        let message = format!("{} bytes are more than the limit of {MAX_BYTES}", json.len());
        return Err(Fault::invalid(message));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let pairs = deserializer
        .deserialize_any(Pairs { expecting, pair, value: PhantomData })
        .and_then(|pairs| deserializer.end().map(|()| pairs))
        .map_err(|error| Fault::invalid(error.to_string()))?;
    let mut seen = HashSet::with_capacity(pairs.len());
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !seen.insert(name)) {
        return Err(Fault::invalid(format!("name {:?} is given twice", brief(name))));
    }
    Ok(pairs)
}

/// Enough of a name that somebody wrote to find it by.
pub(crate) fn brief(name: &str) -> String {
    name.chars().take(256).collect()
}

struct Pairs<T> {
    expecting: &'static str,
    /// What an array's name is paired with, where arrays are taken.
    pair: Option<fn(String) -> (String, T)>,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
    type Value = Vec<(String, T)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Some(pair) = self.pair else {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        };
        let mut pairs = Vec::new();
        while let Some(name) = seq.next_element()? {
            pairs.push(pair(name));
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pair(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn an_object_keeps_its_own_order() {
        let pairs = fields(r#"{"z": "1", "a": "2", "m": "3"}"#).unwrap();
        assert_eq!(pairs, [pair("z", "1"), pair("a", "2"), pair("m", "3")]);
    }

    #[test]
    fn an_array_names_each_column_as_itself_where_arrays_are_taken() {
        assert_eq!(fields(r#"["b", "a"]"#).unwrap(), [pair("b", "b"), pair("a", "a")]);
        let fault = object::<String>(r#"["b", "a"]"#).unwrap_err();
        assert!(fault.message.contains("expected a JSON object"), "{}", fault.message);
    }

    #[test]
    fn a_name_given_twice_is_an_error() {
        let fault = fields(r#"{"a": "1", "\u0061": "2"}"#).unwrap_err();
        assert_eq!(fault.message, "name \"a\" is given twice");
        assert!(fields(r#"["a", "a"]"#).is_err());
    }

    #[test]
    fn anything_else_is_an_error() {
        for bad in ["", "{", "null", "7", r#"{"a": 1}"#, r#"{"a": {}}"#, r#"{"a": "b"} x"#, "[[]]"]
        {
            assert!(fields(bad).is_err(), "{bad}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(fields(&deep).is_err());
    }

    #[test]
    fn one_that_is_too_long_is_refused_before_it_is_read() {
        let of = |bytes: usize| format!("[\"a\"{}]", " ".repeat(bytes - 5));
        assert!(fields(&of(MAX_BYTES)).is_ok());
        let fault = fields(&of(MAX_BYTES + 1)).unwrap_err();
        assert_eq!(fault.message, "1048577 bytes are more than the limit of 1048576");
    }
}
