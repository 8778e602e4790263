//! `retry_on_failure`: when a failed request is tried again.

use std::time::Duration;

use confmap::{Presence, Section};

/// Exponential backoff with jitter, as upstream's `configretry.BackOffConfig`.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// The delay after the first failure, before jitter.
    pub initial_interval: Duration,
    /// Each delay is multiplied by a random factor of 1 ± this; 0 to 1.
    pub randomization_factor: f64,
    /// By how much the delay grows from one attempt to the next.
    pub multiplier: f64,
    /// The largest delay, before jitter.
    pub max_interval: Duration,
    /// How long a request is tried, all attempts and delays together; `None` is for ever.
    pub max_elapsed_time: Option<Duration>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial_interval: Duration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Some(Duration::from_secs(300)),
        }
    }
}

impl Retry {
    /// Reads the section `retry_on_failure`; `None` when it is off.
    #[must_use]
    pub fn read(section: &mut Section<'_>, defaults: Self) -> Option<Self> {
        let mut retry = section.optional_section("retry_on_failure", Presence::Some)?;
        let max_elapsed_time = match retry.get::<Duration>("max_elapsed_time") {
            None => defaults.max_elapsed_time,
            Some(Duration::ZERO) => None,
            some => some,
        };
        let read = Self {
            initial_interval: retry.get("initial_interval").unwrap_or(defaults.initial_interval),
            randomization_factor: retry
                .get("randomization_factor")
                .unwrap_or(defaults.randomization_factor),
            multiplier: retry.get("multiplier").unwrap_or(defaults.multiplier),
            max_interval: retry.get("max_interval").unwrap_or(defaults.max_interval),
            max_elapsed_time,
        };
        read.check(&retry);
        retry.finish();
        Some(read)
    }

    fn check(&self, retry: &Section<'_>) {
        if let Some(elapsed) = self.max_elapsed_time {
            if elapsed < self.initial_interval {
                let message = "'max_elapsed_time' must not be less than 'initial_interval'";
                retry.error("max_elapsed_time", message);
            }
            if elapsed < self.max_interval {
                let message = "'max_elapsed_time' must not be less than 'max_interval'";
                retry.error("max_elapsed_time", message);
            }
        }
        if !self.multiplier.is_finite() || self.multiplier < 0.0 {
            let message = "multiplier value must be greater than or equal to 0";
            retry.error("multiplier", message);
        }
        if self.randomization_factor.is_nan() || self.randomization_factor < 0.0 {
            let message = "randomization_factor value must be greater than or equal to 0";
            retry.error("randomization_factor", message);
        } else if self.randomization_factor > 1.0 {
            let message = "randomization_factor value must be less than or equal to 1";
            retry.error("randomization_factor", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use confmap::{Diagnostics, Node, Section};

    use super::Retry;

    fn read(yaml: &str) -> (Option<Retry>, String) {
        let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
        let diagnostics = Diagnostics::new();
        let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
        let retry = Retry::read(&mut section, Retry::default());
        section.finish();
        (retry, diagnostics.to_string())
    }

    #[test]
    fn retry_is_on_unless_it_is_turned_off() {
        assert_eq!(read("{}").0, Some(Retry::default()));
        assert_eq!(read("retry_on_failure:").0, Some(Retry::default()));
        assert_eq!(read("retry_on_failure: {enabled: false}").0, None);
        let (retry, report) =
            read("retry_on_failure: {max_elapsed_time: 0s, initial_interval: 1h}");
        assert_eq!(report, "", "no limit of time is above every interval");
        let expected = Retry {
            initial_interval: Duration::from_secs(3600),
            max_elapsed_time: None,
            ..Retry::default()
        };
        assert_eq!(retry, Some(expected));
    }

    #[test]
    fn broken_rules_are_told_in_upstreams_words() {
        let report = |yaml: &str| read(&format!("retry_on_failure: {{{yaml}}}")).1;
        assert!(report("max_elapsed_time: 10s").contains(
            "retry_on_failure::max_elapsed_time: 'max_elapsed_time' must not be less than 'max_interval'"
        ));
        assert!(
            report("initial_interval: 10m").contains("must not be less than 'initial_interval'")
        );
        assert!(report("randomization_factor: 1.5").contains("less than or equal to 1"));
        assert!(report("randomization_factor: -1").contains("greater than or equal to 0"));
        assert!(report("multiplier: .nan").contains("multiplier value must be"));
        assert!(report("max_intervall: 1s").contains("did you mean \"max_interval\"?"));
    }
}
