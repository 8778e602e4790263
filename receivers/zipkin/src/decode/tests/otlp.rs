//! OTLP requests in a form that compares by meaning.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use serde_json::Value;

/// A request as JSON, with attributes in the order of their keys and without fields that say nothing.
pub(super) fn normal(request: &ExportTraceServiceRequest) -> Value {
    let mut value = serde_json::to_value(request).unwrap();
    normalise(&mut value);
    value
}

fn normalise(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(normalise);
            object.retain(|key, value| {
                let default = match value {
                    Value::Null => true,
                    Value::Array(list) => list.is_empty(),
                    Value::Object(object) => object.is_empty() && key != "value",
                    Value::String(text) => {
                        (text.is_empty() || text == "0")
                            && !matches!(key.as_str(), "stringValue" | "intValue" | "bytesValue")
                    }
                    Value::Number(number) => number == &0.into() && key != "doubleValue",
                    Value::Bool(_) => false,
                };
                !default
            });
            for key in ["attributes", "kvlistValue"] {
                if let Some(Value::Array(list)) = object.get_mut(key) {
                    list.sort_by_key(|entry| entry["key"].as_str().unwrap_or_default().to_owned());
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(normalise),
        _ => {}
    }
}

/// String attributes as pairs, in order.
pub(super) fn texts(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |attribute: &KeyValue| match attribute.value.clone().and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        other => panic!("{}: {other:?}", attribute.key),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}
