//! Resources for tests.

use pdata::view::Attributes;
use pdata::{Payload, Signal, wire};

/// Calls `test` with the attributes of a resource.
pub(crate) fn with_resource<T>(
    attributes: &[(&str, Value)],
    test: impl FnOnce(Attributes<'_>) -> T,
) -> T {
    let mut body = Vec::new();
    wire::put_message(&mut body, 1, |resource_metrics| {
        wire::put_message(resource_metrics, 1, |resource| {
            for (key, value) in attributes {
                wire::put_message(resource, 1, |attribute| {
                    wire::put_len(attribute, 1, key.as_bytes());
                    wire::put_message(attribute, 2, |out| value.put(out));
                });
            }
        });
    });
    let payload = Payload::decode(Signal::Metrics, body.into()).unwrap().payload;
    let resource = payload.resource_metrics().next().unwrap().resource;
    test(resource.attributes)
}

/// An attribute's value.
pub(crate) enum Value {
    Text(&'static str),
    Int(i64),
    Texts(&'static [&'static str]),
}

impl Value {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => wire::put_len(out, 1, text.as_bytes()),
            Self::Int(int) => {
                wire::put_key(out, 3, 0);
                wire::put_varint(out, *int as u64);
            }
            Self::Texts(texts) => wire::put_message(out, 5, |list| {
                for text in *texts {
                    wire::put_message(list, 1, |value| wire::put_len(value, 1, text.as_bytes()));
                }
            }),
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

/// Attributes with texts as values.
pub(crate) fn texts(attributes: &[(&'static str, &'static str)]) -> Vec<(&'static str, Value)> {
    attributes.iter().map(|(key, value)| (*key, Value::Text(value))).collect()
}
