//! Which bucket a span is counted in, and when it is flushed.

use super::*;

/// Starts of the buckets, in seconds since `T0`, with their hits.
fn buckets(flushed: &Flushed) -> Vec<(i64, u64)> {
    let since = |start: u64| (start as i64 - T0 as i64) / SECOND as i64;
    counts(flushed).into_iter().map(|(group, counts)| (since(group.1), counts[0])).collect()
}

/// Adds a span that ended `ended` seconds after `T0`, `now` seconds after it.
fn add(concentrator: &mut Concentrator, end: u64, now: u64) {
    concentrator.payload(&PayloadKey::default(), T0 + now * SECOND).add(&ended(end));
}

fn flush(concentrator: &mut Concentrator, now: u64) -> Vec<(i64, u64)> {
    buckets(&concentrator.flush(T0 + now * SECOND, false))
}

#[test]
fn span_is_counted_in_the_bucket_in_which_it_ended() {
    let mut concentrator = concentrator();
    for end in [0, 9, 10, 19, 20] {
        add(&mut concentrator, end, 25);
    }
    assert_eq!(buckets(&concentrator.flush(T0, true)), [(0, 2), (10, 2), (20, 1)]);
}

#[test]
fn bucket_is_flushed_when_it_began_two_intervals_ago() {
    let mut concentrator = concentrator();
    add(&mut concentrator, 5, 5);
    add(&mut concentrator, 15, 15);
    assert_eq!(flush(&mut concentrator, 19), []);
    assert_eq!(flush(&mut concentrator, 20), [(0, 1)]);
    assert_eq!(flush(&mut concentrator, 29), []);
    assert_eq!(flush(&mut concentrator, 30), [(10, 1)]);
    assert!(concentrator.is_empty());
}

#[test]
fn late_span_is_counted_in_the_oldest_bucket_that_is_left() {
    let mut concentrator = concentrator();
    assert_eq!(flush(&mut concentrator, 100), []);
    add(&mut concentrator, 5, 101);
    add(&mut concentrator, 89, 101);
    add(&mut concentrator, 90, 101);
    add(&mut concentrator, 101, 101);
    assert_eq!(buckets(&concentrator.flush(T0, true)), [(90, 3), (100, 1)]);
}

#[test]
fn nothing_before_its_beginning_has_a_bucket() {
    let mut concentrator = Concentrator::new(ConcentratorSettings::default(), T0 + 55 * SECOND, 1);
    concentrator.payload(&PayloadKey::default(), T0 + 60 * SECOND).add(&ended(1));
    assert_eq!(buckets(&concentrator.flush(T0, true)), [(50, 1)]);
}

#[test]
fn span_that_ends_in_the_future_is_counted_now() {
    let mut concentrator = concentrator();
    add(&mut concentrator, 3600, 15);
    add(&mut concentrator, 19, 15);
    concentrator.payload(&PayloadKey::default(), T0 + 15 * SECOND).add(&StatSpan {
        start: u64::MAX,
        duration: u64::MAX,
        ..ended(0)
    });
    assert_eq!(concentrator.take_future(), 2, "a span that ends in the present bucket is none");
    assert_eq!(concentrator.take_future(), 0);
    assert_eq!(buckets(&concentrator.flush(T0, true)), [(10, 3)]);
}

#[test]
fn forced_flush_empties_it_and_what_comes_after_is_counted_anew() {
    let mut concentrator = concentrator();
    add(&mut concentrator, 5, 6);
    assert_eq!(buckets(&concentrator.flush(T0 + 6 * SECOND, true)), [(0, 1)]);
    add(&mut concentrator, 7, 8);
    assert_eq!(buckets(&concentrator.flush(T0 + 8 * SECOND, true)), [(0, 1)]);
    assert!(concentrator.flush(T0 + 9 * SECOND, true).is_empty());
}

#[test]
fn clock_that_is_set_back_neither_holds_spans_for_ever_nor_loses_them() {
    let mut concentrator = concentrator();
    add(&mut concentrator, 3600, 3601);
    assert_eq!(flush(&mut concentrator, 3610), []);
    // Back by an hour.
    add(&mut concentrator, 15, 16);
    assert_eq!(flush(&mut concentrator, 20), [(3600, 2)]);
    add(&mut concentrator, 25, 26);
    assert_eq!(flush(&mut concentrator, 40), [(20, 1)]);
}

#[test]
fn buckets_are_as_long_as_the_settings_say() {
    let bucket_interval = Duration::from_secs(60);
    let settings = ConcentratorSettings { bucket_interval, ..Default::default() };
    let start = T0 - T0 % (60 * SECOND);
    let mut concentrator = Concentrator::new(settings, start, 1);
    let span = StatSpan { start: start + 59 * SECOND, duration: 0, ..ended(0) };
    concentrator.payload(&PayloadKey::default(), start + 60 * SECOND).add(&span);
    assert!(concentrator.flush(start + 119 * SECOND, false).is_empty());
    let flushed = concentrator.flush(start + 120 * SECOND, false);
    let stats = flushed.stats();
    assert_eq!((stats[0].stats[0].start, stats[0].stats[0].duration), (start, 60 * SECOND));
}

#[test]
fn buckets_are_bounded_when_nobody_flushes() {
    let mut concentrator = concentrator();
    for i in 0..100 {
        add(&mut concentrator, 10 * i, 10 * i + 1);
    }
    let flushed = concentrator.flush(T0, true);
    let buckets = buckets(&flushed);
    assert_eq!(buckets.len(), BUCKETS_MAX);
    assert_eq!(buckets.iter().map(|(_, hits)| hits).sum::<u64>(), 100);
}
