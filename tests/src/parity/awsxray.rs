//! What reached X-Ray, in the form of the references: its documents, with names in the place of ids that a document needs beyond its span's.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::xray::XRayBackend;

/// The documents that were taken, in their order.
///
/// Ids that are not in the requests, which the reference draws by chance, are named by the document in which they come first, and by their place
/// among those: `drawn 3.0`. Within a document they are counted in the order of the keys, but an object's own id first.
pub fn documents(backend: &XRayBackend, requests: &[Value]) -> Value {
    let input = requests.iter().map(Value::to_string).collect();
    let mut drawn = Drawn { input, names: HashMap::new(), document: 0, count: 0 };
    let taken = backend.accepted().into_iter().flat_map(|request| request.documents);
    let named = taken.enumerate().map(|(place, document)| {
        (drawn.document, drawn.count) = (place, 0);
        drawn.named(document.json)
    });
    json!({ "documents": named.collect::<Value>() })
}

/// The names so far.
struct Drawn {
    input: String,
    names: HashMap<String, String>,
    document: usize,
    /// How many names the document has given.
    count: usize,
}

impl Drawn {
    fn named(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.name(text)),
            Value::Array(values) => values.into_iter().map(|value| self.named(value)).collect(),
            Value::Object(members) => {
                let mut members: Vec<(String, Value)> = members.into_iter().collect();
                members.sort_by(|(a, _), (b, _)| (a != "id", a).cmp(&(b != "id", b)));
                let members = members.into_iter();
                Value::Object(members.map(|(key, value)| (key, self.named(value))).collect())
            }
            other => other,
        }
    }

    fn name(&mut self, text: String) -> String {
        if !is_id(&text) || self.input.contains(&text) {
            return text;
        }
        let (document, count) = (self.document, &mut self.count);
        let name = self.names.entry(text).or_insert_with(|| {
            let name = format!("drawn {document}.{count}");
            *count += 1;
            name
        });
        name.clone()
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
