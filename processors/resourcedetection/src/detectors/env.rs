//! `OTEL_RESOURCE_ATTRIBUTES`, or its old name `OTEL_RESOURCE`: `key=value` pairs with commas between them.

use aws::Environment;
use pdata::edit::ValueBuf;
use percent_encoding::percent_decode_str;

use super::Failure;
use crate::detected::Detected;

const VARIABLES: [&str; 2] = ["OTEL_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE"];
/// The longest key and the longest value, in characters.
const LENGTH_MAX: usize = 256;

/// The pairs. Any that is none spoils them all, as upstream.
pub(crate) fn detect(environment: &Environment) -> Result<Detected, Failure> {
    let found = VARIABLES.into_iter().find_map(|name| {
        let text = environment.get(name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| (name, text.to_owned()))
    });
    let Some((name, text)) = found else { return Ok(Detected::default()) };
    let mut pairs: Vec<(String, ValueBuf)> = Vec::new();
    // The last comma may have nothing behind it.
    let entries = text.strip_suffix(',').unwrap_or(&text);
    for (at, entry) in entries.split(',').enumerate() {
        let (key, value) = parse(entry).ok_or_else(|| {
            Failure::ForGood(format!(
                "entry {} of {name} is no key=value in ASCII; write other characters, and commas, as %XX",
                at + 1
            ))
        })?;
        match pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = ValueBuf::from(value.as_str()),
            None => pairs.push((key, ValueBuf::from(value.as_str()))),
        }
    }
    Ok(Detected::without_schema(pairs))
}

fn parse(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let fits = |text: &str| text.is_ascii() && text.len() <= LENGTH_MAX;
    if key.is_empty() || !fits(key) || !fits(value) || !is_encoded(value) {
        return None;
    }
    // As a query of a URL, so a plus is a space.
    let value = value.replace('+', " ");
    Some((key.to_owned(), percent_decode_str(&value).decode_utf8_lossy().into_owned()))
}

/// Whether two digits stand behind every `%`.
fn is_encoded(value: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = value.as_bytes();
    let mut percents = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    percents.all(|(at, _)| is_digit(bytes.get(at + 1)) && is_digit(bytes.get(at + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(name: &str, text: &str) -> Result<Vec<String>, String> {
        let found = detect(&Environment::of([(name, text)]));
        found.map(|found| found.text()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn pairs_are_split_trimmed_and_decoded() {
        for (text, expected) in [
            ("a=1,b=2", &["a=1", "b=2"][..]),
            (" a = 1 , b=2, ", &["a=1", "b=2"]),
            ("a=1,", &["a=1"]),
            ("service.name=shop%2C+here,path=/x=y", &["service.name=shop, here", "path=/x=y"]),
            ("a=", &["a="]),
            ("a=1,a=2", &["a=2"]),
            ("euro=%E2%82%AC", &["euro=€"]),
            ("  ", &[]),
        ] {
            assert_eq!(detected("OTEL_RESOURCE_ATTRIBUTES", text).unwrap(), expected, "{text:?}");
        }
        assert_eq!(detected("OTEL_RESOURCE", "a=1").unwrap(), ["a=1"]);
        let both = [("OTEL_RESOURCE_ATTRIBUTES", "a=new"), ("OTEL_RESOURCE", "a=old")];
        assert_eq!(detect(&Environment::of(both)).unwrap().text(), ["a=new"]);
        let none: [(&str, &str); 0] = [];
        assert!(detect(&Environment::of(none)).unwrap().is_empty());
    }

    #[test]
    fn a_pair_that_is_none_is_named_by_its_place_without_its_text() {
        let long = format!("k={}", "x".repeat(257));
        for (text, place) in [
            ("secret", 1),
            ("a=1,secret", 2),
            ("a=1,,b=2", 2),
            ("=secret", 1),
            ("a=sécret", 1),
            ("a=%zz", 1),
            ("a=%2", 1),
            (&long, 1),
        ] {
            let error = detected("OTEL_RESOURCE_ATTRIBUTES", text).unwrap_err();
            let expected = format!("entry {place} of OTEL_RESOURCE_ATTRIBUTES is no key=value");
            assert!(error.starts_with(&expected) && !error.contains("cret"), "{text}: {error}");
        }
    }
}
