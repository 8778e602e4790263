//! Keys that an object has twice, which reading JSON into a map does not tell.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Checks that no object in a text of JSON has a key twice.
///
/// # Errors
/// What is wrong and where: a key that is there twice, or a text that is no JSON.
pub fn keys_once(text: &str) -> Result<(), String> {
    let read: Result<Once, _> = serde_json::from_str(text);
    read.map(drop).map_err(|error| error.to_string())
}

/// Any value, of which nothing is kept.
struct Once;

struct Keys;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Keys)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Once, A::Error> {
        while members.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Once, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, Once)) = members.next_entry::<String, Once>()? {
            if keys.contains(&key) {
                return Err(Error::custom(format!("the key {key:?} is there twice")));
            }
            keys.insert(key);
        }
        Ok(Once)
    }
}

#[cfg(test)]
mod tests {
    use super::keys_once;

    #[test]
    fn every_kind_of_json_passes_whose_keys_are_there_once() {
        for text in ["null", "true", "-1", "1", "0.5", "\"a\"", "[]", "{}"] {
            assert_eq!(keys_once(text), Ok(()), "{text}");
        }
        // The same key in objects beside and inside one another is another key.
        let nested = r#"{"a": [{"a": 1, "b": null}, {"a": "\u0061"}], "b": {"a": {"a": -2.5}}}"#;
        assert_eq!(keys_once(nested), Ok(()));
    }

    #[test]
    fn a_key_that_is_there_twice_is_named_at_any_depth() {
        for text in [
            r#"{"key": 1, "other": 2, "key": 1}"#,
            r#"[0, [{"key": 1, "key": 2}]]"#,
            r#"{"a": {"b": {"key": null, "key": {}}}}"#,
            // Written in two ways.
            r#"{"key": 1, "k\u0065y": 2}"#,
        ] {
            let error = keys_once(text).unwrap_err();
            assert!(error.starts_with("the key \"key\" is there twice at line 1"), "{error}");
        }
    }

    #[test]
    fn a_text_that_is_no_json_is_an_error() {
        for text in ["", "{", "{} {}", "nul"] {
            assert!(keys_once(text).is_err(), "{text}");
        }
    }
}
