//! One configuration over another.

use crate::{Entry, Map, Node, Value, map::MapBuilder};

/// Merges maps key by key; anything else, a null included, replaces what was there. A key keeps
/// the place in the order that it had first, and names the place it was last written at.
pub(super) fn merge(below: Node, above: Node) -> Node {
    let origin = above.origin().clone();
    match (below.into_value(), above.into_value()) {
        (Value::Map(below), Value::Map(above)) => {
            Node::new(Value::Map(merge_maps(below, above)), origin)
        }
        (_, above) => Node::new(above, origin),
    }
}

fn merge_maps(below: Map, above: Map) -> Map {
    let mut merged = MapBuilder::from_map(below);
    for entry in above.into_entries() {
        match merged.get_mut(&entry.key) {
            Some(present) => {
                let below = std::mem::replace(&mut present.node, entry.node.placeholder());
                let Entry { key_origin, node, .. } = entry;
                present.key_origin = key_origin;
                present.node = merge(below, node);
            }
            None => merged.push(entry),
        }
    }
    merged.finish()
}
