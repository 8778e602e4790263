//! The logs endpoint.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::spans::SpanId;

use super::call::{Content, Endpoint};
use super::limit::Limit;

/// The API's reference. A log of more than 1 MB is taken and cut short by Datadog, so the agent should not have sent it.
pub const LIMIT: Limit =
    Limit { items: 1000, plain_bytes: 5_000_000, item_bytes: 1_000_000, wire_bytes: usize::MAX };

/// The logs of a call, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Logs(pub Vec<Log>);

/// One log.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Its bytes in the list.
    pub bytes: usize,
    /// Its attributes; some of them are Datadog's own.
    pub attributes: Map<String, Value>,
}

/// `HTTPLogItem` of the API, and the status; the message must be there.
const TEXTS: [&str; 5] = ["ddsource", "ddtags", "hostname", "service", "status"];

impl Content for Logs {
    const PATH: &'static str = "/api/v2/logs";
    const ENDPOINT: Endpoint = Endpoint {
        method: "POST",
        content_types: &["application/json"],
        encodings: &["identity", "gzip", "deflate", "zstd"],
        limit: LIMIT,
    };

    fn parse(_: &str, plain: &[u8]) -> Result<Self, String> {
        let list: Vec<&RawValue> = serde_json::from_slice(plain).map_err(not_logs)?;
        let read = |raw: &&RawValue| {
            let Attributes(attributes) = serde_json::from_str(raw.get()).map_err(not_logs)?;
            let log = Log { bytes: raw.get().len(), attributes };
            check(&log).map_err(|rule| format!("{rule} in {log:?}"))?;
            Ok::<_, String>(log)
        };
        let logs = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if logs.is_empty() { Err("a list without logs".to_owned()) } else { Ok(Self(logs)) }
    }

    fn items(&self) -> usize {
        self.0.len()
    }

    fn item_bytes(&self) -> usize {
        self.0.iter().map(|log| log.bytes).max().unwrap_or_default()
    }

    fn span_ids(&self) -> Vec<SpanId> {
        let ids = self.0.iter().filter_map(|log| log.text("dd.span_id")?.parse::<u64>().ok());
        ids.map(u64::to_be_bytes).collect()
    }
}

impl Log {
    /// An attribute's text, when it is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attributes.get(key)?.as_str()
    }

    /// Its tags.
    pub fn tags(&self) -> Vec<&str> {
        self.text("ddtags").unwrap_or_default().split(',').collect()
    }
}

fn not_logs(error: serde_json::Error) -> String {
    format!("JSON of logs: {error}")
}

fn check(log: &Log) -> Result<(), String> {
    if log.text("message").is_none() {
        return Err("no message, or one that is no text".to_owned());
    }
    for key in TEXTS {
        if log.attributes.get(key).is_some_and(|value| !value.is_string()) {
            return Err(format!("{key} that is no text"));
        }
    }
    for key in ["dd.trace_id", "dd.span_id", "otel.timestamp"] {
        let number = log.attributes.get(key).map(|value| value.as_str().map(str::parse::<u64>));
        if number.is_some_and(|number| !matches!(number, Some(Ok(1..)))) {
            return Err(format!("{key} that is not a decimal number in a text"));
        }
    }
    match log.attributes.get("@timestamp") {
        Some(time) if !time.as_str().is_some_and(is_time) => Err(format!("@timestamp {time}")),
        _ => Ok(()),
    }
}

/// `2023-11-14T22:13:20.123Z`.
fn is_time(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.dddZ";
    let fits = |(c, pattern)| if pattern == 'd' { char::is_ascii_digit(&c) } else { c == pattern };
    text.len() == pattern.len() && text.chars().zip(pattern.chars()).all(fits)
}

/// An object in which no key comes twice.
struct Attributes(Map<String, Value>);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut attributes = Map::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if attributes.contains_key(&key) {
                return Err(A::Error::custom(format!("the attribute {key:?} twice")));
            }
            attributes.insert(key, value);
        }
        Ok(Attributes(attributes))
    }
}
