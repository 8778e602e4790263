//! The endpoint of metric series, version 2.

use prost::Message;
use serde::Deserialize;

use super::call::{Content, Endpoint};
use super::limit::Limit;
use super::names;
use super::shape::{Field, Shape};

/// The API's reference: 512 000 bytes as sent, 5 242 880 after decompression. 10 000 points is what Datadog's own clients keep to.
pub const LIMIT: Limit =
    Limit { wire_bytes: 512_000, plain_bytes: 5_242_880, items: 10_000, item_bytes: usize::MAX };

/// Seconds since 1970 have ten digits until 2286; other units have another number of them.
pub(super) const SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;

/// `MetricPayload` of DataDog/agent-payload `proto/metrics/agent_payload.proto`; its JSON form has the same names.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricPayload {
    /// The series.
    #[prost(message, repeated, tag = "1")]
    pub series: Vec<Series>,
}

/// A metric with one set of tags.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// What it was measured on.
    #[prost(message, repeated, tag = "1")]
    #[serde(default)]
    pub resources: Vec<Resource>,
    /// The name.
    #[prost(string, tag = "2")]
    pub metric: String,
    /// The tags.
    #[prost(string, repeated, tag = "3")]
    #[serde(default)]
    pub tags: Vec<String>,
    /// The values.
    #[prost(message, repeated, tag = "4")]
    pub points: Vec<Point>,
    /// A [`Type`].
    #[prost(enumeration = "Type", tag = "5")]
    #[serde(default)]
    pub r#type: i32,
    /// The unit.
    #[prost(string, tag = "6")]
    #[serde(default)]
    pub unit: String,
    /// Who measured it.
    #[prost(string, tag = "7")]
    #[serde(default)]
    pub source_type_name: String,
    /// Seconds that a count or rate covers.
    #[prost(int64, tag = "8")]
    #[serde(default)]
    pub interval: i64,
    /// Where it came from.
    #[prost(message, optional, tag = "9")]
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// Something that was measured, a host above all.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// `host` for a host.
    #[prost(string, tag = "1")]
    pub r#type: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
}

/// A value.
#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The value.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Seconds since 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// How a metric's values are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum Type {
    /// Nobody said.
    Unspecified = 0,
    /// What was added since the last point.
    Count = 1,
    /// The same, per second.
    Rate = 2,
    /// What it is.
    Gauge = 3,
}

/// Where a metric came from.
#[derive(Clone, Copy, PartialEq, Message, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The product, category and service.
    #[prost(message, optional, tag = "1")]
    pub origin: Option<Origin>,
}

/// Numbers from Datadog's list of origins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// 19 for the Collector's exporter.
    #[prost(uint32, tag = "4")]
    #[serde(default)]
    pub origin_product: u32,
    /// 17 for OTLP.
    #[prost(uint32, tag = "5")]
    #[serde(default)]
    pub origin_category: u32,
    /// 0, or a receiver's.
    #[prost(uint32, tag = "6")]
    #[serde(default)]
    pub origin_service: u32,
}

impl Content for MetricPayload {
    const PATH: &'static str = "/api/v2/series";
    const ENDPOINT: Endpoint = Endpoint {
        method: "POST",
        content_types: &["application/x-protobuf", "application/json"],
        encodings: &["deflate", "gzip", "zstd"],
        limit: LIMIT,
    };
    const SUCCESS: (u16, &'static str) = (202, r#"{"errors":[]}"#);

    fn parse(content_type: &str, plain: &[u8]) -> Result<Self, String> {
        let payload: Self = if content_type == "application/json" {
            serde_json::from_slice(plain).map_err(|error| format!("JSON of series: {error}"))?
        } else {
            PAYLOAD.check(plain)?;
            Message::decode(plain).map_err(|error| format!("protobuf of series: {error}"))?
        };
        if payload.series.is_empty() {
            return Err("a payload without series".to_owned());
        }
        for series in &payload.series {
            check(series).map_err(|rule| format!("{rule} in {series:?}"))?;
        }
        Ok(payload)
    }

    fn items(&self) -> usize {
        self.series.iter().map(|series| series.points.len()).sum()
    }
}

impl Series {
    /// The host, when there is one. One without a name is none.
    pub fn host(&self) -> Option<&str> {
        let host = self.resources.iter().find(|resource| resource.r#type == "host");
        host.map(|resource| resource.name.as_str()).filter(|name| !name.is_empty())
    }
}

fn check(series: &Series) -> Result<(), String> {
    check_name_and_tags(&series.metric, &series.tags)?;
    let hosts = series.resources.iter().filter(|resource| resource.r#type == "host").count();
    if hosts > 1 || series.resources.iter().any(|resource| resource.r#type.is_empty()) {
        return Err("more than one host, or a resource without a type".to_owned());
    }
    if series.points.is_empty() {
        return Err("no points".to_owned());
    }
    if let Some(point) = series.points.iter().find(|point| !point.value.is_finite()) {
        return Err(format!("the value {}", point.value));
    }
    if let Some(point) = series.points.iter().find(|point| !SECONDS.contains(&point.timestamp)) {
        return Err(format!("the time {}", point.timestamp));
    }
    match Type::try_from(series.r#type) {
        Err(_) | Ok(Type::Unspecified) => Err(format!("type {}", series.r#type)),
        Ok(Type::Rate) if series.interval <= 0 => Err("a rate without an interval".to_owned()),
        Ok(_) if series.interval < 0 => Err(format!("interval {}", series.interval)),
        Ok(_) => Ok(()),
    }
}

/// The rules that series and sketches have in common.
pub(super) fn check_name_and_tags(metric: &str, tags: &[String]) -> Result<(), String> {
    if !names::is_metric(metric) {
        return Err(format!("the metric's name {metric:?}"));
    }
    match tags.iter().find(|tag| !names::is_tag(tag)) {
        Some(tag) => Err(format!("the tag {tag:?}")),
        None => Ok(()),
    }
}

static PAYLOAD: Shape = Shape(&[(1, Field::Messages(&SERIES))]);

static SERIES: Shape = Shape(&[
    (1, Field::Messages(&Shape(&[(1, Field::One), (2, Field::One)]))),
    (2, Field::One),
    (3, Field::Many),
    (4, Field::Messages(&Shape(&[(1, Field::One), (2, Field::One)]))),
    (5, Field::One),
    (6, Field::One),
    (7, Field::One),
    (8, Field::One),
    (9, Field::Message(&METADATA)),
]);

pub(super) static METADATA: Shape =
    Shape(&[(1, Field::Message(&Shape(&[(4, Field::One), (5, Field::One), (6, Field::One)])))]);
