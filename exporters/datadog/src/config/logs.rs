//! `logs`.

use std::time::Duration;

use config::{Compression, CompressionLevel};
use confmap::Section;
use http::Uri;

/// How log records are sent.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    /// The base of the URL. A config without errors has it.
    pub(crate) endpoint: Option<Uri>,
    /// How bodies are compressed.
    pub(crate) compression: Compression,
    /// How hard.
    pub(crate) compression_level: CompressionLevel,
    /// How long a request is waited for to fill.
    pub(crate) batch_wait: Duration,
}

/// `logs::batch_wait`, in seconds.
const BATCH_WAIT: i64 = 5;

impl Logs {
    pub(super) fn read(mut section: Section<'_>, endpoint: Option<Uri>) -> Self {
        let uses_compression = section.get("use_compression").unwrap_or(true);
        let level = section.get::<i64>("compression_level");
        if level.is_some_and(|level| !(0..=9).contains(&level)) {
            let message = "is not a level of gzip, which are 0 (none) to 9 (smallest)";
            section.error("compression_level", message);
        }
        let compression = match level {
            _ if !uses_compression => Compression::None,
            Some(0) => Compression::None,
            _ => Compression::Gzip,
        };
        let compression_level = match level.and_then(|level| i32::try_from(level).ok()) {
            Some(level) => CompressionLevel::Set(level),
            None => CompressionLevel::Measured,
        };
        let batch_wait = section.get("batch_wait").unwrap_or(BATCH_WAIT);
        if batch_wait < 0 {
            section.error("batch_wait", "must not be a negative number of seconds");
        }
        section.finish();
        let batch_wait = Duration::from_secs(batch_wait.try_into().unwrap_or_default());
        Self { endpoint, compression, compression_level, batch_wait }
    }
}
