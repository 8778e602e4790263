//! `logs`.

use std::time::Duration;

use config::{Compression, CompressionLevel};
use confmap::Section;
use http::Uri;

use crate::intake::Endpoint;

/// How log records are sent.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    /// The base of the URL. A config without errors has it.
    pub(crate) endpoint: Option<Uri>,
    /// How bodies are compressed.
    pub(crate) compression: Compression,
    /// How hard.
    pub(crate) compression_level: CompressionLevel,
    /// How long records wait for a request to fill; none where they do not, or the queue's own settings say.
    pub(crate) batch_wait: Option<Duration>,
}

/// `logs::batch_wait`, in seconds, and what it may be (DataDog/datadog-agent `comp/logs/agent/config`). There, 0 is not taken; here it is
/// no wait.
const BATCH_WAIT: i64 = 5;
const BATCH_WAITS: std::ops::RangeInclusive<i64> = 0..=10;

/// Who says how records are batched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batching {
    /// `logs::batch_wait`.
    Here,
    /// `sending_queue::batch`, or nobody since the queue is off.
    Queue,
}

impl Logs {
    pub(super) fn read(
        mut section: Section<'_>,
        endpoint: Option<Uri>,
        batching: Batching,
    ) -> Self {
        let uses_compression = section.get("use_compression").unwrap_or(true);
        let level = section.get::<i64>("compression_level");
        if level.is_some_and(|level| !(0..=9).contains(&level)) {
            let message = "is not a level of gzip, which are 0 (none) to 9 (smallest)";
            section.error("compression_level", message);
        } else if level.is_some() && !uses_compression {
            section.ignored("compression_level", "use_compression is false");
        }
        let compression = match level {
            Some(0) => Compression::None,
            _ if !uses_compression => Compression::None,
            // The levels are gzip's.
            Some(_) => Compression::Gzip,
            None => Endpoint::Logs.compression(),
        };
        let compression_level = match level.and_then(|level| i32::try_from(level).ok()) {
            Some(level) => CompressionLevel::Set(level),
            None => CompressionLevel::Measured,
        };
        let mut batch_wait = section.get("batch_wait").unwrap_or(BATCH_WAIT);
        if !BATCH_WAITS.contains(&batch_wait) {
            section.warn("batch_wait", "should be from 0 to 10 seconds; 5 are used");
            batch_wait = BATCH_WAIT;
        } else if batching == Batching::Queue {
            let why =
                "records are batched as sending_queue says, which has a batch of its own or is off";
            section.ignored("batch_wait", why);
        }
        section.finish();
        let batch_wait = Duration::from_secs(batch_wait.try_into().unwrap_or_default());
        let waits = batching == Batching::Here && !batch_wait.is_zero();
        let batch_wait = waits.then_some(batch_wait);
        Self { endpoint, compression, compression_level, batch_wait }
    }
}
