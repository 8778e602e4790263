//! From payloads of traces to payloads of statistics: what the connector and the exporter share.

use pdata::Payload;
use regex::Regex;

use super::bucket::Collapsed;
use super::concentrator::{Concentrator, ConcentratorSettings};
use super::extract::Extractor;
use super::flushed::Flushed;
use super::metric::wrap;
use super::payload::StatsPayload;
use super::split::ENTRIES_MAX;
use crate::naming::Naming;

/// Longest encoded statistics in one metric: of more than 4 MiB an OTLP receiver takes none, unless it is told to.
const BYTES_MAX: usize = 3 << 20;

/// How statistics are made of spans.
#[derive(Clone, Debug, Default)]
pub struct DriverSettings {
    /// How spans are counted.
    pub concentrator: ConcentratorSettings,
    /// How operations and resources are called.
    pub naming: Naming,
    /// Whether spans are top-level, and measured, by their kind.
    pub top_level_by_kind: bool,
    /// Whether spans have peer tags.
    pub peer_tags: bool,
    /// Keys of peer tags beside the usual ones.
    pub further_peer_tags: Vec<String>,
    /// Spans with one of these resources are not counted.
    pub ignore_resources: Vec<Regex>,
    /// Keys of resource attributes that become tags of the container.
    pub container_tag_keys: Vec<String>,
    /// The host of resources that do not say which they are from.
    pub fallback_host: String,
    /// Version of whoever sends the statistics.
    pub agent_version: String,
}

/// Computes statistics of payloads. Its clock is handed in, in nanoseconds since 1970.
pub struct Driver {
    concentrator: Concentrator,
    extractor: Extractor,
    default_env: String,
    agent_version: String,
}

impl Driver {
    /// A driver that begins now. The seed decides how fractions of weighted counts are rounded.
    pub fn new(settings: DriverSettings, now: u64, seed: u64) -> Self {
        let default_env = settings.concentrator.default_env.clone();
        let agent_version = settings.agent_version.clone();
        let concentrator = Concentrator::new(settings.concentrator.clone(), now, seed);
        Self { concentrator, extractor: Extractor::new(settings), default_env, agent_version }
    }

    /// Counts the spans of a payload. Returns how many were counted: not all have statistics.
    pub fn add(&mut self, payload: &Payload, now: u64) -> usize {
        self.extractor.add(payload, &mut self.concentrator, now)
    }

    /// The statistics that are due, each a payload of one metric. To be called once in each interval.
    pub fn flush(&mut self, now: u64) -> Vec<Payload> {
        let flushed = self.concentrator.flush(now, false);
        self.wrapped(&flushed)
    }

    /// All statistics: for whoever stops, or does not know when it runs again.
    pub fn flush_all(&mut self, now: u64) -> Vec<Payload> {
        let flushed = self.concentrator.flush(now, true);
        self.wrapped(&flushed)
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.concentrator.bytes()
    }

    /// Whether no span is held.
    pub fn is_empty(&self) -> bool {
        self.concentrator.is_empty()
    }

    /// Spans that caps kept out of groups of their own since the last call.
    pub fn take_collapsed(&mut self) -> Collapsed {
        self.concentrator.take_collapsed()
    }

    fn wrapped(&self, flushed: &Flushed) -> Vec<Payload> {
        let whole = StatsPayload {
            agent_env: &self.default_env,
            agent_version: &self.agent_version,
            stats: flushed.stats(),
            ..StatsPayload::default()
        };
        let mut wrapped = Vec::new();
        for part in whole.split(ENTRIES_MAX) {
            let (entries, encoded) = (part.entries(), part.encode());
            if encoded.len() <= BYTES_MAX || entries == 1 {
                wrapped.push(wrap(&encoded));
                continue;
            }
            // Groups are dealt out in turn, so the parts are of like size; a little room for those that are not.
            let entries_max = entries * BYTES_MAX / encoded.len() * 7 / 8;
            wrapped.extend(part.split(entries_max).iter().map(|part| wrap(&part.encode())));
        }
        wrapped
    }
}

#[cfg(test)]
mod tests;
