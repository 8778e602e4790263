//! Settings.

use std::time::Duration;

use confmap::Section;

/// The processor's settings; keys and defaults are those of the Collector's `processor/batchprocessor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// How long an item waits at most for others. Zero sends at once.
    pub(crate) timeout: Duration,
    /// A batch is sent when it has this many items. Zero means that only the timeout sends.
    pub(crate) send_batch_size: usize,
    /// A batch has at most this many items. Zero means no limit.
    pub(crate) send_batch_max_size: usize,
    /// Client metadata whose values have batches of their own; lower case.
    pub(crate) metadata_keys: Vec<String>,
    /// Combinations of metadata values at most.
    pub(crate) metadata_cardinality_limit: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(200),
            send_batch_size: 8192,
            send_batch_max_size: 0,
            metadata_keys: Vec::new(),
            metadata_cardinality_limit: 1000,
        }
    }
}

impl Config {
    /// Reads the section; errors go to its diagnostics.
    pub(crate) fn read(mut section: Section<'_>) -> Self {
        let base = Self::default();
        let count = |value: Option<u32>, base: usize| value.map_or(base, |n| n as usize);
        let mut this = Self {
            timeout: section.get("timeout").unwrap_or(base.timeout),
            send_batch_size: count(section.get("send_batch_size"), base.send_batch_size),
            send_batch_max_size: count(
                section.get("send_batch_max_size"),
                base.send_batch_max_size,
            ),
            metadata_keys: section.get("metadata_keys").unwrap_or(base.metadata_keys),
            metadata_cardinality_limit: count(
                section.get("metadata_cardinality_limit"),
                base.metadata_cardinality_limit,
            ),
        };
        if this.send_batch_max_size > 0 && this.send_batch_max_size < this.send_batch_size {
            let message = "send_batch_max_size must be greater or equal to send_batch_size";
            if section.is_set("send_batch_size") {
                section.error("send_batch_max_size", message);
            } else {
                let help = format!(
                    "send_batch_size is {} unless it is set: set it, too, to {} or less",
                    this.send_batch_size, this.send_batch_max_size
                );
                section.error_with_help("send_batch_max_size", message, help);
            }
        }
        this.metadata_keys.iter_mut().for_each(|key| key.make_ascii_lowercase());
        for (i, key) in this.metadata_keys.iter().enumerate() {
            if this.metadata_keys.iter().take(i).any(|earlier| earlier == key) {
                section.error(
                    "metadata_keys",
                    format!("duplicate entry in metadata_keys: {key:?} (case-insensitive)"),
                );
            }
        }
        section.finish();
        this
    }

    /// Items at which a batch is full.
    pub(crate) fn full_at(&self) -> usize {
        match (self.timeout.is_zero(), self.send_batch_size) {
            (true, _) => 1,
            (false, 0) => usize::MAX,
            (false, size) => size,
        }
    }
}

#[cfg(test)]
mod tests;
