//! Verbosity `tree` for log records and data points: a line for each.

use std::fmt::Write as _;
use std::time::Duration;

use pdata::view::{
    Attributes, Data, LogRecord, Metric, NumberDataPoint, NumberValue, Resource, Temporality,
};
use pdata::{Payload, Signal};

use crate::display::{Id, Text, TimeOfDay};
use crate::severity;
use crate::style::{Ink, Style, safe};

/// Characters shown of a body or of one attribute's value.
const BODY_CHARS: usize = 400;
const VALUE_CHARS: usize = 120;

/// The lines of a payload.
pub(crate) fn format(payload: &Payload, style: Style) -> Vec<u8> {
    let mut out = String::new();
    match payload.signal() {
        Signal::Logs => {
            for resource in payload.resource_logs() {
                let service = service_name(&resource.resource);
                for record in resource.scope_logs.iter().flat_map(|scope| scope.log_records) {
                    put_record(&mut out, style, &service, &record);
                }
            }
        }
        Signal::Metrics => {
            for resource in payload.resource_metrics() {
                let service = service_name(&resource.resource);
                for metric in resource.scope_metrics.iter().flat_map(|scope| scope.metrics) {
                    put_metric(&mut out, style, &service, &metric);
                }
            }
        }
        // Traces are gathered before they are shown.
        Signal::Traces => {}
    }
    out.into_bytes()
}

/// The name of the service that a resource is of; empty when it does not say.
pub(crate) fn service_name(resource: &Resource<'_>) -> String {
    let name = resource.attributes.get("service.name");
    name.map(|name| safe(&Text(name).to_string(), VALUE_CHARS)).unwrap_or_default()
}

fn put_record(out: &mut String, style: Style, service: &str, record: &LogRecord<'_>) {
    let time = match record.time_unix_nano {
        0 => record.observed_time_unix_nano,
        time => time,
    };
    let level = severity::level(record.severity_number);
    let mut word = level.map_or("", severity::Level::word).to_owned();
    if word.is_empty() {
        word = safe(record.severity_text.as_str(), 8);
    }
    let ink = match level {
        Some(severity::Level::Error | severity::Level::Fatal) => Ink::Error,
        Some(severity::Level::Warn) => Ink::Warning,
        Some(severity::Level::Info) => Ink::Good,
        _ => Ink::Faint,
    };
    let mut body = safe(&Text(record.body).to_string(), BODY_CHARS);
    if body.is_empty() {
        body = safe(record.event_name.as_str(), BODY_CHARS);
    }
    let mut line = style.line(out);
    line.put(Ink::Faint, &moment(time));
    line.put(ink, &format!("  {word:<5}"));
    if !service.is_empty() {
        line.put(Ink::Service(0), &format!("  [{service}]"));
    }
    line.plain(&format!("  {body}"));
    for attribute in record.attributes {
        let (key, value) = (safe(attribute.key.as_str(), VALUE_CHARS), Text(attribute.value));
        let value = safe(&value.to_string(), VALUE_CHARS);
        line.put(Ink::Faint, &format!("  {key}={value}"));
    }
    let trace = Id(record.trace_id).to_string();
    if !trace.is_empty() {
        line.put(Ink::Faint, &format!("  trace {trace}"));
    }
    line.end();
}

fn put_metric(out: &mut String, style: Style, service: &str, metric: &Metric<'_>) {
    let unit = unit(metric);
    let mut put = |kind: &str, time: u64, attributes: Attributes<'_>, value: &str, note: &str| {
        let mut line = style.line(out);
        line.put(Ink::Faint, &moment(time));
        line.put(Ink::Faint, &format!("  {kind:<9}"));
        if !service.is_empty() {
            line.put(Ink::Service(0), &format!("  [{service}]"));
        }
        line.put(Ink::Strong, &format!("  {}", safe(metric.name.as_str(), BODY_CHARS)));
        line.put(Ink::Faint, &labels(attributes));
        line.plain(&format!("  {value}"));
        line.put(Ink::Faint, note);
        line.end();
    };
    match metric.data {
        Data::Empty => {}
        Data::Gauge(points) => {
            for point in points {
                put("gauge", point.time_unix_nano, point.attributes, &number(&point, &unit), "");
            }
        }
        Data::Sum { points, temporality, monotonic } => {
            let kind = if monotonic { "counter" } else { "sum" };
            for point in points {
                let (time, value) = (point.time_unix_nano, number(&point, &unit));
                put(kind, time, point.attributes, &value, note(temporality));
            }
        }
        Data::Histogram { points, temporality } => {
            for point in points {
                let value = range(point.count, [point.sum, point.min, point.max], &unit);
                let time = point.time_unix_nano;
                put("histogram", time, point.attributes, &value, note(temporality));
            }
        }
        Data::ExponentialHistogram { points, temporality } => {
            for point in points {
                let value = range(point.count, [point.sum, point.min, point.max], &unit);
                let time = point.time_unix_nano;
                put("histogram", time, point.attributes, &value, note(temporality));
            }
        }
        Data::Summary(points) => {
            for point in points {
                let mut value = range(point.count, [Some(point.sum), None, None], &unit);
                for at in point.quantile_values {
                    // Writing to memory does not fail.
                    let _written = write!(
                        value,
                        ", p{} {}{unit}",
                        rounded(at.quantile * 100.0),
                        rounded(at.value)
                    );
                }
                put("summary", point.time_unix_nano, point.attributes, &value, "");
            }
        }
    }
}

fn note(temporality: Temporality) -> &'static str {
    if temporality == Temporality::Delta { "  since the last" } else { "" }
}

/// The metric's unit with a space before it; nothing for 1, which is no unit. One in braces is a word for what is counted (UCUM).
fn unit(metric: &Metric<'_>) -> String {
    let unit = metric.unit.as_str();
    let unit = unit.strip_prefix('{').and_then(|unit| unit.strip_suffix('}')).unwrap_or(unit);
    if unit.is_empty() || unit == "1" { String::new() } else { format!(" {}", safe(unit, 20)) }
}

fn number(point: &NumberDataPoint<'_>, unit: &str) -> String {
    match point.value {
        None => "no value".to_owned(),
        Some(NumberValue::Int(value)) => format!("{value}{unit}"),
        Some(NumberValue::Double(value)) => format!("{}{unit}", rounded(value)),
    }
}

/// Count, average and extremes of a distribution, given its sum, minimum and maximum.
fn range(count: u64, [sum, min, max]: [Option<f64>; 3], unit: &str) -> String {
    let mut text = format!("count {count}");
    let average = sum.filter(|_| count > 0).map(|sum| sum / count as f64);
    for (name, value) in [("avg", average), ("min", min), ("max", max)] {
        if let Some(value) = value {
            // Writing to memory does not fail.
            let _written = write!(text, ", {name} {}{unit}", rounded(value));
        }
    }
    text
}

/// Four digits of a number.
fn rounded(value: f64) -> String {
    if !value.is_finite() || value.abs() >= 1e15 || (value != 0.0 && value.abs() < 1e-6) {
        return format!("{value:.3e}");
    }
    if value.abs() >= 1000.0 {
        return format!("{}", (value * 10.0).round() / 10.0);
    }
    let short: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    format!("{short}")
}

/// `{key=value, …}`, or nothing.
fn labels(attributes: Attributes<'_>) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let label = |attribute: pdata::view::KeyValue<'_>| {
        let value = safe(&Text(attribute.value).to_string(), VALUE_CHARS);
        format!("{}={value}", safe(attribute.key.as_str(), VALUE_CHARS))
    };
    let labels: Vec<String> = attributes.iter().map(label).collect();
    format!("{{{}}}", labels.join(", "))
}

/// A time of day in UTC, to the millisecond.
pub(crate) fn moment(unix_nano: u64) -> String {
    if unix_nano == 0 {
        return format!("{:13}", "no time");
    }
    let nanos = unix_nano as i64;
    let millis = Duration::from_nanos(nanos.rem_euclid(1_000_000_000) as u64).as_millis();
    format!("{}.{millis:03}Z", TimeOfDay(nanos))
}

#[cfg(test)]
mod tests;
