//! What the tests of metrics share: the backend's messages, read by prost, and a translator at a fixed time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use exporter_helper::EncodedRequest;
use pdata::{Payload, Signal};
use prost::Message;
use serde_json::{Map, Value, json};
use telemetry::names::DropReason;

use super::outbox::{Limits, MetricsRequest, Outbox};
use super::state::State;
use super::translate::{Moment, Translator};
use crate::intake::Endpoint;

/// When the process of the tests began: before the times of some cases, after those of others.
pub(crate) const BEGAN: u64 = 1_750_000_000_000_000_000;
/// The time of the tests.
pub(crate) const NOW: u64 = 1_750_000_100_000_000_000;
/// The fallback host of the reference's recordings.
pub(crate) const FALLBACK_HOST: &str = "parity-host";
/// Limits that nothing in the tests reaches.
pub(crate) const NO_LIMITS: Limits =
    Limits { raw: usize::MAX, compressed: usize::MAX, entries: usize::MAX };

/// `MetricPayload` of `agent_payload.proto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetricPayload {
    #[prost(message, repeated, tag = "1")]
    pub(crate) series: Vec<Series>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Series {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resources: Vec<Resource>,
    #[prost(string, tag = "2")]
    pub(crate) metric: String,
    #[prost(string, repeated, tag = "3")]
    pub(crate) tags: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) points: Vec<Point>,
    #[prost(enumeration = "Type", tag = "5")]
    pub(crate) r#type: i32,
    #[prost(string, tag = "6")]
    pub(crate) unit: String,
    #[prost(string, tag = "7")]
    pub(crate) source_type_name: String,
    #[prost(int64, tag = "8")]
    pub(crate) interval: i64,
    #[prost(message, tag = "9")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Resource {
    #[prost(string, tag = "1")]
    pub(crate) r#type: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Point {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Type {
    Unspecified = 0,
    Count = 1,
    Rate = 2,
    Gauge = 3,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Metadata {
    #[prost(message, tag = "1")]
    pub(crate) origin: Option<Origin>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Origin {
    #[prost(uint32, tag = "3")]
    pub(crate) metric_type: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) origin_product: u32,
    #[prost(uint32, tag = "5")]
    pub(crate) origin_category: u32,
    #[prost(uint32, tag = "6")]
    pub(crate) origin_service: u32,
}

/// `SketchPayload` of `agent_payload.proto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SketchPayload {
    #[prost(message, repeated, tag = "1")]
    pub(crate) sketches: Vec<Sketch>,
    #[prost(message, tag = "2")]
    pub(crate) metadata: Option<CommonMetadata>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct CommonMetadata {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Sketch {
    #[prost(string, tag = "1")]
    pub(crate) metric: String,
    #[prost(string, tag = "2")]
    pub(crate) host: String,
    #[prost(string, repeated, tag = "4")]
    pub(crate) tags: Vec<String>,
    #[prost(message, repeated, tag = "7")]
    pub(crate) dogsketches: Vec<Dogsketch>,
    #[prost(message, tag = "8")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dogsketch {
    #[prost(int64, tag = "1")]
    pub(crate) ts: i64,
    #[prost(int64, tag = "2")]
    pub(crate) cnt: i64,
    #[prost(double, tag = "3")]
    pub(crate) min: f64,
    #[prost(double, tag = "4")]
    pub(crate) max: f64,
    #[prost(double, tag = "5")]
    pub(crate) avg: f64,
    #[prost(double, tag = "6")]
    pub(crate) sum: f64,
    #[prost(sint32, repeated, tag = "7")]
    pub(crate) k: Vec<i32>,
    #[prost(uint32, repeated, tag = "8")]
    pub(crate) n: Vec<u32>,
}

/// A translator, and what it remembers.
pub(crate) struct Rig {
    pub(crate) translator: Translator,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) limits: Option<Limits>,
}

/// What has become of a payload.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) series: Vec<Series>,
    pub(crate) sketches: Vec<Sketch>,
    pub(crate) stats: Vec<Vec<u8>>,
    pub(crate) lost: Vec<(DropReason, usize)>,
    /// Points counted with requests.
    pub(crate) points: usize,
}

impl Rig {
    /// With the default settings and these lines of YAML.
    pub(crate) fn new(more: &str) -> Self {
        Self::remembering(more, usize::MAX)
    }

    /// The same with so much memory for what it remembers.
    pub(crate) fn remembering(more: &str, bytes: usize) -> Self {
        let key = crate::testing::KEY;
        let (config, report) = crate::testing::read(&format!("api: {{key: {key}}}\n{more}"));
        assert_eq!(report, "");
        let state = State::new(config.metrics.delta_ttl, bytes);
        let state = Arc::new(Mutex::new(state));
        let translator = Translator::new(config.metrics, BEGAN, state.clone());
        Self { translator, state, limits: None }
    }

    /// Translates a payload whose requests all arrive.
    pub(crate) fn send(&self, payload: &Payload) -> Sent {
        self.send_at(payload, NOW)
    }

    pub(crate) fn send_at(&self, payload: &Payload, now: u64) -> Sent {
        let (requests, mut sent) = self.encode_at(payload, now);
        for request in &requests {
            request.request.settle();
            sent.read(request);
        }
        assert_eq!(sent.points + sent.lost(), payload.items(), "{sent:?}");
        sent
    }

    /// Translates a payload.
    pub(crate) fn encode(&self, payload: &Payload) -> Vec<EncodedRequest<MetricsRequest>> {
        self.encode_at(payload, NOW).0
    }

    fn encode_at(
        &self,
        payload: &Payload,
        now: u64,
    ) -> (Vec<EncodedRequest<MetricsRequest>>, Sent) {
        let mut outbox = match self.limits {
            Some(limits) => Outbox::with_limits(self.state.clone(), limits),
            None => Outbox::new(self.state.clone()),
        };
        let mut sent = Sent::default();
        let moment = Moment { now, fallback_host: FALLBACK_HOST };
        self.translator.translate(payload, moment, &mut outbox, |_, bytes| {
            sent.stats.push(bytes.to_vec());
        });
        sent.points += sent.stats.len();
        let (requests, lost) = outbox.finish();
        sent.lost = lost;
        (requests, sent)
    }
}

impl Sent {
    /// Takes in what a request says.
    pub(crate) fn read(&mut self, request: &EncodedRequest<MetricsRequest>) {
        self.points += request.items;
        let intake = &request.request.intake;
        assert_eq!(request.bytes, intake.body.len());
        let body = intake.body.decompressed(usize::MAX).unwrap();
        match intake.endpoint {
            Endpoint::Series => self.series.extend(MetricPayload::decode(body).unwrap().series),
            Endpoint::Sketches => {
                let payload = SketchPayload::decode(body).unwrap();
                assert_eq!(payload.metadata, Some(CommonMetadata {}));
                self.sketches.extend(payload.sketches);
            }
            other => panic!("{other:?}"),
        }
    }

    /// The series that are not about the exporter itself.
    pub(crate) fn own(&self) -> Vec<&Series> {
        let is_own = |series: &&Series| !series.metric.starts_with("otel.datadog_exporter.");
        self.series.iter().filter(is_own).collect()
    }

    /// Names and values of the series.
    pub(crate) fn values(&self) -> Vec<(&str, f64)> {
        self.own().iter().map(|series| (&*series.metric, series.points[0].value)).collect()
    }

    /// Points that were not sent.
    pub(crate) fn lost(&self) -> usize {
        self.lost.iter().map(|(_, points)| points).sum()
    }

    /// In the form of the reference's recordings: what is zero is left out, tags are in order, and so are series and sketches.
    pub(crate) fn json(&self) -> Value {
        let mut series: Vec<Value> = self.own().into_iter().map(series_json).collect();
        let mut sketches: Vec<Value> = self.sketches.iter().map(sketch_json).collect();
        for list in [&mut series, &mut sketches] {
            list.sort_by_cached_key(|value| {
                let ts = value.pointer("/points/0/timestamp").cloned();
                (
                    value["metric"].to_string(),
                    value["tags"].to_string(),
                    value["resources"].to_string(),
                    ts.map(|ts| ts.to_string()),
                )
            });
        }
        json!({"series": series, "sketches": sketches})
    }
}

fn series_json(series: &Series) -> Value {
    let mut tags = series.tags.clone();
    tags.sort();
    let points = series.points.iter().map(|point| {
        with(&[("timestamp", point.timestamp.into()), ("value", number(point.value))])
    });
    let resources = series.resources.iter().map(|resource| {
        with(&[("name", (*resource.name).into()), ("type", (*resource.r#type).into())])
    });
    with(&[
        ("interval", series.interval.into()),
        ("metadata", metadata(series.metadata)),
        ("metric", (*series.metric).into()),
        ("points", points.collect()),
        ("resources", resources.collect()),
        ("source_type_name", (*series.source_type_name).into()),
        ("tags", tags.into()),
        ("type", format!("{:?}", series.r#type()).to_uppercase().into()),
        ("unit", (*series.unit).into()),
    ])
}

fn sketch_json(sketch: &Sketch) -> Value {
    let mut tags = sketch.tags.clone();
    tags.sort();
    let dogsketches = sketch.dogsketches.iter().map(|sketch| {
        with(&[
            ("avg", number(sketch.avg)),
            ("cnt", sketch.cnt.into()),
            ("k", sketch.k.clone().into()),
            ("max", number(sketch.max)),
            ("min", number(sketch.min)),
            ("n", sketch.n.clone().into()),
            ("sum", number(sketch.sum)),
            ("ts", sketch.ts.into()),
        ])
    });
    with(&[
        ("dogsketches", dogsketches.collect()),
        ("host", (*sketch.host).into()),
        ("metadata", metadata(sketch.metadata)),
        ("metric", (*sketch.metric).into()),
        ("tags", tags.into()),
    ])
}

fn metadata(metadata: Option<Metadata>) -> Value {
    let origin = metadata.unwrap().origin.unwrap();
    assert_eq!((origin.metric_type, origin.origin_category), (0, 0));
    let origin = with(&[
        ("origin_product", origin.origin_product.into()),
        ("origin_service", origin.origin_service.into()),
    ]);
    json!({"origin": origin})
}

/// Whole numbers as such, which is how the reference's recordings have them.
fn number(value: f64) -> Value {
    match value == value.trunc() && value.abs() < 1e15 {
        true => (value as i64).into(),
        false => value.into(),
    }
}

/// An object of what is not zero.
fn with(fields: &[(&str, Value)]) -> Value {
    let is_zero = |value: &Value| *value == json!("") || *value == json!(0) || *value == json!([]);
    let fields = fields.iter().filter(|(_, value)| !is_zero(value));
    Value::Object(
        fields.map(|(key, value)| ((*key).to_owned(), value.clone())).collect::<Map<_, _>>(),
    )
}

/// A payload of OTLP/JSON.
pub(crate) fn payload(json: &Value) -> Payload {
    let text = serde_json::to_vec(json).unwrap();
    Payload::from_json(Signal::Metrics, &text).unwrap().payload
}

/// A payload of these metrics of a resource without attributes.
pub(crate) fn metrics(metrics: Value) -> Payload {
    payload(&json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}))
}

/// Nanoseconds, as JSON has them.
pub(crate) fn nanos(seconds: u64) -> Value {
    Duration::from_secs(seconds).as_nanos().to_string().into()
}
