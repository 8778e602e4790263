//! Keys with `::`: `exporters::otlp::endpoint: x` stands for three nested keys.

use std::sync::Arc;

use super::{
    KEY_DELIMITER,
    error::{Problem, YamlError},
};
use crate::{Entry, Map, Node, Origin, Value, map::MapBuilder};

/// Splits the keys of a map; two that lead to the same map are joined, and two that lead to the
/// same value are refused.
pub(super) fn nest_keys(map: Map) -> Result<Map, YamlError> {
    if !map.iter().any(|entry| entry.key.contains(KEY_DELIMITER)) {
        return Ok(map);
    }
    let mut nested = MapBuilder::default();
    for entry in map.into_entries() {
        let Some((first, rest)) = entry.key.split_once(KEY_DELIMITER) else {
            insert(&mut nested, entry)?;
            continue;
        };
        let origin = entry.key_origin;
        let mut node = entry.node;
        for key in rest.rsplit(KEY_DELIMITER) {
            node = single(key.into(), &origin, node);
        }
        insert(&mut nested, Entry { key: first.into(), key_origin: origin, node })?;
    }
    Ok(nested.finish())
}

fn single(key: Arc<str>, origin: &Origin, node: Node) -> Node {
    let mut map = MapBuilder::default();
    map.push(Entry { key, key_origin: origin.clone(), node });
    Node::new(Value::Map(map.finish()), origin.clone())
}

fn insert(map: &mut MapBuilder, entry: Entry) -> Result<(), YamlError> {
    let Some(present) = map.get_mut(&entry.key) else {
        map.push(entry);
        return Ok(());
    };
    let duplicate =
        Problem::DuplicateKey { key: entry.key.to_string(), first: present.key_origin.line() };
    let mine = std::mem::replace(present.node.value_mut(), Value::Null);
    match (mine, entry.node.into_value()) {
        (Value::Map(mine), Value::Map(theirs)) => {
            let mut joined = MapBuilder::from_map(mine);
            for entry in theirs.into_entries() {
                insert(&mut joined, entry)?;
            }
            *present.node.value_mut() = Value::Map(joined.finish());
            Ok(())
        }
        _ => Err(duplicate.at_origin(&entry.key_origin)),
    }
}
