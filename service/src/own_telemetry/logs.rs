//! `service::telemetry::logs`.

use std::time::Duration;

use confmap::{Mismatch, Node, Presence, Section, Value};
use serde_json::{Map, Number};
use telemetry::{LogSettings, Sampling};

use super::{fixed, word};

pub(super) fn read(
    mut section: Section<'_>,
    default: LogSettings,
    resource: &[(String, String)],
) -> LogSettings {
    let level = word(&mut section, "level").unwrap_or(default.level);
    let encoding = word(&mut section, "encoding").unwrap_or(default.encoding);
    let disable_caller = section.get("disable_caller").unwrap_or(default.disable_caller);
    let sampling = section.optional_section("sampling", Presence::Some).map(read_sampling);
    let output_paths = section.get("output_paths").unwrap_or(default.output_paths);
    let error_output_paths =
        section.get("error_output_paths").unwrap_or(default.error_output_paths);
    let initial_fields = read_fields(&mut section);
    let without_resource = section.get("disable_zap_resource").unwrap_or(false);
    for (key, position) in [("development", false), ("disable_stacktrace", true)] {
        fixed(&mut section, key, position, "log records here bear no stack traces");
    }
    section.ignored(
        "processors",
        "this program's log is not exported over OTLP; have its output collected",
    );
    section.finish();
    let resource = if without_resource { Vec::new() } else { resource.to_vec() };
    LogSettings {
        level,
        encoding,
        disable_caller,
        sampling,
        output_paths,
        error_output_paths,
        initial_fields,
        part_levels: default.part_levels,
        resource,
    }
}

fn read_sampling(mut section: Section<'_>) -> Sampling {
    let default = Sampling::default();
    let sampling = Sampling {
        tick: section.get::<Duration>("tick").unwrap_or(default.tick),
        initial: section.get("initial").unwrap_or(default.initial),
        thereafter: section.get("thereafter").unwrap_or(default.thereafter),
    };
    section.finish();
    sampling
}

fn read_fields(section: &mut Section<'_>) -> Map<String, serde_json::Value> {
    let mut fields = Map::new();
    for (key, item) in section.entries("initial_fields") {
        match json(item.node()) {
            Some(value) => {
                let _replaced = fields.insert(key.to_owned(), value);
            }
            None => item.report(Mismatch::new("is a number that JSON does not have")),
        }
    }
    fields
}

fn json(node: &Node) -> Option<serde_json::Value> {
    Some(match node.value() {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => Number::from_i128(*value)?.into(),
        Value::Float(value) => Number::from_f64(*value)?.into(),
        Value::String(text) => text.to_string().into(),
        Value::Seq(items) => items.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Value::Map(map) => {
            let fields = map.iter().map(|entry| Some((entry.key.to_string(), json(&entry.node)?)));
            serde_json::Value::Object(fields.collect::<Option<Map<_, _>>>()?)
        }
    })
}
