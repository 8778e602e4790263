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

/// A function whose invocations have these headers: `{"name": "…", "traces": ["Root=…"]}`.
pub(crate) fn function(json: &str) -> lambda::Function {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let lookup = |name: &str| {
        let name = (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| json["name"].as_str())?;
        name.map(str::to_owned)
    };
    let function =
        lambda::Function::of(lookup).unwrap().started_at(std::time::SystemTime::UNIX_EPOCH);
    for header in json["traces"].as_array().unwrap() {
        function.traced(header.as_str().unwrap());
    }
    function
}
