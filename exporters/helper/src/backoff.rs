//! Delays between tries: exponential with jitter, as cenkalti/backoff `exponential.go`, which upstream uses, computes them.

use std::time::Duration;

use config::Retry;

/// The delays of one request.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    retry: &'a Retry,
    interval: Duration,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(retry: &'a Retry) -> Self {
        Self { retry, interval: retry.initial_interval }
    }

    /// The next delay; `random` is at least 0 and less than 1.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let Retry { randomization_factor, multiplier, max_interval, .. } = *self.retry;
        // As upstream: a multiplier of zero leads back to the beginning, not to tries without a pause.
        let zero = self.interval.is_zero();
        let interval = if zero { self.retry.initial_interval } else { self.interval };
        self.interval = if interval.as_secs_f64() >= max_interval.as_secs_f64() / multiplier {
            max_interval
        } else {
            scaled(interval, multiplier)
        };
        // Upstream adds one nanosecond to the range, to reach its end in whole nanoseconds.
        scaled(interval, 1.0 - randomization_factor + random * 2.0 * randomization_factor)
    }
}

/// The duration times a factor, within what a duration can hold.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(retry: &Retry, random: f64, n: usize) -> Vec<f64> {
        let mut backoff = Backoff::new(retry);
        (0..n).map(|_| (backoff.next(random).as_secs_f64() * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn delays_grow_to_the_largest_interval() {
        let retry = Retry::default();
        let expected = [5.0, 7.5, 11.25, 16.875, 25.313, 30.0, 30.0];
        assert_eq!(seconds(&retry, 0.5, 7), expected);
    }

    #[test]
    fn jitter_spans_the_randomization_factor_both_ways() {
        let retry = Retry::default();
        assert_eq!(seconds(&retry, 0.0, 2), [2.5, 3.75]);
        let almost_one = 1.0 - f64::EPSILON;
        assert_eq!(seconds(&retry, almost_one, 2), [7.5, 11.25]);
        let steady = Retry { randomization_factor: 0.0, ..Retry::default() };
        assert_eq!(seconds(&steady, 0.9, 2), [5.0, 7.5]);
    }

    #[test]
    fn extreme_multipliers_stay_within_bounds() {
        for multiplier in [0.0, 1.0, f64::MAX] {
            let retry = Retry { multiplier, ..Retry::default() };
            let mut backoff = Backoff::new(&retry);
            for _ in 0..5 {
                let delay = backoff.next(0.5);
                let range = retry.initial_interval..=retry.max_interval;
                assert!(range.contains(&delay), "multiplier {multiplier}: {delay:?}");
            }
        }
        let forever = Retry {
            initial_interval: Duration::MAX,
            max_interval: Duration::MAX,
            ..Retry::default()
        };
        assert_eq!(Backoff::new(&forever).next(0.99), Duration::MAX);
    }
}
