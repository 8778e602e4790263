//! Keys that an object has twice, which reading JSON into a map does not tell.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Checks that no object in a text of JSON has a key twice.
pub(super) fn check(text: &str) -> Result<(), String> {
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
