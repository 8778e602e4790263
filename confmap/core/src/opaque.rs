//! Text that must not be shown.

use std::fmt;

/// What stands in place of a masked value.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// A secret string: a password, a token, the value of a header.
///
/// Prints as `[REDACTED]` everywhere. Not ordered and not hashed, so that it can't become a key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Opaque(String);

impl Opaque {
    /// Takes a text in.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that puts it on the wire. Never for a log line, an
    /// error or a metric.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty, which is no secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::Opaque;

    #[test]
    fn a_secret_prints_as_a_mask_and_opens_by_one_name() {
        let secret = Opaque::new("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[REDACTED] [REDACTED] Some([REDACTED])"
        );
        assert_eq!(secret.expose(), "hunter2");
        assert!(!secret.is_empty() && Opaque::default().is_empty());
    }
}
