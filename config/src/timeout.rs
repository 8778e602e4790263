//! The limit of one attempt to send.

use std::time::Duration;

use confmap::Section;

/// `timeout` of an exporter, as upstream's `exporterhelper.TimeoutConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(pub Option<Duration>);

impl Default for Timeout {
    fn default() -> Self {
        Self(Some(Duration::from_secs(5)))
    }
}

impl Timeout {
    /// Reads `timeout`; zero means none. A negative one is refused by its decoder.
    #[must_use]
    pub fn read(section: &mut Section<'_>, default: Self) -> Self {
        match section.get::<Duration>("timeout") {
            None => default,
            Some(Duration::ZERO) => Self(None),
            Some(timeout) => Self(Some(timeout)),
        }
    }
}
