//! The metrics as text in the Prometheus exposition format, version 0.0.4
//! (prometheus/docs, `content/docs/instrumenting/exposition_formats.md`).
//!
//! Names stand as they are in the table unless suffixes are asked for: no `_total`, no unit suffix and no scope labels is the
//! Collector's default for its own Prometheus readers. Families are sorted by name and series by their labels, so equal states give equal texts.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use crate::{
    metrics::{Reading, Registry, Snapshot},
    names::Family,
    settings::{MetricsLevel, Suffixes},
};

/// The `Content-Type` of what [`render`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Renders what `level` lets through; nothing at all at [`MetricsLevel::None`].
pub fn render(registry: &Registry, level: MetricsLevel) -> String {
    render_with(registry, level, Suffixes::default())
}

/// The same with these suffixes to the names.
pub fn render_with(registry: &Registry, level: MetricsLevel, suffixes: Suffixes) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    if level > MetricsLevel::None
        && write_all(&mut out, registry.snapshot(), level, suffixes).is_err()
    {
        out.clear();
    }
    out
}

fn write_all(
    out: &mut String,
    snapshot: Snapshot,
    level: MetricsLevel,
    suffixes: Suffixes,
) -> fmt::Result {
    let mut families: BTreeMap<&str, (&Family, BTreeMap<String, Reading>)> = BTreeMap::new();
    for sample in snapshot.samples {
        if sample.family.level > level {
            continue;
        }
        let labels = labels(sample.family, &sample.values, level)?;
        let (_, series) =
            families.entry(sample.family.name).or_insert_with(|| (sample.family, BTreeMap::new()));
        match series.get_mut(&labels) {
            Some(reading) => merge(reading, sample.reading),
            None => {
                let _: Option<Reading> = series.insert(labels, sample.reading);
            }
        }
    }
    for (family, series) in families.values() {
        let name = &family.name_with(suffixes);
        writeln!(out, "# HELP {name} {}", Escaped(family.help, Place::Help))?;
        writeln!(out, "# TYPE {name} {}", family.kind.as_str())?;
        for (labels, reading) in series {
            write_series(out, (name, family.bounds), labels, reading)?;
        }
    }
    write_target_info(out, snapshot.resource)
}

fn write_series(
    out: &mut String,
    (name, bounds): (&str, &[u64]),
    labels: &str,
    reading: &Reading,
) -> fmt::Result {
    let (counts, sum) = match reading {
        Reading::Number(number) => {
            return writeln!(out, "{name}{} {}", Braced(labels), Number(*number));
        }
        Reading::Distribution { counts, sum } => (counts, sum),
    };
    let separator = if labels.is_empty() { "" } else { "," };
    let bounds = bounds.iter().map(u64::to_string).chain(["+Inf".to_owned()]);
    let mut total = 0;
    for (bound, count) in bounds.zip(counts) {
        total += count;
        writeln!(out, "{name}_bucket{{{labels}{separator}le=\"{bound}\"}} {total}")?;
    }
    writeln!(out, "{name}_sum{} {sum}", Braced(labels))?;
    writeln!(out, "{name}_count{} {total}", Braced(labels))
}

/// The resource as one series of its own, dots in the attribute names replaced by underscores
/// (open-telemetry/opentelemetry-specification, `specification/compatibility/prometheus_and_openmetrics.md`).
fn write_target_info(out: &mut String, resource: Vec<(String, String)>) -> fmt::Result {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in resource {
        match labels.entry(label_name(&name)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                let _: &mut String = entry.insert(value);
            }
            std::collections::btree_map::Entry::Occupied(entry) => {
                let joined = entry.into_mut();
                joined.push(';');
                joined.push_str(&value);
            }
        }
    }
    if labels.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for (name, value) in &labels {
        write_label(&mut text, name, value)?;
    }
    out.push_str("# HELP target_info Target metadata\n# TYPE target_info gauge\n");
    writeln!(out, "target_info{{{text}}} 1")
}

/// The labels of a series as they stand between the braces.
fn labels(family: &Family, values: &[String], level: MetricsLevel) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for (label, value) in family.labels.iter().zip(values) {
        if label.level <= level && !value.is_empty() {
            write_label(&mut text, label.name, value)?;
        }
    }
    Ok(text)
}

fn write_label(text: &mut String, name: &str, value: &str) -> fmt::Result {
    let separator = if text.is_empty() { "" } else { "," };
    write!(text, "{separator}{name}=\"{}\"", Escaped(value, Place::LabelValue))
}

/// Adds the reading of a series to that of another with the same labels.
fn merge(into: &mut Reading, from: Reading) {
    match (into, from) {
        (Reading::Number(into), Reading::Number(from)) => *into += from,
        (
            Reading::Distribution { counts: into, sum: into_sum },
            Reading::Distribution { counts: from, sum },
        ) => {
            for (into, from) in into.iter_mut().zip(from) {
                *into += from;
            }
            *into_sum += sum;
        }
        // A family has one kind.
        (Reading::Number(_), Reading::Distribution { .. })
        | (Reading::Distribution { .. }, Reading::Number(_)) => {}
    }
}

/// A valid label name for any attribute name.
fn label_name(attribute: &str) -> String {
    let mut name: String =
        attribute.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "key_");
    }
    name
}

/// Labels with their braces, if there are any.
struct Braced<'a>(&'a str);

impl fmt::Display for Braced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.0) }
    }
}

/// A number as the format spells it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            f.write_str("NaN")
        } else if self.0.is_infinite() {
            f.write_str(if self.0 > 0.0 { "+Inf" } else { "-Inf" })
        } else {
            self.0.fmt(f)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Help,
    LabelValue,
}

/// Text with the escapes of its place.
struct Escaped<'a>(&'a str, Place);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if self.1 == Place::LabelValue => f.write_str("\\\"")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
