//! A Zipkin v2 span as JSON, and the rules that it must keep.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::spans::SpanId;

/// A span, in Zipkin's own terms and spelling.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Span {
    /// 16 or 32 digits.
    pub trace_id: String,
    /// 16 digits.
    pub id: String,
    /// 16 digits; absent for a root.
    #[serde(default, deserialize_with = "present")]
    pub parent_id: Option<String>,
    /// In lower case; absent when unknown.
    #[serde(default, deserialize_with = "present")]
    pub name: Option<String>,
    /// Absent for a local span.
    #[serde(default, deserialize_with = "present")]
    pub kind: Option<String>,
    /// Microseconds since 1970; absent when unknown.
    #[serde(default, deserialize_with = "present")]
    pub timestamp: Option<u64>,
    /// Microseconds; absent when unknown.
    #[serde(default, deserialize_with = "present")]
    pub duration: Option<u64>,
    /// Who recorded the span.
    #[serde(default, deserialize_with = "present")]
    pub local_endpoint: Option<Endpoint>,
    /// The other side.
    #[serde(default, deserialize_with = "present")]
    pub remote_endpoint: Option<Endpoint>,
    /// In the order of the list.
    #[serde(default, deserialize_with = "present_list")]
    pub annotations: Vec<Annotation>,
    /// Each key once.
    #[serde(default, deserialize_with = "unique_tags")]
    pub tags: BTreeMap<String, String>,
    /// Whether sampling is overridden.
    #[serde(default, deserialize_with = "present")]
    pub debug: Option<bool>,
    /// Whether another host began the span.
    #[serde(default, deserialize_with = "present")]
    pub shared: Option<bool>,
}

/// One side of a call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// In lower case; absent when unknown.
    #[serde(default, deserialize_with = "present")]
    pub service_name: Option<String>,
    /// As text.
    #[serde(default, deserialize_with = "present")]
    pub ipv4: Option<String>,
    /// As text.
    #[serde(default, deserialize_with = "present")]
    pub ipv6: Option<String>,
    /// Absent when unknown.
    #[serde(default, deserialize_with = "present")]
    pub port: Option<u16>,
}

/// A moment within a span.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// Microseconds since 1970.
    pub timestamp: u64,
    /// What happened.
    pub value: String,
}

/// Reads a JSON list of spans; a duplicate or unknown key, a null, or a value of another type is an error.
pub(super) fn spans(text: &[u8]) -> Result<Vec<Span>, String> {
    serde_json::from_slice(text).map_err(|error| format!("Zipkin JSON: {error}"))
}

impl Span {
    /// The span's id as the tests compare it.
    ///
    /// # Panics
    ///
    /// When the id is not 16 hexadecimal digits, which no checked span's is.
    pub fn span_id(&self) -> SpanId {
        let id = u64::from_str_radix(&self.id, 16);
        id.unwrap_or_else(|error| panic!("the id {:?}: {error}", self.id)).to_be_bytes()
    }

    /// The first rule that the span breaks. Names keep their case in protobuf.
    pub(super) fn check(&self, protobuf: bool) -> Result<(), String> {
        if !is_id(&self.trace_id, &[16, 32]) {
            return Err(format!("trace id {:?}", self.trace_id));
        }
        if !is_id(&self.id, &[16]) {
            return Err(format!("id {:?}", self.id));
        }
        if let Some(parent) = &self.parent_id
            && (!is_id(parent, &[16]) || *parent == self.id)
        {
            return Err(format!("parent id {parent:?}"));
        }
        if let Some(kind) = self.kind.as_deref()
            && !["CLIENT", "SERVER", "PRODUCER", "CONSUMER"].contains(&kind)
        {
            return Err(format!("kind {kind:?}"));
        }
        if !is_label(self.name.as_deref(), protobuf) {
            return Err(format!("name {:?}", self.name));
        }
        let times = self.annotations.iter().map(|annotation| annotation.timestamp);
        if times
            .chain(self.timestamp)
            .chain(self.duration)
            .any(|time| time == 0 || time > MICROS_MAX)
        {
            return Err("a time or duration that is zero or beyond 64 bits".to_owned());
        }
        for endpoint in [&self.local_endpoint, &self.remote_endpoint].into_iter().flatten() {
            endpoint.check(protobuf)?;
        }
        Ok(())
    }
}

/// Times are signed 64-bit numbers.
const MICROS_MAX: u64 = i64::MAX as u64;

impl Endpoint {
    fn check(&self, protobuf: bool) -> Result<(), String> {
        if *self == Self::default() {
            return Err("an endpoint without content".to_owned());
        }
        if !is_label(self.service_name.as_deref(), protobuf) {
            return Err(format!("service name {:?}", self.service_name));
        }
        if self.ipv4.as_deref().is_some_and(|text| text.parse::<Ipv4Addr>().is_err()) {
            return Err(format!("ipv4 {:?}", self.ipv4));
        }
        if self.ipv6.as_deref().is_some_and(|text| text.parse::<Ipv6Addr>().is_err()) {
            return Err(format!("ipv6 {:?}", self.ipv6));
        }
        if self.port == Some(0) {
            return Err("port 0".to_owned());
        }
        Ok(())
    }
}

/// Lower-case hexadecimal digits of a legal count, not all of them zero.
fn is_id(text: &str, lengths: &[usize]) -> bool {
    let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    lengths.contains(&text.len()) && digits && text.bytes().any(|byte| byte != b'0')
}

/// Absent, or a text of at least one character, which in JSON has no upper case.
fn is_label(text: Option<&str>, any_case: bool) -> bool {
    text.is_none_or(|text| !text.is_empty() && (any_case || !text.chars().any(char::is_uppercase)))
}

/// A field that may be left out but not be null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn present_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Vec::deserialize(from)
}

fn unique_tags<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Tags;

    impl<'de> Visitor<'de> for Tags {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of text to text")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut tags = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, String>()? {
                if tags.contains_key(&key) {
                    return Err(A::Error::custom(format!("the tag {key:?} twice")));
                }
                tags.insert(key, value);
            }
            Ok(tags)
        }
    }

    from.deserialize_map(Tags)
}
