//! `sending_queue`: what an exporter holds before it sends.

use std::collections::HashSet;
use std::time::Duration;

use confmap::{Decode, Mismatch, Node, Presence, Section};

/// A sending queue, as upstream's `exporterhelper/internal/queuebatch.Config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many requests are sent at once.
    pub num_consumers: usize,
    /// The capacity, counted as `sizer` says.
    pub queue_size: u64,
    /// What the capacity counts.
    pub sizer: Sizer,
    /// Whether a full queue makes its caller wait instead of refusing.
    pub block_on_overflow: bool,
    /// Whether the caller waits for the outcome of sending.
    pub wait_for_result: bool,
    /// Id of the storage extension of a persistent queue.
    pub storage: Option<String>,
    /// Batching between queue and sending.
    pub batch: Option<Batch>,
}

/// `sending_queue::batch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// After which time a batch is sent, however small.
    pub flush_timeout: Duration,
    /// What the sizes count: items or bytes.
    pub sizer: Sizer,
    /// From which size on a batch is sent at once.
    pub min_size: u64,
    /// The largest batch; `None` is no limit.
    pub max_size: Option<u64>,
    /// Client metadata keys whose values, taken together, keep batches apart. Lower case.
    pub metadata_keys: Vec<String>,
}

/// What a size counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sizer {
    /// Payloads as they came.
    #[default]
    Requests,
    /// Spans, data points, log records.
    Items,
    /// Encoded bytes.
    Bytes,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            block_on_overflow: false,
            wait_for_result: false,
            storage: None,
            batch: None,
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            flush_timeout: Duration::from_millis(200),
            sizer: Sizer::Items,
            min_size: 8192,
            max_size: None,
            metadata_keys: Vec::new(),
        }
    }
}

impl Queue {
    /// Reads the section `sending_queue`; `None` when it is off. `presence` is what it is when
    /// the user does not write it: [`Presence::Some`] for most exporters.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self, presence: Presence) -> Option<Self> {
        section.stray(
            "batcher",
            "was removed in favor of \"sending_queue::batch\"",
            "write sending_queue: {batch: {flush_timeout: 200ms, min_size: 8192}}, with this section's values",
        );
        let mut queue = section.optional_section("sending_queue", presence)?;
        let sizer = queue.get("sizer");
        let batch = Batch::read(&mut queue, sizer, defaults.batch);
        let read = Self {
            num_consumers: positive(&mut queue, "num_consumers", defaults.num_consumers as u64)
                .try_into()
                .unwrap_or(usize::MAX),
            queue_size: positive(&mut queue, "queue_size", defaults.queue_size),
            sizer: sizer.unwrap_or(defaults.sizer),
            block_on_overflow: queue.get("block_on_overflow").unwrap_or(defaults.block_on_overflow),
            wait_for_result: queue.get("wait_for_result").unwrap_or(defaults.wait_for_result),
            storage: queue.get::<Option<String>>("storage").unwrap_or(defaults.storage),
            batch,
        };
        if read.storage.is_some() && read.wait_for_result {
            let message = "`wait_for_result` is not supported with a persistent queue configured with `storage`";
            queue.error("wait_for_result", message);
        }
        if let Some(batch) = &read.batch
            && batch.sizer == read.sizer
            && batch.min_size > read.queue_size
        {
            queue.error("batch", "`min_size` must be less than or equal to `queue_size`");
        }
        queue.finish();
        Some(read)
    }
}

impl Batch {
    /// Without a sizer of its own, a batch that is written down counts as the queue is told to.
    fn read(
        queue: &mut Section<'_>,
        queue_sizer: Option<Sizer>,
        default: Option<Self>,
    ) -> Option<Self> {
        let presence = if default.is_some() { Presence::Some } else { Presence::Default };
        let written = queue.item("batch").is_some_and(|batch| !batch.node().is_null());
        let mut batch = queue.optional_section("batch", presence)?;
        let defaults = default.unwrap_or_default();
        let inherited = queue_sizer.filter(|_| written).unwrap_or(defaults.sizer);
        let sizer = batch.get("sizer").unwrap_or(inherited);
        if sizer == Sizer::Requests {
            let message = "`batch` supports only `items` or `bytes` sizer, found \"requests\"";
            batch.error("sizer", message);
        }
        let flush_timeout = batch.get("flush_timeout").unwrap_or(defaults.flush_timeout);
        if flush_timeout.is_zero() {
            batch.error("flush_timeout", "`flush_timeout` must be positive, found 0");
        }
        let min_size = size(&mut batch, "min_size").unwrap_or(defaults.min_size);
        let max_size = size(&mut batch, "max_size").or(defaults.max_size).filter(|max| *max > 0);
        if let Some(max_size) = max_size
            && max_size < min_size
        {
            let message = format!(
                "`max_size` ({max_size}) must be greater or equal to `min_size` ({min_size})"
            );
            batch.error("max_size", message);
        }
        let metadata_keys = partition_keys(&mut batch).unwrap_or(defaults.metadata_keys);
        batch.finish();
        Some(Self { flush_timeout, sizer, min_size, max_size, metadata_keys })
    }
}

fn partition_keys(batch: &mut Section<'_>) -> Option<Vec<String>> {
    let mut partition = batch.section("partition");
    let keys: Option<Vec<String>> = partition.get("metadata_keys");
    let keys = keys.map(|keys| keys.iter().map(|key| key.to_lowercase()).collect::<Vec<_>>());
    let mut seen = HashSet::new();
    for key in keys.iter().flatten() {
        if !seen.insert(key) {
            let message = format!("duplicate entry in metadata_keys: {key:?} (case-insensitive)");
            partition.error("metadata_keys", message);
        }
    }
    partition.finish();
    keys
}

fn positive(section: &mut Section<'_>, key: &'static str, default: u64) -> u64 {
    let value: i64 = match section.get(key) {
        Some(value) => value,
        None => return default,
    };
    u64::try_from(value).ok().filter(|value| *value > 0).unwrap_or_else(|| {
        section.error(key, format!("`{key}` must be positive"));
        default
    })
}

fn size(section: &mut Section<'_>, key: &'static str) -> Option<u64> {
    let value: i64 = section.get(key)?;
    u64::try_from(value)
        .map_err(|_| section.error(key, format!("`{key}` must be non-negative, found {value}")))
        .ok()
}

impl Decode for Sizer {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        let text = String::decode(node)?;
        match text.as_str() {
            "requests" => Ok(Self::Requests),
            "items" => Ok(Self::Items),
            "bytes" => Ok(Self::Bytes),
            _ => Err(Mismatch::new(format!("invalid sizer: {text:?}"))
                .help("valid values: requests, items, bytes")),
        }
    }
}

#[cfg(test)]
mod tests;
