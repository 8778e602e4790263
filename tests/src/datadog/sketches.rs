//! The endpoint of distributions.

use prost::Message;

use super::call::{Content, Endpoint};
use super::limit::Limit;
use super::series::{METADATA, Metadata, SECONDS, check_name_and_tags};
use super::shape::{Field, Shape};

/// What the Agent's serializer keeps to: 2.5 MiB as sent, 4 MiB after decompression.
pub const LIMIT: Limit = Limit { wire_bytes: 5 << 19, plain_bytes: 4 << 20, ..Limit::NONE };

/// The most that one bin counts; more of a kind go into further bins with the same key.
const BIN_COUNT_MAX: u32 = 65_535;
/// The keys of Datadog's scheme, of which negative values have the negative ones.
const KEY_MAX: i32 = 32_767;
/// Different keys in one sketch.
const BINS_MAX: usize = 4096;

/// `SketchPayload` of DataDog/agent-payload `proto/metrics/agent_payload.proto`.
#[derive(Clone, PartialEq, Message)]
pub struct SketchPayload {
    /// The sketches.
    #[prost(message, repeated, tag = "1")]
    pub sketches: Vec<Sketch>,
}

/// A distribution with one set of tags.
#[derive(Clone, PartialEq, Message)]
pub struct Sketch {
    /// The name.
    #[prost(string, tag = "1")]
    pub metric: String,
    /// The host, or empty.
    #[prost(string, tag = "2")]
    pub host: String,
    /// The tags.
    #[prost(string, repeated, tag = "4")]
    pub tags: Vec<String>,
    /// The sketches, one a moment.
    #[prost(message, repeated, tag = "7")]
    pub dogsketches: Vec<Dogsketch>,
    /// Where it came from.
    #[prost(message, optional, tag = "8")]
    pub metadata: Option<Metadata>,
}

/// A distribution of one moment.
#[derive(Clone, PartialEq, Message)]
pub struct Dogsketch {
    /// Seconds since 1970.
    #[prost(int64, tag = "1")]
    pub ts: i64,
    /// How many values there are.
    #[prost(int64, tag = "2")]
    pub cnt: i64,
    /// The least value.
    #[prost(double, tag = "3")]
    pub min: f64,
    /// The greatest value.
    #[prost(double, tag = "4")]
    pub max: f64,
    /// The mean.
    #[prost(double, tag = "5")]
    pub avg: f64,
    /// The sum.
    #[prost(double, tag = "6")]
    pub sum: f64,
    /// The bins' keys.
    #[prost(sint32, repeated, tag = "7")]
    pub k: Vec<i32>,
    /// The bins' counts.
    #[prost(uint32, repeated, tag = "8")]
    pub n: Vec<u32>,
}

impl Content for SketchPayload {
    const PATH: &'static str = "/api/beta/sketches";
    const ENDPOINT: Endpoint = Endpoint {
        method: "POST",
        content_types: &["application/x-protobuf"],
        encodings: &["deflate", "gzip", "zstd"],
        limit: LIMIT,
    };

    fn parse(_: &str, plain: &[u8]) -> Result<Self, String> {
        PAYLOAD.check(plain)?;
        let payload: Self =
            Message::decode(plain).map_err(|error| format!("protobuf of sketches: {error}"))?;
        if payload.sketches.is_empty() {
            return Err("a payload without sketches".to_owned());
        }
        for sketch in &payload.sketches {
            check(sketch).map_err(|rule| format!("{rule} in {sketch:?}"))?;
        }
        Ok(payload)
    }

    fn items(&self) -> usize {
        self.sketches.iter().map(|sketch| sketch.dogsketches.len()).sum()
    }
}

fn check(sketch: &Sketch) -> Result<(), String> {
    check_name_and_tags(&sketch.metric, &sketch.tags)?;
    if sketch.dogsketches.is_empty() {
        return Err("no sketches of any moment".to_owned());
    }
    sketch.dogsketches.iter().try_for_each(check_moment)
}

fn check_moment(moment: &Dogsketch) -> Result<(), String> {
    let Dogsketch { ts, cnt, min, max, avg, sum, ref k, ref n } = *moment;
    if !SECONDS.contains(&ts) {
        return Err(format!("the time {ts}"));
    }
    if k.is_empty() || k.len() != n.len() {
        return Err(format!("{} keys and {} counts", k.len(), n.len()));
    }
    if n.iter().any(|count| !(1..=BIN_COUNT_MAX).contains(count)) {
        return Err("a bin that is empty or over full".to_owned());
    }
    if let Some(pair) = k.iter().zip(k.iter().skip(1)).find(|(key, next)| key > next) {
        return Err(format!("the key {} after {}", pair.1, pair.0));
    }
    let mut different = 0;
    let bins: Vec<(i32, u32)> = k.iter().copied().zip(n.iter().copied()).collect();
    for bins in bins.chunk_by(|one, next| one.0 == next.0) {
        // The Agent's own sketches have the one that is not full first.
        if bins.iter().filter(|(_, count)| *count != BIN_COUNT_MAX).count() > 1 {
            return Err(format!("several bins of a key that are not full: {bins:?}"));
        }
        different += 1;
    }
    if different > BINS_MAX || k.iter().any(|key| !(-KEY_MAX..=KEY_MAX).contains(key)) {
        return Err("too many keys, or one that the scheme does not have".to_owned());
    }
    if n.iter().map(|count| i64::from(*count)).sum::<i64>() != cnt {
        return Err(format!("counts that do not add up to {cnt}"));
    }
    // The greatest value of a bin is one in its middle, which may be less than a bound that lies in it.
    let is_least = min <= max + max.abs() / 64.0;
    if [min, max, avg, sum].iter().any(|value| !value.is_finite()) || !is_least {
        return Err(format!("least {min}, greatest {max}, mean {avg}, sum {sum}"));
    }
    if (avg * cnt as f64 - sum).abs() > sum.abs() * 1e-9 {
        return Err(format!("the mean {avg} of {cnt} values that add up to {sum}"));
    }
    Ok(())
}

/// The fields 3 of a sketch and 2 of the payload are other senders'; the latter the exporter has to leave empty.
static PAYLOAD: Shape = Shape(&[(1, Field::Messages(&SKETCH)), (2, Field::Message(&Shape(&[])))]);

static SKETCH: Shape = Shape(&[
    (1, Field::One),
    (2, Field::One),
    (4, Field::Many),
    (7, Field::Messages(&MOMENT)),
    (8, Field::Message(&METADATA)),
]);

static MOMENT: Shape = Shape(&[
    (1, Field::One),
    (2, Field::One),
    (3, Field::One),
    (4, Field::One),
    (5, Field::One),
    (6, Field::One),
    (7, Field::Many),
    (8, Field::Many),
]);
