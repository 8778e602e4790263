//! The concentrator: spans in, statistics by ten seconds and group out.
//!
//! A span belongs to the bucket in which it ended. Buckets are flushed when they are older than two intervals; what comes later than
//! that is counted in the oldest bucket that is left, and what ends in the future in the present one. The rules are those of
//! DataDog/datadog-agent `pkg/trace/stats` 0.85; the caps are libdatadog's.

use std::time::Duration;

use std::hash::RandomState;

use super::bucket::{Bucket, Collapsed, Limits, Shared};
use super::flushed::Flushed;
use super::input::{PayloadKey, StatSpan};
use super::payloads::Payloads;
use super::sketch::Bins;

/// Buckets that are kept back at a flush, for what comes late.
const KEPT_BACK: u64 = 2;
/// Buckets at most, should nobody flush.
const BUCKETS_MAX: usize = 16;

/// How statistics are computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcentratorSettings {
    /// Length of a bucket. Zero counts as ten seconds.
    pub bucket_interval: Duration,
    /// Whether the kinds server, client, producer and consumer are enough for a span to be counted.
    pub by_span_kind: bool,
    /// The environment of spans that name none.
    pub default_env: String,
    /// Caps.
    pub limits: Limits,
}

impl Default for ConcentratorSettings {
    fn default() -> Self {
        Self {
            bucket_interval: Duration::from_secs(10),
            by_span_kind: true,
            default_env: "none".to_owned(),
            limits: Limits::default(),
        }
    }
}

/// Computes statistics of spans.
pub struct Concentrator {
    by_span_kind: bool,
    default_env: String,
    interval: u64,
    /// Start of the oldest bucket that takes spans.
    oldest: u64,
    buckets: Vec<Bucket>,
    payloads: Payloads,
    shared: Shared,
    future: u64,
    rng: fastrand::Rng,
}

/// Takes the spans of one deployment.
pub struct PayloadStats<'c> {
    concentrator: &'c mut Concentrator,
    payload: u32,
    /// Whether the deployment has a number of its own.
    has_room: bool,
    now: u64,
}

impl Concentrator {
    /// A concentrator that begins now, in nanoseconds since 1970. The seed decides how fractions are rounded.
    pub fn new(settings: ConcentratorSettings, now: u64, seed: u64) -> Self {
        let interval = u64::try_from(settings.bucket_interval.as_nanos()).unwrap_or(u64::MAX);
        let interval = if interval == 0 { 10_000_000_000 } else { interval };
        Self {
            by_span_kind: settings.by_span_kind,
            default_env: settings.default_env,
            interval,
            oldest: align(now, interval),
            buckets: Vec::new(),
            payloads: Payloads::default(),
            shared: Shared {
                limits: settings.limits,
                bins: Bins::new(),
                hash: RandomState::default(),
                collapsed: Collapsed::default(),
                bytes: 0,
                key: Vec::new(),
            },
            future: 0,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// The statistics of one deployment, to add spans to.
    pub fn payload(&mut self, key: &PayloadKey<'_>, now: u64) -> PayloadStats<'_> {
        let env = if key.env.is_empty() { &self.default_env } else { key.env };
        let (payload, has_room) = self.payloads.number(&PayloadKey { env, ..*key });
        PayloadStats { concentrator: self, payload, has_room, now }
    }

    /// Takes out the buckets that are old enough, or all.
    pub fn flush(&mut self, now: u64, all: bool) -> Flushed {
        let newest = now.saturating_sub(KEPT_BACK.saturating_mul(self.interval));
        // A bucket in the future is left from before the clock was set back.
        let due = |bucket: &mut Bucket| all || bucket.start <= newest || bucket.start > now;
        let mut buckets: Vec<Bucket> = self.buckets.extract_if(.., due).collect();
        buckets.sort_by_key(|bucket| bucket.start);
        let bytes: usize = buckets.iter().map(Bucket::bytes).sum();
        self.shared.bytes = self.shared.bytes.saturating_sub(bytes);
        let payloads =
            if buckets.is_empty() { Vec::new() } else { self.payloads.entries().to_vec() };
        self.payloads.keep_those_of(&self.buckets);
        let kept_back = (KEPT_BACK - 1).saturating_mul(self.interval);
        let oldest = align(now, self.interval).saturating_sub(kept_back);
        self.oldest = if self.oldest > now { oldest } else { self.oldest.max(oldest) };
        Flushed::new(buckets, payloads, self.interval, self.rng.fork())
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.shared.bytes
    }

    /// Spans that caps kept out of groups of their own since the last call.
    pub fn take_collapsed(&mut self) -> Collapsed {
        std::mem::take(&mut self.shared.collapsed)
    }

    /// Spans that ended in the future, since the last call.
    pub fn take_future(&mut self) -> u64 {
        std::mem::take(&mut self.future)
    }

    fn is_counted(&self, span: &StatSpan<'_>) -> bool {
        let eligible =
            span.top_level || span.measured || (self.by_span_kind && has_counted_kind(span.kind));
        eligible && !span.partial
    }

    /// The bucket that a span is counted in.
    fn bucket(&mut self, span: &StatSpan<'_>, now: u64) -> Option<usize> {
        let end = span.start.saturating_add(span.duration);
        let mut start = align(end, self.interval).max(self.oldest);
        if start > now {
            self.future += 1;
            start = align(now, self.interval).max(self.oldest);
        }
        if let Some(at) = self.buckets.iter().rposition(|bucket| bucket.start == start) {
            return Some(at);
        }
        if self.buckets.len() < BUCKETS_MAX {
            self.buckets.push(Bucket::new(start, &self.shared.hash));
        }
        // Without room for another bucket the last one takes it: nobody flushes, so time stands still.
        self.buckets.len().checked_sub(1)
    }
}

impl PayloadStats<'_> {
    /// The statistics of another deployment, for a span that is not of this one.
    pub fn with(&mut self, key: &PayloadKey<'_>) -> PayloadStats<'_> {
        self.concentrator.payload(key, self.now)
    }

    /// Counts a span, unless it is of those that have no statistics. Returns whether it was counted.
    #[inline]
    pub fn add(&mut self, span: &StatSpan<'_>) -> bool {
        let concentrator = &mut *self.concentrator;
        if !concentrator.is_counted(span) {
            return false;
        }
        let Some(at) = concentrator.bucket(span, self.now) else { return false };
        let Some(bucket) = concentrator.buckets.get_mut(at) else { return false };
        if !self.has_room {
            concentrator.shared.collapsed.payloads += 1;
        }
        bucket.add(self.payload, span, &mut concentrator.shared);
        true
    }
}

/// Kinds that are counted even inside a service, when the settings say so.
fn has_counted_kind(kind: &str) -> bool {
    matches!(kind, "server" | "client" | "producer" | "consumer")
}

fn align(time: u64, interval: u64) -> u64 {
    time - time % interval
}

#[cfg(test)]
mod tests;
