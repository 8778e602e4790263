//! Keeps a repeated record from flooding the log: the rule of the Collector's logger (uber-go/zap,
//! `zapcore/sampler.go`).

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, SystemTime},
};

use super::record::Record;
use crate::settings::Sampling;

/// Windows that are kept. Messages that share one are counted together: memory stays bounded whatever is logged, and a
/// collision at worst samples a message too much.
const WINDOWS: usize = 512;

/// Decides which records are written.
#[derive(Debug)]
pub(super) struct Sampler {
    settings: Sampling,
    windows: Vec<Option<Window>>,
}

impl Sampler {
    pub(super) fn new(settings: &Sampling) -> Self {
        Self { settings: settings.clone(), windows: vec![None; WINDOWS] }
    }

    /// Counts the record in its window and says whether it is to be written.
    pub(super) fn admit(&mut self, record: &Record) -> bool {
        let mut hasher = DefaultHasher::new();
        (record.level as u8, &record.message).hash(&mut hasher);
        let slot = (hasher.finish() % WINDOWS as u64) as usize;
        let Some(window) = self.windows.get_mut(slot) else { return true };
        let Sampling { tick, initial, thereafter } = self.settings;
        let count = match window {
            Some(window) if window.contains(record.time, tick) => {
                window.count += 1;
                window.count
            }
            _ => {
                *window = Some(Window { start: record.time, count: 1 });
                1
            }
        };
        match count.checked_sub(initial) {
            None | Some(0) => true,
            Some(beyond) => thereafter > 0 && beyond.is_multiple_of(thereafter),
        }
    }
}

#[derive(Clone, Debug)]
struct Window {
    start: SystemTime,
    count: u64,
}

impl Window {
    /// A clock that was set back ends the window too.
    fn contains(&self, time: SystemTime, tick: Duration) -> bool {
        time.duration_since(self.start).is_ok_and(|age| age < tick)
    }
}

#[cfg(test)]
mod tests;
