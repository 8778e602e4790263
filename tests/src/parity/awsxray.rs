//! What reached X-Ray, in the form of the references: its documents, with numbers in the place of ids that a document needs beyond its span's.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::xray::XRayBackend;

/// The documents that were taken, in their order. Ids that are not in the requests, which the reference draws by chance, are `drawn 0`, `drawn 1`
/// and so on, in the order of the documents, and of the keys within one (its own id first).
pub fn documents(backend: &XRayBackend, requests: &[Value]) -> Value {
    let input: String = requests.iter().map(Value::to_string).collect();
    let mut numbers = HashMap::new();
    let taken = backend.accepted().into_iter().flat_map(|request| request.documents);
    let shown = taken.map(|document| numbered(document.json, &input, &mut numbers));
    json!({ "documents": shown.collect::<Value>() })
}

fn numbered(value: Value, input: &str, numbers: &mut HashMap<String, usize>) -> Value {
    match value {
        Value::String(text) if is_id(&text) && !input.contains(&text) => {
            let next = numbers.len();
            json!(format!("drawn {}", numbers.entry(text).or_insert(next)))
        }
        Value::Array(values) => {
            values.into_iter().map(|value| numbered(value, input, numbers)).collect()
        }
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|(a, _), (b, _)| (a != "id", a).cmp(&(b != "id", b)));
            let members = members.into_iter();
            Value::Object(
                members.map(|(key, value)| (key, numbered(value, input, numbers))).collect(),
            )
        }
        other => other,
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
