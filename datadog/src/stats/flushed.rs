//! Buckets that were taken out of a concentrator, and their form for the intake.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::bucket::{Bucket, Group};
use super::key::{ReadKey, read_payload_key};
use super::payload::{ClientGroupedStats, ClientStatsBucket, ClientStatsPayload};
use super::payloads::Payload;

/// Statistics that a concentrator no longer holds.
pub struct Flushed {
    buckets: Vec<Bucket>,
    payloads: Vec<Payload>,
    interval: u64,
    rng: fastrand::Rng,
}

impl Flushed {
    /// `payloads` are the deployments that the buckets' groups refer to by number.
    pub(crate) fn new(
        buckets: Vec<Bucket>,
        payloads: Vec<Payload>,
        interval: u64,
        rng: fastrand::Rng,
    ) -> Self {
        Self { buckets, payloads, interval, rng }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The statistics by deployment and time. Fractions, which come from weights, are rounded up as often as they are large: on
    /// average nothing is lost.
    pub fn stats(&self) -> Vec<ClientStatsPayload<'_>> {
        let mut rng = self.rng.clone();
        let mut by_payload: BTreeMap<u32, ClientStatsPayload<'_>> = BTreeMap::new();
        for bucket in &self.buckets {
            for (key, group) in bucket.groups() {
                let Some(key) = ReadKey::read(key) else { continue };
                let Some(payload) = self.payloads.get(key.payload as usize) else { continue };
                let client =
                    by_payload.entry(key.payload).or_insert_with(|| client_payload(payload));
                if client.stats.last().is_none_or(|last| last.start != bucket.start) {
                    let (start, duration) = (bucket.start, self.interval);
                    client.stats.push(ClientStatsBucket { start, duration, ..Default::default() });
                }
                if let Some(last) = client.stats.last_mut() {
                    last.stats.push(grouped(key, group, &mut rng));
                }
            }
        }
        by_payload.into_values().collect()
    }
}

fn client_payload(payload: &Payload) -> ClientStatsPayload<'_> {
    let key = read_payload_key(&payload.key).unwrap_or_default();
    let tags = if key.container_id.is_empty() { &[] } else { &*payload.container_tags };
    ClientStatsPayload {
        hostname: key.hostname,
        env: key.env,
        version: key.version,
        lang: key.lang,
        service: key.base_service,
        container_id: key.container_id,
        tags: tags.iter().map(|tag| &**tag).collect(),
        git_commit_sha: key.git_commit_sha,
        image_tag: key.image_tag,
        ..ClientStatsPayload::default()
    }
}

fn grouped<'a>(key: ReadKey<'a>, group: &Group, rng: &mut fastrand::Rng) -> ClientGroupedStats<'a> {
    let [service, name, resource, span_type, span_kind, http_method, http_endpoint, source] =
        key.texts;
    let tags = |tags: Vec<String>| tags.into_iter().map(Cow::Owned).collect();
    ClientGroupedStats {
        service,
        name,
        resource,
        http_status_code: key.http_status_code,
        span_type,
        hits: rounded(group.hits, rng),
        errors: rounded(group.errors, rng),
        duration: rounded(group.duration, rng),
        ok_summary: group.ok.encode().into(),
        error_summary: group.failed.encode().into(),
        synthetics: key.synthetics,
        top_level_hits: rounded(group.top_level_hits, rng),
        span_kind,
        peer_tags: tags(key.peer_tags),
        is_trace_root: key.trace_root as u32,
        grpc_status_code: key.grpc_status_code.map_or_else(Cow::default, |c| c.to_string().into()),
        http_method,
        http_endpoint,
        service_source: source,
        additional_metric_tags: tags(key.additional_tags),
        ..ClientGroupedStats::default()
    }
}

/// The whole number below or above, the latter as often as the fraction is large.
fn rounded(number: f64, rng: &mut fastrand::Rng) -> u64 {
    let below = number as u64;
    let fraction = number - below as f64;
    if fraction > 0.0 && rng.f64() < fraction { below.saturating_add(1) } else { below }
}
