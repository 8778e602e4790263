//! Tests of the sampling rule.

use std::time::UNIX_EPOCH;

use super::*;
use crate::settings::LogLevel;

fn record(seconds: u64, level: LogLevel, message: &str) -> Record {
    Record {
        time: UNIX_EPOCH + Duration::from_secs(seconds),
        level,
        source: None,
        message: message.to_owned(),
        fields: Vec::new(),
    }
}

fn sampler(initial: u64, thereafter: u64) -> Sampler {
    Sampler::new(&Sampling { tick: Duration::from_secs(10), initial, thereafter })
}

/// Numbers, from 1, of the records out of `count` that are admitted at the same moment.
fn admitted(sampler: &mut Sampler, seconds: u64, count: u64) -> Vec<u64> {
    let record = record(seconds, LogLevel::Info, "again");
    (1..=count).filter(|_| sampler.admit(&record)).collect()
}

#[test]
fn a_window_admits_its_first_records_and_then_every_nth() {
    assert_eq!(admitted(&mut sampler(3, 4), 0, 12), [1, 2, 3, 7, 11]);
    assert_eq!(admitted(&mut sampler(0, 2), 0, 5), [2, 4]);
    assert_eq!(admitted(&mut sampler(2, 1), 0, 4), [1, 2, 3, 4]);
}

#[test]
fn without_thereafter_nothing_follows_the_first_records() {
    assert_eq!(admitted(&mut sampler(2, 0), 0, 1000), [1, 2]);
}

#[test]
fn a_new_tick_starts_a_new_window() {
    let mut sampler = sampler(1, 0);
    assert_eq!(admitted(&mut sampler, 100, 2), [1]);
    assert_eq!(admitted(&mut sampler, 109, 2), Vec::<u64>::new());
    assert_eq!(admitted(&mut sampler, 110, 2), [1]);
}

#[test]
fn a_clock_that_is_set_back_does_not_silence_the_log() {
    let mut sampler = sampler(1, 0);
    assert_eq!(admitted(&mut sampler, 1000, 2), [1]);
    assert_eq!(admitted(&mut sampler, 500, 2), [1]);
}

#[test]
fn a_tick_of_zero_samples_nothing() {
    let settings = Sampling { tick: Duration::ZERO, initial: 1, thereafter: 0 };
    assert_eq!(admitted(&mut Sampler::new(&settings), 0, 3), [1, 2, 3]);
}

#[test]
fn messages_and_levels_have_windows_of_their_own() {
    let mut sampler = sampler(1, 0);
    let others = [(LogLevel::Info, "a"), (LogLevel::Warn, "a"), (LogLevel::Info, "b")];
    for (level, message) in others {
        assert!(sampler.admit(&record(0, level, message)), "{level} {message}");
        assert!(!sampler.admit(&record(0, level, message)), "{level} {message}");
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_messages() {
    let mut sampler = sampler(1, 1);
    for number in 0..10_000 {
        assert!(sampler.admit(&record(0, LogLevel::Info, &number.to_string())));
    }
    assert_eq!(sampler.windows.capacity(), WINDOWS);
}
