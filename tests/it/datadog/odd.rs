//! What senders may well send and Datadog does not take as it is. The fake knows the rules: what breaks one fails the test.

use fastrand::Rng;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint, exponential_histogram_data_point,
    number_data_point, summary_data_point,
};
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use tests::datadog::traces;
use tests::metrics::Branch;
use tests::{points, records, spans};

use super::{EXPORTER, LOGS, Line, METRICS, TRACES};

/// Keys that mean something to Datadog, or whose values have rules.
const KEYS: [&str; 24] = [
    "service.name",
    "operation.name",
    "resource.name",
    "span.type",
    "deployment.environment.name",
    "service.version",
    "http.status_code",
    "http.response.status_code",
    "http.request.method",
    "http.route",
    "db.system",
    "db.statement",
    "messaging.system",
    "messaging.operation",
    "rpc.system",
    "rpc.service",
    "peer.service",
    "host.name",
    "container.id",
    "sampling.priority",
    "_dd.measured",
    "message",
    "status",
    "ddtags",
];

/// Characters that some rule is about.
const CHARACTERS: [char; 24] = [
    'a', 'z', 'A', 'Ü', 'ß', 'ſ', 'İ', '飛', '🍣', '0', '9', '_', '_', '.', ':', '/', '-', ',',
    ' ', '\t', '\0', '"', '\u{fffd}', '\u{301}',
];

fn text(random: &mut Rng) -> String {
    let length = match random.u8(..) {
        0..8 => 0,
        8..200 => random.usize(1..12),
        200..250 => random.usize(1..400),
        _ => random.usize(1..40_000),
    };
    let one = random.choice(CHARACTERS).unwrap_or('a');
    // Long texts are of one character, so that they cut at its boundaries.
    let next = |random: &mut Rng| {
        if length < 400 { random.choice(CHARACTERS).unwrap_or('a') } else { one }
    };
    (0..length).map(|_| next(random)).collect()
}

fn value(random: &mut Rng, depth: usize) -> AnyValue {
    let value = match random.u8(..) {
        0..140 => Value::StringValue(text(random)),
        140..160 => Value::IntValue(random.i64(..)),
        160..170 => Value::IntValue(random.i64(-2..700)),
        170..190 => Value::DoubleValue(f64::from_bits(random.u64(..))),
        190..200 => Value::BoolValue(random.bool()),
        200..210 => Value::BytesValue(text(random).into_bytes()),
        210..220 => return AnyValue { value: None },
        _ if depth > 11 => Value::BoolValue(true),
        220..240 => {
            let values = (0..random.usize(0..3)).map(|_| value(random, depth + 1)).collect();
            Value::ArrayValue(ArrayValue { values })
        }
        _ => Value::KvlistValue(KeyValueList { values: attributes(random, 3, depth + 1) }),
    };
    AnyValue { value: Some(value) }
}

fn attributes(random: &mut Rng, most: usize, depth: usize) -> Vec<KeyValue> {
    let one = |random: &mut Rng| {
        let known = random.choice(KEYS).unwrap_or_default().to_owned();
        let key = if random.bool() { known } else { text(random) };
        KeyValue { key, value: Some(value(random, depth)), ..Default::default() }
    };
    (0..random.usize(0..most)).map(|_| one(random)).collect()
}

fn odd_spans(random: &mut Rng, count: usize) -> ExportTraceServiceRequest {
    let mut request = spans::request(count);
    let resource = &mut request.resource_spans[0];
    resource.resource.as_mut().unwrap().attributes = attributes(random, 6, 0);
    let scope = resource.scope_spans[0].scope.as_mut().unwrap();
    (scope.name, scope.attributes) = (text(random), attributes(random, 3, 0));
    for span in &mut resource.scope_spans[0].spans {
        span.kind = random.i32(-1..8);
        span.name = text(random);
        span.trace_state = text(random);
        span.attributes = attributes(random, 8, 0);
        match random.u8(..) {
            0..10 => std::mem::swap(&mut span.start_time_unix_nano, &mut span.end_time_unix_nano),
            10..20 => (span.start_time_unix_nano, span.end_time_unix_nano) = (42, 1_000_042),
            20..30 => span.end_time_unix_nano = u64::MAX,
            30..40 => (span.start_time_unix_nano, span.end_time_unix_nano) = (u64::MAX, u64::MAX),
            40..50 => span.parent_span_id = span.span_id.clone(),
            50..60 => span.trace_id = [[0; 8], [7; 8]].concat(),
            _ => {}
        }
        span.status = Some(Status { message: text(random), code: random.i32(-1..4) });
        span.events = vec![Event {
            time_unix_nano: random.u64(..),
            name: text(random),
            attributes: attributes(random, 3, 0),
            ..Default::default()
        }];
        span.links = vec![Link {
            trace_id: span.trace_id.clone(),
            span_id: span.span_id.clone(),
            trace_state: text(random),
            attributes: attributes(random, 3, 0),
            ..Default::default()
        }];
    }
    request
}

fn odd_records(random: &mut Rng, count: usize) -> ExportLogsServiceRequest {
    let mut request = records::request(count);
    let resource = &mut request.resource_logs[0];
    resource.resource.as_mut().unwrap().attributes = attributes(random, 6, 0);
    for record in &mut resource.scope_logs[0].log_records {
        record.severity_number = random.i32(-1..30);
        record.severity_text = text(random);
        record.event_name = text(random);
        record.body = Some(value(random, 0));
        record.attributes = attributes(random, 8, 0);
        if random.u8(..) < 10 {
            record.time_unix_nano = [0, u64::MAX][random.usize(0..2)];
        }
    }
    request
}

/// Numbers that somebody counts on not meeting.
fn number(random: &mut Rng) -> f64 {
    match random.u8(..) {
        0..100 => random.f64() * 1000.0,
        100..150 => f64::from(random.i32(-3..4)),
        150..200 => f64::from_bits(random.u64(..)),
        200..210 => f64::NAN,
        210..220 => f64::INFINITY,
        220..230 => f64::NEG_INFINITY,
        230..240 => f64::MAX,
        _ => f64::MIN_POSITIVE,
    }
}

fn count(random: &mut Rng) -> u64 {
    match random.u8(..) {
        0..100 => 0,
        100..220 => random.u64(0..100),
        _ => random.u64(0..1_000_000),
    }
}

fn buckets(random: &mut Rng) -> exponential_histogram_data_point::Buckets {
    let bucket_counts = (0..random.usize(0..5)).map(|_| count(random)).collect();
    exponential_histogram_data_point::Buckets { offset: random.i32(-2000..2000), bucket_counts }
}

/// A point of any kind, of one of few series, so that there are differences to take.
fn odd_metric(random: &mut Rng) -> Metric {
    let now = spans::now_nanos();
    let (start_time_unix_nano, time_unix_nano) = (now - random.u64(0..2) * 5_000_000_000, now);
    let aggregation_temporality = random.i32(-1..4);
    let flags = u32::from(random.u8(..) < 10);
    let name = format!("tests.odd.n{}", random.u8(0..8));
    let data = match random.u8(0..5) {
        kind @ (0 | 1) => {
            let value = match random.u8(0..4) {
                0 => None,
                1 => Some(number_data_point::Value::AsInt(random.i64(..))),
                _ => Some(number_data_point::Value::AsDouble(number(random))),
            };
            let point = NumberDataPoint {
                start_time_unix_nano,
                time_unix_nano,
                flags,
                value,
                ..Default::default()
            };
            let (data_points, is_monotonic) = (vec![point], random.bool());
            match kind {
                0 => Data::Gauge(Gauge { data_points }),
                _ => Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic }),
            }
        }
        2 => {
            let bucket_counts: Vec<u64> = (0..random.usize(0..6)).map(|_| count(random)).collect();
            let bounds = bucket_counts.len().saturating_sub(1);
            // Far beyond that there are no bins.
            let bound = |_| number(random).clamp(-1e100, 1e100);
            let mut explicit_bounds: Vec<f64> = (0..bounds).map(bound).collect();
            explicit_bounds.sort_by(f64::total_cmp);
            let data_points = vec![HistogramDataPoint {
                start_time_unix_nano,
                time_unix_nano,
                flags,
                count: bucket_counts.iter().sum(),
                sum: random.bool().then(|| number(random)),
                bucket_counts,
                explicit_bounds,
                ..Default::default()
            }];
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }
        3 => {
            let (zero_count, positive, negative) =
                (count(random), buckets(random), buckets(random));
            let counted = positive.bucket_counts.iter().chain(&negative.bucket_counts);
            let data_points = vec![ExponentialHistogramDataPoint {
                start_time_unix_nano,
                time_unix_nano,
                flags,
                count: zero_count + counted.sum::<u64>(),
                sum: random.bool().then(|| number(random)),
                scale: random.i32(-12..22),
                zero_count,
                positive: Some(positive),
                negative: Some(negative),
                ..Default::default()
            }];
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points,
                aggregation_temporality,
            })
        }
        _ => {
            let quantile = |random: &mut Rng| {
                let (quantile, value) = (number(random), number(random));
                summary_data_point::ValueAtQuantile { quantile, value }
            };
            let data_points = vec![SummaryDataPoint {
                start_time_unix_nano,
                time_unix_nano,
                flags,
                count: count(random),
                sum: number(random),
                quantile_values: (0..random.usize(0..3)).map(|_| quantile(random)).collect(),
                ..Default::default()
            }];
            Data::Summary(Summary { data_points })
        }
    };
    points::metric(&name, data)
}

#[test]
fn odd_points_are_made_to_fit() {
    let modes = [
        "histograms: { mode: distributions, send_aggregation_metrics: true }",
        "histograms: { mode: counters }, sums: { cumulative_monotonic_mode: raw_value }",
    ];
    for mode in modes {
        let line = Line::start_with(|settings| settings.metrics(mode));
        let mut random = Rng::with_seed(0x706f_696e);
        for _ in 0..40 {
            let metrics = (0..50).map(|_| odd_metric(&mut random)).collect();
            line.send(METRICS, &points::with_metrics(metrics));
        }
        let branch = Branch::settled(line.gateway.metrics, EXPORTER, 2000);
        let violations = line.intake.take_violations();
        assert_eq!(branch.refused, 0.0, "{mode}: {branch:?}: {violations:#?}");
        // Points of no temporality, no number or none recorded are a good part of these.
        assert!(branch.delivered > 600.0, "{mode}: {branch:?}");
    }
}

#[test]
fn odd_spans_are_made_to_fit() {
    // Spans that ask to be dropped would be missing.
    let line = Line::start();
    let mut random = Rng::with_seed(0x6f64_6421);
    let mut accepted = 0;
    for _ in 0..30 {
        let request = odd_spans(&mut random, 20);
        line.send(TRACES, &request);
        accepted += 20;
    }
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, accepted);
    assert_eq!(branch.refused, 0.0, "{branch:?}: {:#?}", line.intake.take_violations());
    let intake = line.stop();
    let delivered = intake.traces.delivered();
    assert_eq!(delivered.len() as f64, branch.delivered, "{branch:?}");
    // A priority of the user's is the only reason to leave one out, and rare.
    assert!(branch.dropped < accepted as f64 / 10.0, "{branch:?}");
}

#[test]
fn odd_log_records_are_made_to_fit() {
    let line = Line::start();
    let mut random = Rng::with_seed(0x6c6f_6773);
    let mut ids = Vec::new();
    for _ in 0..15 {
        let request = odd_records(&mut random, 20);
        line.send(LOGS, &request);
        ids.extend(records::ids(&request));
    }
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, ids.len());
    let violations = line.intake.take_violations();
    assert_eq!(branch.delivered, ids.len() as f64, "{branch:?}: {violations:#?}");
    line.intake.logs.assert_delivered_once(&ids);
}

#[test]
fn a_span_without_a_usable_id_is_left_out_and_counted() {
    let line = Line::start_with(|settings| settings.traces("compute_stats: never"));
    let mut request = spans::request(3);
    // Datadog knows the lower half of a trace id only.
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = [[7; 8], [0; 8]].concat();
    line.send(TRACES, &request);
    let branch = Branch::settled(line.gateway.metrics, EXPORTER, 3);
    assert_eq!((branch.delivered, branch.dropped), (2.0, 1.0), "{branch:?}");
    let ids = spans::ids(&request);
    line.intake.traces.assert_delivered_once(&[ids[0], ids[2]]);
    let calls = line.intake.traces.accepted();
    assert_eq!(traces::spans(&calls[0].content).count(), 2);
}
