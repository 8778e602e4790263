//! Zipkin's rules for a body (openzipkin/zipkin-api `zipkin2-api.yaml` and `zipkin.proto`), and both encodings in one form.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use prost::Message as _;
use serde::de::{self, Deserialize, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::zipkin_proto::{Endpoint, Kind, ListOfSpans};

/// A JSON span with strict types: no unknown key, no key twice, no field of another type.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Span {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    timestamp: Option<i64>,
    duration: Option<i64>,
    local_endpoint: Option<JsonEndpoint>,
    remote_endpoint: Option<JsonEndpoint>,
    annotations: Option<Vec<Annotation>>,
    tags: Option<Tags>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JsonEndpoint {
    service_name: Option<String>,
    ipv4: Option<Ipv4Addr>,
    ipv6: Option<Ipv6Addr>,
    port: Option<u16>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotation {
    timestamp: i64,
    #[expect(dead_code, reason = "its presence and type are what is checked")]
    value: String,
}

/// Tags without a key that comes twice.
#[derive(Debug)]
struct Tags(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;
        impl<'de> Visitor<'de> for Unique {
            type Value = Tags;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("tags")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let mut tags = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if tags.insert(key.clone(), value).is_some() {
                        return Err(de::Error::custom(format!("tag {key:?} comes twice")));
                    }
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_map(Unique)
    }
}

/// Fails when the body is not what Zipkin takes.
pub(super) fn check_json(body: &[u8]) {
    let spans: Vec<Span> = serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(body)));
    for span in spans {
        let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let is_id = |text: &str, digits: &[usize]| hex(text) && digits.contains(&text.len());
        assert!(is_id(&span.trace_id, &[16, 32]), "{span:?}");
        assert!(is_id(&span.id, &[16]), "{span:?}");
        let parent = span.parent_id.as_deref();
        assert!(parent.is_none_or(|id| is_id(id, &[16]) && id != span.id), "{span:?}");
        assert!(span.name.as_deref() != Some(""), "{span:?}");
        let kinds = ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"];
        assert!(span.kind.as_deref().is_none_or(|kind| kinds.contains(&kind)), "{span:?}");
        assert!(span.timestamp.is_none_or(|micros| micros > 0), "{span:?}");
        assert!(span.duration.is_none_or(|micros| micros > 0), "{span:?}");
        assert!(span.annotations.as_ref().is_none_or(|all| !all.is_empty()), "{span:?}");
        let mut annotations = span.annotations.iter().flatten();
        assert!(annotations.all(|note| note.timestamp > 0), "{span:?}");
        assert!(span.tags.as_ref().is_none_or(|tags| !tags.0.is_empty()), "{span:?}");
        for endpoint in [&span.local_endpoint, &span.remote_endpoint].into_iter().flatten() {
            let named = endpoint.service_name.is_some();
            assert!(named || endpoint.ipv4.is_some() || endpoint.ipv6.is_some(), "{span:?}");
            assert!(endpoint.port != Some(0), "{span:?}");
        }
    }
}

pub(super) fn ids_of_json(body: &[u8]) -> Vec<String> {
    let spans: Vec<Span> = serde_json::from_slice(body).unwrap();
    spans.into_iter().map(|span| span.id).collect()
}

pub(super) fn ids_of_proto(body: &[u8]) -> Vec<String> {
    let list = ListOfSpans::decode(body).unwrap();
    list.spans.iter().map(|span| hex(&span.id)).collect()
}

/// A protobuf body in the form of a JSON one, with what JSON says otherwise left as it is: names in their case, full trace
/// ids.
pub(super) fn proto_as_json(body: &[u8]) -> Value {
    let list = ListOfSpans::decode(body).unwrap();
    let spans = list.spans.iter().map(|span| {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value, present: bool| {
            if present {
                object.insert(key.to_owned(), value);
            }
        };
        assert_eq!(span.parent_id.len(), 8);
        let kind = Kind::try_from(span.kind).unwrap();
        let kind_name = format!("{kind:?}").to_uppercase();
        put("traceId", hex(&span.trace_id).into(), true);
        put("id", hex(&span.id).into(), true);
        put("parentId", hex(&span.parent_id).into(), span.parent_id != [0; 8]);
        put("name", span.name.as_str().into(), !span.name.is_empty());
        put("kind", kind_name.into(), kind != Kind::Unspecified);
        put("timestamp", span.timestamp.into(), span.timestamp != 0);
        put("duration", span.duration.into(), span.duration != 0);
        for (key, endpoint) in
            [("localEndpoint", &span.local_endpoint), ("remoteEndpoint", &span.remote_endpoint)]
        {
            put(key, endpoint.as_ref().map_or(Value::Null, self::endpoint), endpoint.is_some());
        }
        let annotations: Vec<Value> = span
            .annotations
            .iter()
            .map(|note| json!({"timestamp": note.timestamp, "value": note.value}))
            .collect();
        put("annotations", annotations.into(), !span.annotations.is_empty());
        let mut tags = Map::new();
        for tag in &span.tags {
            let before = tags.insert(tag.key.clone(), tag.value.clone().into());
            assert_eq!(before, None, "tag {} comes twice", tag.key);
        }
        put("tags", tags.into(), !span.tags.is_empty());
        Value::Object(object)
    });
    spans.collect()
}

fn endpoint(endpoint: &Endpoint) -> Value {
    let mut object = Map::new();
    if !endpoint.service_name.is_empty() {
        object.insert("serviceName".to_owned(), endpoint.service_name.as_str().into());
    }
    if let Ok(ip) = <[u8; 4]>::try_from(endpoint.ipv4.as_slice()) {
        object.insert("ipv4".to_owned(), Ipv4Addr::from(ip).to_string().into());
    } else {
        assert!(endpoint.ipv4.is_empty());
    }
    if let Ok(ip) = <[u8; 16]>::try_from(endpoint.ipv6.as_slice()) {
        object.insert("ipv6".to_owned(), Ipv6Addr::from(ip).to_string().into());
    } else {
        assert!(endpoint.ipv6.is_empty());
    }
    if endpoint.port != 0 {
        object.insert("port".to_owned(), endpoint.port.into());
    }
    Value::Object(object)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
