//! The options that are JSON: an object of name to text, in the order in which it was written, or
//! (for `fields`) an array of names.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::Fault;

/// The pairs of a JSON object in its own order, or of an array of texts each paired with itself.
struct Pairs(Vec<(String, String)>);

struct PairsVisitor {
    array: bool,
}

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object whose values are strings")?;
        if self.array { f.write_str(", or an array of strings") } else { Ok(()) }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pairs, A::Error> {
        if !self.array {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut pairs = Vec::new();
        while let Some(name) = seq.next_element::<String>()? {
            pairs.push((name.clone(), name));
        }
        Ok(Pairs(pairs))
    }
}

/// Reads an object of name to text, in its own order; with `array`, an array of names too.
///
/// # Errors
///
/// When it is not that, when it is empty, and when a name comes twice.
pub(crate) fn parse(json: &str, array: bool) -> Result<Vec<(String, String)>, Fault> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let Pairs(pairs) = deserializer
        .deserialize_any(PairsVisitor { array })
        .and_then(|pairs| deserializer.end().map(|()| pairs))
        .map_err(|error| Fault::invalid(error.to_string()))?;
    let mut seen = HashSet::with_capacity(pairs.len());
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !seen.insert(name)) {
        return Err(Fault::invalid(format!("name {name:?} is given twice")));
    }
    Ok(pairs)
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
        let pairs = parse(r#"{"z": "1", "a": "2", "m": "3"}"#, true).unwrap();
        assert_eq!(pairs, [pair("z", "1"), pair("a", "2"), pair("m", "3")]);
    }

    #[test]
    fn an_array_names_each_column_as_itself_where_arrays_are_taken() {
        assert_eq!(parse(r#"["b", "a"]"#, true).unwrap(), [pair("b", "b"), pair("a", "a")]);
        let fault = parse(r#"["b", "a"]"#, false).unwrap_err();
        assert!(fault.message.contains("expected a JSON object"), "{}", fault.message);
    }

    #[test]
    fn a_name_given_twice_is_an_error() {
        let fault = parse(r#"{"a": "1", "\u0061": "2"}"#, true).unwrap_err();
        assert_eq!(fault.message, "name \"a\" is given twice");
        assert!(parse(r#"["a", "a"]"#, true).is_err());
    }

    #[test]
    fn anything_else_is_an_error() {
        for bad in ["", "{", "null", "7", r#"{"a": 1}"#, r#"{"a": {}}"#, r#"{"a": "b"} x"#, "[[]]"]
        {
            assert!(parse(bad, true).is_err(), "{bad}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(parse(&deep, true).is_err());
    }
}
