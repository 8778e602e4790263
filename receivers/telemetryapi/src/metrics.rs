//! The `faas.*` metrics.
//!
//! Names, units, descriptions and bounds are those of the semantic conventions 1.25 and of upstream's `metric_builder.go`.

use lambda::TraceContext;
use pdata::wire;

use crate::otlp;

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.25.0";

const MIB: f64 = 1_048_576.0;
const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const BYTES: &[f64] = &[
    16.0 * MIB,
    32.0 * MIB,
    64.0 * MIB,
    128.0 * MIB,
    256.0 * MIB,
    512.0 * MIB,
    768.0 * MIB,
    1024.0 * MIB,
    2048.0 * MIB,
    3072.0 * MIB,
    4096.0 * MIB,
    6144.0 * MIB,
    8192.0 * MIB,
];

/// What a data point tells: what has happened since the last, or since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temporality {
    /// Since the last point.
    Delta = 1,
    /// Since the start.
    Cumulative = 2,
}

/// The metrics of a function.
#[derive(Debug)]
pub(crate) struct Metrics {
    temporality: Temporality,
    start: u64,
    /// When the latest event happened.
    latest: u64,
    pub(crate) coldstarts: Count,
    pub(crate) errors: Count,
    pub(crate) timeouts: Count,
    pub(crate) init_duration: Distribution,
    pub(crate) mem_usage: Distribution,
    pub(crate) invocations: Count,
    pub(crate) invoke_duration: Distribution,
}

/// A count of things that happen.
#[derive(Debug)]
pub(crate) struct Count {
    described: Described,
    total: u64,
    is_changed: bool,
}

/// A distribution of values.
#[derive(Debug)]
pub(crate) struct Distribution {
    described: Described,
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    exemplar: Option<Exemplar>,
    is_changed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Described {
    name: &'static str,
    unit: &'static str,
    description: &'static str,
}

/// One value that was counted, and the trace that it came from.
#[derive(Clone, Copy, Debug)]
struct Exemplar {
    value: f64,
    time: u64,
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The trace of the invocation.
    pub(crate) trace: TraceContext,
    /// The span of the invocation.
    pub(crate) span_id: [u8; 8],
    /// When it happened, in nanoseconds since 1970.
    pub(crate) time: u64,
}

impl Temporality {
    /// That of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "delta" => Some(Self::Delta),
            "cumulative" => Some(Self::Cumulative),
            _ => None,
        }
    }
}

impl Metrics {
    /// Metrics that begin now, in nanoseconds since 1970.
    pub(crate) fn new(temporality: Temporality, now: u64) -> Self {
        let count = |name, unit, description| Count {
            described: Described { name, unit, description },
            total: 0,
            is_changed: false,
        };
        let distribution = |name, unit, description, bounds: &'static [f64]| Distribution {
            described: Described { name, unit, description },
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
            exemplar: None,
            is_changed: false,
        };
        Self {
            temporality,
            start: now,
            latest: 0,
            coldstarts: count("faas.coldstarts", "{coldstart}", "Number of invocation cold starts"),
            errors: count("faas.errors", "{error}", "Number of invocation errors"),
            timeouts: count("faas.timeouts", "{timeout}", "Number of invocation timeouts"),
            init_duration: distribution(
                "faas.init_duration",
                "s",
                "Measures the duration of the function's initialization, such as a cold start",
                SECONDS,
            ),
            mem_usage: distribution(
                "faas.mem_usage",
                "By",
                "Distribution of max memory usage per invocation",
                BYTES,
            ),
            invocations: count(
                "faas.invocations",
                "{invocation}",
                "Number of successful invocations",
            ),
            invoke_duration: distribution(
                "faas.invoke_duration",
                "s",
                "Measures the duration of the function's logic execution",
                SECONDS,
            ),
        }
    }

    /// Begins anew: what was counted belongs to another instance.
    pub(crate) fn restart(&mut self, now: u64) {
        *self = Self::new(self.temporality, now);
    }

    /// Notes when an event happened.
    pub(crate) fn saw(&mut self, time: u64) {
        self.latest = self.latest.max(time);
    }

    /// Counts how something ended.
    pub(crate) fn ended(&mut self, status: Option<&str>, successes_count: bool) {
        match status {
            Some("success") if successes_count => self.invocations.add(),
            Some("failure" | "error") => self.errors.add(),
            Some("timeout") => self.timeouts.add(),
            _ => {}
        }
    }

    /// What has changed since the last export, as an export request; nothing when nothing has.
    pub(crate) fn export(&mut self, resource: &[u8], now: u64) -> Option<Vec<u8>> {
        let time = if self.latest == 0 { now } else { self.latest };
        let (start, temporality) = (self.start.min(time), self.temporality);
        let mut items = Vec::new();
        self.coldstarts.put(&mut items, temporality, start, time);
        self.errors.put(&mut items, temporality, start, time);
        self.timeouts.put(&mut items, temporality, start, time);
        self.init_duration.put(&mut items, temporality, start, time);
        self.mem_usage.put(&mut items, temporality, start, time);
        self.invocations.put(&mut items, temporality, start, time);
        self.invoke_duration.put(&mut items, temporality, start, time);
        if items.is_empty() {
            return None;
        }
        if temporality == Temporality::Delta {
            self.start = time;
        }
        Some(otlp::request(resource, &items, Some(SCHEMA_URL)))
    }
}

impl Count {
    /// Counts one.
    pub(crate) fn add(&mut self) {
        self.total += 1;
        self.is_changed = true;
    }

    fn put(&mut self, out: &mut Vec<u8>, temporality: Temporality, start: u64, time: u64) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        put_metric(out, self.described, 7, |out| {
            wire::put_message(out, 1, |out| {
                wire::put_fixed64(out, 2, start);
                wire::put_fixed64(out, 3, time);
                wire::put_fixed64(out, 6, self.total);
            });
            wire::put_uint(out, 2, temporality as u64);
            wire::put_uint(out, 3, 1);
        });
        if temporality == Temporality::Delta {
            self.total = 0;
        }
    }
}

impl Distribution {
    /// Counts a value.
    pub(crate) fn record(&mut self, value: f64, origin: Option<Origin>) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
        self.is_changed = true;
        // The latest of those whose trace is recorded.
        if let Some(Origin { trace, span_id, time }) = origin
            && trace.is_sampled != Some(false)
        {
            self.exemplar = Some(Exemplar { value, time, trace_id: trace.trace_id, span_id });
        }
    }

    fn put(&mut self, out: &mut Vec<u8>, temporality: Temporality, start: u64, time: u64) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        put_metric(out, self.described, 9, |out| {
            wire::put_message(out, 1, |out| self.put_point(out, start, time));
            wire::put_uint(out, 2, temporality as u64);
        });
        self.exemplar = None;
        if temporality == Temporality::Delta {
            self.counts.fill(0);
            self.sum = 0.0;
        }
    }

    fn put_point(&self, out: &mut Vec<u8>, start: u64, time: u64) {
        wire::put_fixed64(out, 2, start);
        wire::put_fixed64(out, 3, time);
        wire::put_fixed64(out, 4, self.counts.iter().sum());
        wire::put_fixed64(out, 5, self.sum.to_bits());
        let counts: Vec<u8> = self.counts.iter().flat_map(|count| count.to_le_bytes()).collect();
        wire::put_len(out, 6, &counts);
        let bounds: Vec<u8> = self.bounds.iter().flat_map(|bound| bound.to_le_bytes()).collect();
        wire::put_len(out, 7, &bounds);
        if let Some(exemplar) = &self.exemplar {
            wire::put_message(out, 8, |out| {
                wire::put_fixed64(out, 2, exemplar.time);
                wire::put_fixed64(out, 3, exemplar.value.to_bits());
                wire::put_len(out, 4, &exemplar.span_id);
                wire::put_len(out, 5, &exemplar.trace_id);
            });
        }
    }
}

/// Appends a metric to a `ScopeMetrics`, with its data as field `data`.
fn put_metric(out: &mut Vec<u8>, described: Described, data: u32, put: impl FnOnce(&mut Vec<u8>)) {
    wire::put_message(out, 2, |out| {
        wire::put_len(out, 1, described.name.as_bytes());
        wire::put_len(out, 2, described.description.as_bytes());
        wire::put_len(out, 3, described.unit.as_bytes());
        wire::put_message(out, data, put);
    });
}
