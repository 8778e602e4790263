//! The endpoint of APM stats.

use std::collections::HashSet;

use libdd_ddsketch::pb::{DdSketch, Store, index_mapping::Interpolation};
pub use libdd_trace_protobuf::pb::{
    ClientGroupedStats, ClientStatsBucket, ClientStatsPayload, StatsPayload,
};
use prost::Message as _;
use rmpv::Value;

use super::call::{Content, Endpoint};
use super::limit::Limit;
use super::names;
use super::shape::{Field, Shape};

/// `maxEntriesPerPayload` of the Agent's stats writer, and what its comment says of the intake: about 3 MB compressed.
pub const LIMIT: Limit = Limit { items: 4000, wire_bytes: 3_000_000, ..Limit::NONE };

/// A counted entry with the bucket and client that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Whose spans were counted.
    pub client: &'a ClientStatsPayload,
    /// When they ended.
    pub bucket: &'a ClientStatsBucket,
    /// What was counted.
    pub group: &'a ClientGroupedStats,
}

/// A sketch of durations, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    /// The bins that are not empty, in ascending order.
    pub bins: Vec<Bin>,
}

/// One bin of a sketch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The least value that belongs to it, in nanoseconds.
    pub from: f64,
    /// The least value that does not belong to it any more.
    pub to: f64,
    /// How many values it holds.
    pub count: f64,
}

impl Content for StatsPayload {
    const PATH: &'static str = "/api/v0.2/stats";
    const ENDPOINT: Endpoint = Endpoint {
        method: "POST",
        content_types: &["application/msgpack"],
        encodings: &["gzip"],
        limit: LIMIT,
    };

    fn parse(_: &str, plain: &[u8]) -> Result<Self, String> {
        let mut rest = plain;
        let value =
            rmpv::decode::read_value(&mut rest).map_err(|error| format!("MessagePack: {error}"))?;
        if !rest.is_empty() {
            return Err(format!("{} bytes after the payload", rest.len()));
        }
        check_map(&value, PAYLOAD_KEYS)?;
        let payload: Self = rmp_serde::from_slice(plain)
            .map_err(|error| format!("MessagePack of a StatsPayload: {error}"))?;
        check(&payload)?;
        Ok(payload)
    }

    fn items(&self) -> usize {
        entries(self).count()
    }
}

/// The entries of a payload, in order.
pub fn entries(payload: &StatsPayload) -> impl Iterator<Item = Entry<'_>> {
    payload.stats.iter().flat_map(|client| {
        client.stats.iter().flat_map(move |bucket| {
            bucket.stats.iter().map(move |group| Entry { client, bucket, group })
        })
    })
}

impl Durations {
    /// Decodes a summary.
    ///
    /// # Errors
    ///
    /// When it is no sketch that Datadog can merge.
    pub fn decode(summary: &[u8]) -> Result<Self, String> {
        SKETCH.check(summary)?;
        let sketch = DdSketch::decode(summary)
            .map_err(|error| format!("protobuf of a DDSketch: {error}"))?;
        let mapping = sketch.mapping.ok_or("a sketch without a mapping")?;
        let is_growing = mapping.gamma > 1.0 && mapping.gamma < 2.0;
        if !is_growing || !mapping.index_offset.is_finite() {
            return Err(format!("the mapping {mapping:?}"));
        }
        if mapping.interpolation != i32::from(Interpolation::None) {
            return Err(format!("the interpolation {}", mapping.interpolation));
        }
        if sketch.negative_values.as_ref().is_some_and(|store| counts(store).next().is_some()) {
            return Err("a sketch of negative durations".to_owned());
        }
        let mut bins = Vec::new();
        if sketch.zero_count != 0.0 {
            bins.push(Bin { from: 0.0, to: f64::MIN_POSITIVE, count: sketch.zero_count });
        }
        let mut positive: Vec<_> = sketch.positive_values.iter().flat_map(counts).collect();
        positive.sort_unstable_by_key(|(index, _)| *index);
        let edge = |index: i32| mapping.gamma.powf(f64::from(index) - mapping.index_offset);
        bins.extend(positive.iter().map(|(index, count)| Bin {
            from: edge(*index),
            to: edge(index + 1),
            count: *count,
        }));
        if let Some(bin) = bins.iter().find(|bin| !(bin.count > 0.0 && bin.count.is_finite())) {
            return Err(format!("a count of {}", bin.count));
        }
        Ok(Self { bins })
    }

    /// How many durations it holds.
    pub fn count(&self) -> f64 {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// Whether it may hold this duration, of which the lower 43 bits of the mantissa are dropped before it is put in.
    pub fn may_hold(&self, nanos: u64) -> bool {
        let value = f64::from_bits((nanos as f64).to_bits() & 0xffff_f800_0000_0000);
        self.bins.iter().any(|bin| bin.from <= value && value < bin.to)
    }
}

/// A store's bins that are not empty. One bin may stand in both forms.
fn counts(store: &Store) -> impl Iterator<Item = (i32, f64)> {
    let contiguous = store.contiguous_bin_index_offset..;
    let contiguous = contiguous.zip(store.contiguous_bin_counts.iter().copied());
    let sparse = store.bin_counts.iter().map(|(index, count)| (*index, *count));
    contiguous.chain(sparse).filter(|(_, count)| *count != 0.0)
}

fn check(payload: &StatsPayload) -> Result<(), String> {
    if payload.agent_version.is_empty() {
        return Err("no version of the sender".to_owned());
    }
    if payload.stats.is_empty() {
        return Err("a payload without stats".to_owned());
    }
    for client in &payload.stats {
        if client.env.is_empty() || !names::is_tag_value(&client.env) {
            return Err(format!("the environment {:?}", client.env));
        }
        if let Some(tag) = client.tags.iter().find(|tag| !names::is_tag(tag)) {
            return Err(format!("the tag {tag:?}"));
        }
        if client.stats.is_empty() {
            return Err("a client without buckets".to_owned());
        }
        let mut starts = HashSet::new();
        for bucket in &client.stats {
            check_bucket(bucket)?;
            if !starts.insert((bucket.start, bucket.duration)) {
                return Err(format!("the bucket {} twice for a client", bucket.start));
            }
        }
    }
    Ok(())
}

fn check_bucket(bucket: &ClientStatsBucket) -> Result<(), String> {
    let ClientStatsBucket { start, duration, .. } = *bucket;
    if duration == 0 || start % duration != 0 {
        return Err(format!("a bucket of {duration} ns that starts at {start}"));
    }
    if bucket.stats.is_empty() {
        return Err("a bucket without entries".to_owned());
    }
    let mut keys = HashSet::new();
    for group in &bucket.stats {
        check_group(group).map_err(|rule| format!("{rule} in {group:?}"))?;
        let mut key = group.clone();
        (key.hits, key.errors, key.duration, key.top_level_hits) = (0, 0, 0, 0);
        key.ok_summary.clear();
        key.error_summary.clear();
        if !keys.insert(key) {
            return Err(format!("two entries of a bucket that are one: {group:?}"));
        }
    }
    Ok(())
}

fn check_group(group: &ClientGroupedStats) -> Result<(), String> {
    if !names::is_service(&group.service) || !names::is_operation(&group.name) {
        return Err(format!("service {:?} and name {:?}", group.service, group.name));
    }
    if group.resource.len() > 5000 || group.r#type.len() > 100 {
        return Err("a resource or type longer than a span's".to_owned());
    }
    if group.http_status_code != 0 && !(100..=599).contains(&group.http_status_code) {
        return Err(format!("HTTP status {}", group.http_status_code));
    }
    let kinds = ["", "unspecified", "internal", "server", "client", "producer", "consumer"];
    if !kinds.contains(&group.span_kind.as_str()) || !(0..=2).contains(&group.is_trace_root) {
        return Err(format!("kind {:?}, root {}", group.span_kind, group.is_trace_root));
    }
    if let Some(tag) = group.peer_tags.iter().find(|tag| !tag.contains(':')) {
        return Err(format!("the peer tag {tag:?}"));
    }
    let ClientGroupedStats { hits, errors, top_level_hits, .. } = *group;
    if hits == 0 || errors > hits || top_level_hits > hits {
        return Err(format!("{hits} hits, {errors} errors, {top_level_hits} at the top"));
    }
    let ok = Durations::decode(&group.ok_summary)?.count();
    let failed = Durations::decode(&group.error_summary)?.count();
    // Weighted hits are rounded to whole numbers, sketches are not.
    if (ok - (hits - errors) as f64).abs() >= 1.0 || (failed - errors as f64).abs() >= 1.0 {
        return Err(format!("sketches of {ok} and {failed} durations for {hits} hits"));
    }
    Ok(())
}

/// The keys of a map.
type Keys = &'static [(&'static str, Kind)];

/// What a decoder in Go insists on, and one in Rust does not: maps for structs, and bytes that are not lists of numbers.
#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Bytes,
    Maps(Keys),
}

fn check_map(value: &Value, keys: Keys) -> Result<(), String> {
    let Some(members) = value.as_map() else { return Err("a struct that is no map".to_owned()) };
    let mut seen = HashSet::new();
    for (key, value) in members {
        let known = keys.iter().find(|(known, _)| key.as_str() == Some(*known));
        let Some((name, kind)) = known else { return Err(format!("an unknown key {key}")) };
        if !seen.insert(name) {
            return Err(format!("the key {name} twice"));
        }
        match kind {
            Kind::Plain => {}
            Kind::Bytes if matches!(value, Value::Binary(_)) => {}
            Kind::Bytes => return Err(format!("{name} that is no bytes")),
            Kind::Maps(keys) => {
                let list = value.as_array().ok_or_else(|| format!("{name} that is no list"))?;
                list.iter().try_for_each(|value| check_map(value, keys))?;
            }
        }
    }
    Ok(())
}

// The keys by `stats.proto` of DataDog/libdatadog, where each struct's are its fields' names.

const PAYLOAD_KEYS: Keys = &[
    ("AgentHostname", Kind::Plain),
    ("AgentEnv", Kind::Plain),
    ("Stats", Kind::Maps(CLIENT_KEYS)),
    ("AgentVersion", Kind::Plain),
    ("ClientComputed", Kind::Plain),
    ("SplitPayload", Kind::Plain),
];

const CLIENT_KEYS: Keys = &[
    ("Hostname", Kind::Plain),
    ("Env", Kind::Plain),
    ("Version", Kind::Plain),
    ("Stats", Kind::Maps(BUCKET_KEYS)),
    ("Lang", Kind::Plain),
    ("TracerVersion", Kind::Plain),
    ("RuntimeID", Kind::Plain),
    ("Sequence", Kind::Plain),
    ("AgentAggregation", Kind::Plain),
    ("Service", Kind::Plain),
    ("ContainerID", Kind::Plain),
    ("Tags", Kind::Plain),
    ("GitCommitSha", Kind::Plain),
    ("ImageTag", Kind::Plain),
    ("ProcessTagsHash", Kind::Plain),
    ("ProcessTags", Kind::Plain),
];

const BUCKET_KEYS: Keys = &[
    ("Start", Kind::Plain),
    ("Duration", Kind::Plain),
    ("Stats", Kind::Maps(GROUP_KEYS)),
    ("AgentTimeShift", Kind::Plain),
];

const GROUP_KEYS: Keys = &[
    ("Service", Kind::Plain),
    ("Name", Kind::Plain),
    ("Resource", Kind::Plain),
    ("HTTPStatusCode", Kind::Plain),
    ("Type", Kind::Plain),
    ("DBType", Kind::Plain),
    ("Hits", Kind::Plain),
    ("Errors", Kind::Plain),
    ("Duration", Kind::Plain),
    ("OkSummary", Kind::Bytes),
    ("ErrorSummary", Kind::Bytes),
    ("Synthetics", Kind::Plain),
    ("TopLevelHits", Kind::Plain),
    ("SpanKind", Kind::Plain),
    ("PeerTags", Kind::Plain),
    ("IsTraceRoot", Kind::Plain),
    ("GRPCStatusCode", Kind::Plain),
    ("HTTPMethod", Kind::Plain),
    ("HTTPEndpoint", Kind::Plain),
    ("srv_src", Kind::Plain),
    ("SpanDerivedPrimaryTags", Kind::Plain),
    ("AdditionalMetricTags", Kind::Plain),
];

// The fields by DataDog/sketches-go `ddsketch/pb/ddsketch.proto`.

static SKETCH: Shape = Shape(&[
    (1, Field::Message(&Shape(&[(1, Field::One), (2, Field::One), (3, Field::One)]))),
    (2, Field::Message(&STORE)),
    (3, Field::Message(&STORE)),
    (4, Field::One),
]);

static STORE: Shape = Shape(&[(1, Field::Entry), (2, Field::Many), (3, Field::One)]);
