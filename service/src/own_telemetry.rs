//! `service::telemetry`: the process's own logs and metrics.
//!
//! The keys and defaults are upstream's (open-telemetry/opentelemetry-collector `service/telemetry/otelconftelemetry`). What is not carried
//! out, such as export of the process's own traces, is warned about by name.

mod logs;
mod readers;
mod resource;

use confmap::{Decode, Diagnostics, Mismatch, Node, Section};
use telemetry::{LogSettings, MetricsLevel, MetricsSettings};

pub use self::readers::Endpoint;

/// Settings of the process's own telemetry.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnTelemetry {
    /// Its log.
    pub logs: LogSettings,
    /// Its metrics.
    pub metrics: MetricsSettings,
    /// Where the metrics can be read.
    pub endpoints: Vec<Endpoint>,
}

impl OwnTelemetry {
    /// Reads `service::telemetry`. What it does not say of the log is as in `default`.
    pub fn read(node: Option<&Node>, default: LogSettings, diagnostics: &Diagnostics) -> Self {
        let mut section = Section::new(node, "service::telemetry", diagnostics);
        let resource = resource::read(&mut section);
        let logs = logs::read(section.section("logs"), default, &resource);
        let (level, endpoints) = read_metrics(section.section("metrics"));
        read_traces(section.section("traces"));
        section.finish();
        Self { logs, metrics: MetricsSettings { level, resource }, endpoints }
    }
}

fn read_metrics(mut section: Section<'_>) -> (MetricsLevel, Vec<Endpoint>) {
    let level = word(&mut section, "level").unwrap_or_default();
    let endpoints = readers::read(&mut section, level);
    section.ignored("views", "the metrics are a fixed list");
    section.finish();
    // At level none there is nothing to read.
    let endpoints = if level == MetricsLevel::None { Vec::new() } else { endpoints };
    (level, endpoints)
}

fn read_traces(mut section: Section<'_>) {
    const NO_TRACES: &str = "this program makes no traces of itself";
    let level: Option<String> = section.get("level");
    if level.is_some_and(|level| !level.eq_ignore_ascii_case("none")) {
        section.ignored("level", NO_TRACES);
    }
    for key in ["processors", "propagators", "sampler", "limits"] {
        section.ignored(key, NO_TRACES);
    }
    section.finish();
}

/// The value of a key that takes one of a few words.
fn word<T: Word>(section: &mut Section<'_>, key: &'static str) -> Option<T> {
    let item = section.item(key)?;
    let text: String = item.decode()?;
    match text.parse() {
        Ok(word) => Some(word),
        Err(error) => {
            let error: telemetry::UnknownWord = error;
            let expected = error.expected.join(", ");
            let help = match confmap::closest(&text, error.expected.iter().copied()) {
                Some(close) => format!("did you mean {close:?}? valid values: {expected}"),
                None => format!("valid values: {expected}"),
            };
            item.report(Mismatch::new("is none of the valid values").help(help));
            None
        }
    }
}

/// A setting that is one of a few words.
trait Word: std::str::FromStr<Err = telemetry::UnknownWord> {}

impl<T: std::str::FromStr<Err = telemetry::UnknownWord>> Word for T {}

/// Scalars as text: what a resource attribute's value, or a constant field, may be.
fn scalar_text(node: &Node) -> Option<String> {
    match node.value() {
        confmap::Value::Bool(value) => Some(value.to_string()),
        confmap::Value::Int(value) => Some(value.to_string()),
        confmap::Value::Float(value) => Some(value.to_string()),
        _ => String::decode(node).ok(),
    }
}

/// Warns when a switch is not in the one position that there is.
fn fixed(section: &mut Section<'_>, key: &'static str, position: bool, why: &str) {
    if section.get(key) == Some(!position) {
        section.ignored(key, why);
    }
}

#[cfg(test)]
mod tests;
