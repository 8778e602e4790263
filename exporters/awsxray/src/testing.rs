//! What this crate's tests share.

use confmap::{Diagnostics, Node, Section};

use crate::config::Config;

/// The settings of a section, and what there is to say of it.
pub(crate) fn read(yaml: &str) -> (Config, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "exporters::awsxray", &diagnostics));
    (config, diagnostics.to_string())
}
