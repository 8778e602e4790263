//! Finds `$NAME`, which older Collectors expanded and this one takes as it stands.

use super::scan;
use crate::{Diagnostic, Diagnostics, Node, Value, path::Trail};

/// Warns of every value in which a name stands behind a lone `$`. The tree is as the user wrote it: what references yield is a value
/// as it should be. Names and lines are not repeated, since a password may look the same.
pub(super) fn warn(node: &Node, trail: Trail<'_>, diagnostics: &Diagnostics) {
    match node.value() {
        Value::String(text) if scan::has_bare_name(text) => {
            let message = "a $ with a name behind it stays as it is: variables are not expanded without braces";
            let help = "write ${env:NAME} for the variable, or $$NAME for the text";
            let diagnostic = Diagnostic::warning(trail.to_path(), message).help(help);
            diagnostics.push(diagnostic.at(node.origin()).without_excerpt());
        }
        Value::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                warn(item, Trail::Index(&trail, index), diagnostics);
            }
        }
        Value::Map(map) => {
            for entry in map {
                warn(&entry.node, Trail::Key(&trail, &entry.key), diagnostics);
            }
        }
        _ => {}
    }
}
