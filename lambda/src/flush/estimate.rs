//! How long something takes, learnt from how long it took.

use std::time::Duration;

/// A running mean and mean deviation, in the manner of RFC 6298.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Estimate {
    seen: u32,
    mean: f64,
    deviation: f64,
}

/// The weight of a new observation.
const WEIGHT: f64 = 0.125;

impl Estimate {
    /// Takes an observation in.
    pub(super) fn observe(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        // The first ones count as in a plain mean.
        self.seen = self.seen.saturating_add(1);
        let weight = WEIGHT.max(1.0 / f64::from(self.seen));
        if self.seen > 1 {
            self.deviation += weight * ((took - self.mean).abs() - self.deviation);
        }
        self.mean += weight * (took - self.mean);
    }

    /// Begins anew.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How many observations it rests on.
    pub(super) fn seen(&self) -> u32 {
        self.seen
    }

    /// The mean.
    #[cfg(test)]
    pub(super) fn mean(&self) -> Duration {
        duration(self.mean)
    }

    /// Nine out of ten take at most this long: for a mean deviation d, 1.6 d is at 90 % of a normal distribution.
    pub(super) fn high(&self) -> Duration {
        duration(self.mean + 1.6 * self.deviation)
    }

    /// Nine out of ten take at least this long.
    pub(super) fn low(&self) -> Duration {
        duration(self.mean - 1.6 * self.deviation)
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_value_is_learnt_and_a_new_one_is_followed() {
        let mut estimate = Estimate::default();
        for _ in 0..10 {
            estimate.observe(Duration::from_millis(20));
        }
        assert_eq!(estimate.mean(), Duration::from_millis(20));
        assert_eq!(estimate.high(), estimate.low());
        for _ in 0..50 {
            estimate.observe(Duration::from_millis(200));
        }
        assert!(estimate.mean() > Duration::from_millis(195), "{:?}", estimate.mean());
    }

    #[test]
    fn most_observations_are_between_low_and_high() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut estimate = Estimate::default();
        let mut within = 0;
        for _ in 0..1000 {
            // Twelve uniform ones make a normal one.
            let sum: f64 = (0..12).map(|_| random.f64()).sum();
            let took = Duration::from_secs_f64(0.1 + 0.01 * (sum - 6.0));
            within += usize::from(took >= estimate.low() && took <= estimate.high());
            estimate.observe(took);
        }
        assert!((700..=900).contains(&within), "{within} of 1000");
    }
}
