//! The endpoints beside the signals: host metadata, and the question whether a key is known.

use serde_json::Value;

use super::call::{Content, Endpoint};
use super::limit::Limit;
use super::names;

/// What a sender says of its host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostMetadata {
    /// The host.
    pub hostname: String,
    /// All of it.
    pub value: Value,
}

/// The question whether the key is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCheck;

impl Content for HostMetadata {
    const PATH: &'static str = "/intake";
    const ENDPOINT: Endpoint = Endpoint {
        method: "POST",
        content_types: &["application/json"],
        encodings: &["gzip"],
        limit: Limit::NONE,
    };
    const SUCCESS: (u16, &'static str) = (202, r#"{"status":"ok"}"#);

    fn parse(_: &str, plain: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(plain)
            .map_err(|error| format!("JSON of host metadata: {error}"))?;
        let hostname = match [value.pointer("/meta/hostname"), value.get("internalHostname")] {
            [Some(Value::String(one)), Some(Value::String(other))]
                if one == other && !one.is_empty() =>
            {
                one
            }
            names => return Err(format!("the names {names:?} of one host")),
        };
        let hostname = hostname.clone();
        let tags =
            value.get("host-tags").map(|sources| sources.get("otel").and_then(Value::as_array));
        match tags {
            None => {}
            Some(None) => return Err("host tags without a list of otel's".to_owned()),
            Some(Some(tags)) => {
                let wrong = |tag: &&Value| !tag.as_str().is_some_and(names::is_tag);
                if let Some(tag) = tags.iter().find(wrong) {
                    return Err(format!("the tag {tag}"));
                }
            }
        }
        // A document within a text.
        let gohai = value.get("gohai").map(|text| text.as_str().unwrap_or_default());
        if gohai.is_some_and(|text| serde_json::from_str::<Value>(text).is_err()) {
            return Err("gohai that is not a JSON document in a text".to_owned());
        }
        Ok(Self { hostname, value })
    }

    fn items(&self) -> usize {
        1
    }
}

impl Content for KeyCheck {
    const PATH: &'static str = "/api/v1/validate";
    const ENDPOINT: Endpoint =
        Endpoint { method: "GET", content_types: &[], encodings: &[], limit: Limit::NONE };
    const SUCCESS: (u16, &'static str) = (200, r#"{"valid":true}"#);

    fn parse(_: &str, plain: &[u8]) -> Result<Self, String> {
        if plain.is_empty() { Ok(Self) } else { Err("a GET with a body".to_owned()) }
    }

    fn items(&self) -> usize {
        0
    }
}
