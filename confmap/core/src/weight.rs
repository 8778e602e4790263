//! How large a tree is, and how large it may become.

use crate::{
    Node, Value,
    limits::{MAX_NODES, MAX_TEXT_BYTES},
};

/// What a configuration may still grow by.
pub(crate) struct Budget {
    nodes: usize,
    bytes: usize,
}

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spent;

impl Budget {
    pub(crate) fn new() -> Self {
        Self { nodes: MAX_NODES, bytes: MAX_TEXT_BYTES }
    }

    /// Takes the cost of keys and values, and of text.
    pub(crate) fn take(&mut self, nodes: usize, bytes: usize) -> Result<(), Spent> {
        self.nodes = self.nodes.checked_sub(nodes).ok_or(Spent)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Spent)?;
        Ok(())
    }

    /// Takes the cost of a copy of a tree.
    pub(crate) fn take_tree(&mut self, node: &Node) -> Result<(), Spent> {
        self.take(1, node.text().map_or(0, str::len))?;
        match node.value() {
            Value::Seq(items) => items.iter().try_for_each(|item| self.take_tree(item)),
            Value::Map(map) => map.iter().try_for_each(|entry| {
                self.take(1, entry.key.len())?;
                self.take_tree(&entry.node)
            }),
            _ => Ok(()),
        }
    }
}

/// How many maps and lists are nested in one another, the node itself included.
pub(crate) fn depth(node: &Node) -> usize {
    let inner = match node.value() {
        Value::Seq(items) => items.iter().map(depth).max(),
        Value::Map(map) => map.iter().map(|entry| depth(&entry.node)).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}
