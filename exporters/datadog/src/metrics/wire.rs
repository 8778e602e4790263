//! The messages of `agent_payload.proto` in DataDog/agent-payload: `MetricPayload` and `SketchPayload`.

use pdata::wire::{put_len, put_message, put_uint};

use super::sketch::{Sketch, put_double, put_int};
use super::tags::TagList;

/// `origin_product`: Datadog's exporter. It names no category.
const PRODUCT: u64 = 19;

/// What Datadog's own clients end a `SketchPayload` with: metadata without a field.
pub(crate) const SKETCHES_END: &[u8] = &[0x12, 0x00];

/// What all points of a metric have in common on the wire, and one point's tags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// The metric's name.
    pub(crate) name: &'a [u8],
    /// What stands behind the name: `.count` and the like.
    pub(crate) suffix: &'a str,
    /// The host; empty where there is none.
    pub(crate) host: &'a str,
    /// The unit, in Datadog's words; empty where there is none.
    pub(crate) unit: &'a str,
    /// Tags, list by list.
    pub(crate) tags: &'a [&'a TagList],
    /// `origin_service`: the receiver that made the metric.
    pub(crate) service: u32,
}

/// A series' type, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// What was added.
    Count = 1,
    /// What was added in a second.
    Rate = 2,
    /// A value.
    Gauge = 3,
}

/// The one point of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The series' type.
    pub(crate) kind: Type,
    /// Its time, in seconds since 1970.
    pub(crate) seconds: i64,
    /// The seconds that it covers; 0 when that is not known.
    pub(crate) interval: i64,
    /// Its value.
    pub(crate) value: f64,
}

/// Appends a `MetricSeries` to a `MetricPayload`.
pub(crate) fn put_series(out: &mut Vec<u8>, head: &Head<'_>, sample: Sample) {
    put_message(out, 1, |out| {
        put_message(out, 1, |resource| {
            put_len(resource, 1, b"host");
            put_text(resource, 2, head.host);
        });
        put_name(out, 2, head);
        for tag in head.tags.iter().flat_map(|tags| tags.iter()) {
            match resource_of(tag) {
                Some((kind, name)) => put_message(out, 1, |resource| {
                    put_len(resource, 1, kind);
                    put_len(resource, 2, name);
                }),
                None => put_len(out, 3, tag),
            }
        }
        put_message(out, 4, |point| {
            put_double(point, 1, sample.value);
            put_int(point, 2, sample.seconds);
        });
        put_uint(out, 5, sample.kind as u64);
        put_text(out, 6, head.unit);
        put_int(out, 8, sample.interval);
        put_origin(out, 9, head.service);
    });
}

/// Type and name of the resource that a tag of a series stands for, if it does: `PopulateDeviceField` and `PopulateResources` of DataDog/datadog-agent
/// `pkg/metrics/series.go`.
fn resource_of(tag: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(device) = tag.strip_prefix(b"device:") {
        return Some((b"device", device));
    }
    let resource = tag.strip_prefix(b"dd.internal.resource:")?;
    let colon = resource.iter().position(|byte| *byte == b':')?;
    let (kind, name) = resource.split_at_checked(colon)?;
    let name = name.get(1..)?;
    (!kind.is_empty() && !name.is_empty()).then_some((kind, name))
}

/// Appends a `Sketch` to a `SketchPayload`.
pub(crate) fn put_sketch(out: &mut Vec<u8>, head: &Head<'_>, seconds: i64, sketch: &Sketch) {
    put_message(out, 1, |out| {
        put_name(out, 1, head);
        put_text(out, 2, head.host);
        head.tags.iter().flat_map(|tags| tags.iter()).for_each(|tag| put_len(out, 4, tag));
        put_message(out, 7, |point| sketch.put(point, seconds));
        put_origin(out, 8, head.service);
    });
}

fn put_name(out: &mut Vec<u8>, number: u32, head: &Head<'_>) {
    put_message(out, number, |name| {
        name.extend_from_slice(head.name);
        name.extend_from_slice(head.suffix.as_bytes());
    });
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_len(out, number, text.as_bytes());
    }
}

fn put_origin(out: &mut Vec<u8>, number: u32, service: u32) {
    put_message(out, number, |metadata| {
        put_message(metadata, 1, |origin| {
            put_uint(origin, 4, PRODUCT);
            put_int(origin, 6, service.into());
        });
    });
}
