//! Verbosity `normal`: about one line for each span, data point or log record.
//!
//! The layout is that of open-telemetry/opentelemetry-collector `exporter/debugexporter/internal/normal`.

use std::fmt::{self, Arguments, Display};

use pdata::Payload;
use pdata::Signal;
use pdata::view::{
    Attributes, Buckets, Data, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    NumberDataPoint, NumberValue, Resource, Scope, Str, SummaryDataPoint,
};

use crate::display::{Fixed, General, Id, Text};
use crate::lines::Lines;

/// The payload's text; every line ends in a newline.
pub(crate) fn format(payload: &Payload) -> Vec<u8> {
    let mut out = Lines::default();
    match payload.signal() {
        Signal::Traces => put_traces(&mut out, payload),
        Signal::Metrics => put_metrics(&mut out, payload),
        Signal::Logs => put_logs(&mut out, payload),
    }
    out.into_bytes()
}

fn put_traces(out: &mut Lines, payload: &Payload) {
    for (i, resource) in payload.resource_spans().enumerate() {
        put_resource(out, "ResourceTraces", i, resource.schema_url(), resource.resource);
        for (i, scope) in resource.scope_spans.iter().enumerate() {
            put_scope(out, "ScopeTraces", i, scope.schema_url(), scope.scope);
            for span in scope.spans {
                let (trace, id) = (Id(span.trace_id), Id(span.span_id));
                let attributes = Spaced(span.attributes);
                out.line(format_args!("{} {trace} {id}{attributes}", span.name));
            }
        }
    }
}

fn put_logs(out: &mut Lines, payload: &Payload) {
    for (i, resource) in payload.resource_logs().enumerate() {
        put_resource(out, "ResourceLog", i, resource.schema_url(), resource.resource);
        for (i, scope) in resource.scope_logs.iter().enumerate() {
            put_scope(out, "ScopeLog", i, scope.schema_url(), scope.scope);
            for record in scope.log_records {
                let attributes = Joined(record.attributes, ' ');
                out.line(format_args!("{} {attributes}", Text(record.body)));
            }
        }
    }
}

fn put_metrics(out: &mut Lines, payload: &Payload) {
    for (i, resource) in payload.resource_metrics().enumerate() {
        put_resource(out, "ResourceMetrics", i, resource.schema_url(), resource.resource);
        for (i, scope) in resource.scope_metrics.iter().enumerate() {
            put_scope(out, "ScopeMetrics", i, scope.schema_url(), scope.scope);
            for metric in scope.metrics {
                put_metric(out, &metric);
            }
        }
    }
}

fn put_resource(out: &mut Lines, word: &str, number: usize, schema: Str<'_>, of: Resource<'_>) {
    let schema = Part(" [", schema, "]");
    out.line(format_args!("{word} #{number}{schema}{}", Spaced(of.attributes)));
}

fn put_scope(out: &mut Lines, word: &str, number: usize, schema: Str<'_>, scope: Scope<'_>) {
    let version = Part("@", scope.version, "");
    let named = !(scope.name.is_empty() && scope.version.is_empty());
    let (space, name) = (if named { " " } else { "" }, scope.name);
    let (schema, attributes) = (Part(" [", schema, "]"), Spaced(scope.attributes));
    out.line(format_args!("{word} #{number}{space}{name}{version}{schema}{attributes}"));
}

fn put_metric(out: &mut Lines, metric: &Metric<'_>) {
    match metric.data {
        Data::Empty => {}
        Data::Gauge(points) | Data::Sum { points, .. } => {
            for point in points {
                put_point(out, metric, point.attributes, format_args!("{}", Number(&point)));
            }
        }
        Data::Histogram { points, .. } => {
            for point in points {
                put_point(out, metric, point.attributes, format_args!("{}", Histogram(&point)));
            }
        }
        Data::ExponentialHistogram { points, .. } => {
            for point in points {
                put_point(out, metric, point.attributes, format_args!("{}", Exponential(&point)));
            }
        }
        Data::Summary(points) => {
            for point in points {
                put_point(out, metric, point.attributes, format_args!("{}", Summary(&point)));
            }
        }
    }
}

fn put_point(out: &mut Lines, metric: &Metric<'_>, of: Attributes<'_>, value: Arguments<'_>) {
    out.line(format_args!("{}{{{}}} {value}", metric.name, Joined(of, ',')));
}

/// Text with what surrounds it, or nothing when it is empty.
struct Part<'a>(&'a str, Str<'a>, &'a str);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Part(before, text, after) = self;
        if text.is_empty() { Ok(()) } else { write!(f, "{before}{text}{after}") }
    }
}

/// ` key=value` for each attribute.
struct Spaced<'a>(Attributes<'a>);

impl Display for Spaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|attribute| write!(f, " {}={}", attribute.key, Text(attribute.value)))
    }
}

/// `key=value` for each attribute, with this character between them.
struct Joined<'a>(Attributes<'a>, char);

impl Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, attribute) in self.0.iter().enumerate() {
            if i > 0 {
                write!(f, "{}", self.1)?;
            }
            write!(f, "{}={}", attribute.key, Text(attribute.value))?;
        }
        Ok(())
    }
}

struct Number<'a>(&'a NumberDataPoint<'a>);

impl Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.value {
            None => Ok(()),
            Some(NumberValue::Int(value)) => write!(f, "{value}"),
            Some(NumberValue::Double(value)) => write!(f, "{}", General(value)),
        }
    }
}

struct Histogram<'a>(&'a HistogramDataPoint<'a>);

impl Display for Histogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.0;
        write!(f, "count={}", point.count)?;
        put_range(f, point.sum, point.min, point.max)?;
        let mut bounds = point.explicit_bounds.doubles();
        for count in point.bucket_counts.iter() {
            match bounds.next() {
                Some(bound) => write!(f, " le{}={count}", General(bound))?,
                None => write!(f, " {count}")?,
            }
        }
        Ok(())
    }
}

struct Exponential<'a>(&'a ExponentialHistogramDataPoint<'a>);

impl Display for Exponential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.0;
        write!(f, "count={}", point.count)?;
        put_range(f, point.sum, point.min, point.max)?;
        let factor = bucket_factor(point.scale);
        // From the lowest value to the highest: negative buckets run the other way round.
        let negative: Vec<u64> = point.negative.bucket_counts().collect();
        for (i, count) in negative.iter().enumerate().rev() {
            let bound = -(bucket_index(&point.negative, i) * factor).exp();
            write!(f, " le{}={count}", General(bound))?;
        }
        if point.zero_count != 0 {
            write!(f, " zero={}", point.zero_count)?;
        }
        for (i, count) in point.positive.bucket_counts().enumerate() {
            let bound = ((bucket_index(&point.positive, i) + 1.0) * factor).exp();
            write!(f, " le{}={count}", General(bound))?;
        }
        Ok(())
    }
}

struct Summary<'a>(&'a SummaryDataPoint<'a>);

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count={} sum={}", self.0.count, Fixed(self.0.sum))?;
        self.0
            .quantile_values
            .iter()
            .try_for_each(|at| write!(f, " q{}={}", General(at.quantile), General(at.value)))
    }
}

fn put_range(
    f: &mut fmt::Formatter<'_>,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
) -> fmt::Result {
    for (name, value) in [("sum", sum), ("min", min), ("max", max)] {
        if let Some(value) = value {
            write!(f, " {name}={}", General(value))?;
        }
    }
    Ok(())
}

/// The natural logarithm of the base of an exponential histogram: its buckets' bounds are `exp(index × factor)`.
pub(crate) fn bucket_factor(scale: i32) -> f64 {
    std::f64::consts::LN_2 * f64::from(scale.saturating_neg()).exp2()
}

/// The index of the bucket at this place in the list.
pub(crate) fn bucket_index(buckets: &Buckets<'_>, place: usize) -> f64 {
    f64::from(buckets.offset) + place as f64
}

#[cfg(test)]
mod tests;
