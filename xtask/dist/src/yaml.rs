//! YAML as far as packing reads it: maps, lists and texts. What a text means is for the binary to say.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use crate::failure::{About, Failure};

/// A list or a map that is not complete yet, and the anchor that it has.
enum Frame {
    List(Vec<Value>, usize),
    Map(Map<String, Value>, Option<String>, usize),
}

/// The first document of a text; every scalar is a string.
///
/// # Errors
/// What is no YAML, or has keys that are no texts.
pub(crate) fn parse(text: &str) -> Result<Value, Failure> {
    let (mut frames, mut anchors) = (Vec::new(), BTreeMap::new());
    for event in Parser::new_from_str(text) {
        let (event, span) = event.about("not YAML")?;
        let (value, anchor) = match event {
            Event::SequenceStart(anchor, _) => {
                frames.push(Frame::List(Vec::new(), anchor));
                continue;
            }
            Event::MappingStart(anchor, _) => {
                frames.push(Frame::Map(Map::new(), None, anchor));
                continue;
            }
            Event::Scalar(text, _, anchor, _) => (Value::String(text.into_owned()), anchor),
            Event::Alias(anchor) => (anchors.get(&anchor).cloned().unwrap_or_default(), 0),
            Event::SequenceEnd | Event::MappingEnd => match frames.pop() {
                Some(Frame::List(items, anchor)) => (Value::Array(items), anchor),
                Some(Frame::Map(map, _, anchor)) => (Value::Object(map), anchor),
                None => continue,
            },
            Event::DocumentEnd => break,
            _ => continue,
        };
        if anchor > 0 {
            anchors.insert(anchor, value.clone());
        }
        match frames.last_mut() {
            None => return Ok(value),
            Some(Frame::List(items, _)) => items.push(value),
            Some(Frame::Map(map, key, _)) => match (key.take(), value) {
                (Some(key), value) => drop(map.insert(key, value)),
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => {
                    let line = span.start.line();
                    return Err(Failure::new(format!("line {line}: a key that is no text")));
                }
            },
        }
    }
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_lists_texts_and_aliases_are_read() {
        let text = "a: &a { b: [1, 'two'], c: }\nd: *a\n--- later\n";
        let inner = json!({ "b": ["1", "two"], "c": "" });
        let read = parse(text).unwrap();
        assert_eq!((&read["a"]["b"], &read["d"]["b"]), (&inner["b"], &inner["b"]));
        assert_eq!(parse("# nothing\n").unwrap(), Value::Null);
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        for text in ["a: [1", "[a, b]: c"] {
            let text = parse(text).unwrap_err().to_string();
            assert!(text.contains("line"), "{text}");
        }
    }
}
