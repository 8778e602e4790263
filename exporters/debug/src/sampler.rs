//! Which of many are shown.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Sampling;

/// Counts within a second, as uber-go/zap's sampler (`zapcore/sampler.go`) with a tick of one second.
#[derive(Debug)]
pub(crate) struct Sampler {
    sampling: Sampling,
    second_ends: Option<Instant>,
    seen: u64,
}

impl Sampler {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self { sampling, second_ends: None, seen: 0 }
    }

    /// Whether the next one is shown.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        if self.second_ends.is_none_or(|ends| now >= ends) {
            self.second_ends = Some(now + Duration::from_secs(1));
            self.seen = 0;
        }
        self.seen += 1;
        match self.seen.checked_sub(self.sampling.initial) {
            None | Some(0) => true,
            Some(beyond) => {
                self.sampling.thereafter > 0 && beyond.is_multiple_of(self.sampling.thereafter)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(initial: u64, thereafter: u64, of: usize) -> Vec<usize> {
        let mut sampler = Sampler::new(Sampling { initial, thereafter });
        let now = Instant::now();
        (1..=of).filter(|_| sampler.admit(now)).collect::<Vec<_>>()
    }

    #[test]
    fn the_first_and_then_every_so_many_are_shown() {
        assert_eq!(admitted(2, 1, 5), [1, 2, 3, 4, 5]);
        assert_eq!(admitted(2, 3, 11), [1, 2, 5, 8, 11]);
        assert_eq!(admitted(1, 0, 5), [1]);
        assert_eq!(admitted(0, 2, 5), [2, 4]);
    }

    #[test]
    fn counting_begins_anew_each_second() {
        let mut sampler = Sampler::new(Sampling { initial: 1, thereafter: 0 });
        let now = Instant::now();
        assert!(sampler.admit(now));
        assert!(!sampler.admit(now + Duration::from_millis(999)));
        assert!(sampler.admit(now + Duration::from_secs(1)));
    }
}
