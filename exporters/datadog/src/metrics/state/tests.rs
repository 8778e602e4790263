//! What is remembered: for how long, within which memory, and what is taken back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

const TTL: u64 = 1_000;

fn state(limit_bytes: usize) -> State {
    State::new(Duration::from_nanos(TTL), limit_bytes)
}

fn number(time: u64, value: f64) -> Point {
    Point::new(1, time, Value::Number(value))
}

/// The value that a point replaces.
fn replaced(state: &mut State, key: Key, time: u64, value: f64, now: u64) -> Option<f64> {
    match state.replace(key, number(time, value), now) {
        Replaced::Point(Point { value: Value::Number(value), .. }) => Some(value),
        Replaced::Nothing => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_point_replaces_the_one_before_of_its_own_series() {
    let mut state = state(usize::MAX);
    assert_eq!(replaced(&mut state, 1, 10, 1.0, 0), None);
    assert_eq!(replaced(&mut state, 2, 10, 5.0, 0), None);
    assert_eq!(replaced(&mut state, 1, 11, 2.0, 0), Some(1.0));
    assert_eq!(replaced(&mut state, 1, 12, 3.0, 0), Some(2.0));
    assert_eq!(state.len(), 2);
}

#[test]
fn a_point_that_is_no_newer_replaces_nothing() {
    let mut state = state(usize::MAX);
    replaced(&mut state, 1, 10, 1.0, 0);
    for time in [9, 10] {
        assert_eq!(state.replace(1, number(time, 7.0), 1), Replaced::Newer);
    }
    // Not in the older generation either.
    state.turn(TTL);
    assert_eq!(state.replace(1, number(10, 7.0), TTL - 1), Replaced::Newer);
    assert_eq!(replaced(&mut state, 1, 11, 2.0, TTL - 1), Some(1.0));
}

#[test]
fn a_point_counts_until_its_time_is_up_wherever_it_is_kept() {
    for age in [0, 1, TTL / 2, TTL - 1] {
        let mut state = state(usize::MAX);
        replaced(&mut state, 1, 10, 1.0, 700);
        // Others come in between.
        replaced(&mut state, 2, 10, 1.0, 700 + age / 2);
        assert_eq!(replaced(&mut state, 1, 11, 2.0, 700 + age), Some(1.0), "{age}");
    }
    for age in [TTL, TTL + 1, 10 * TTL] {
        let mut state = state(usize::MAX);
        replaced(&mut state, 1, 10, 1.0, 700);
        replaced(&mut state, 2, 10, 1.0, 700 + age / 2);
        let answer = state.replace(1, number(11, 2.0), 700 + age);
        assert_eq!(answer, Replaced::Forgotten, "{age}");
    }
}

#[test]
fn series_that_are_not_written_any_more_make_room() {
    let mut state = state(usize::MAX);
    for round in 0..20 {
        for key in 0..1000 {
            state.replace(round * 1000 + key, number(10, 1.0), round as u64 * TTL);
        }
        assert!(state.len() <= 2000, "{}", state.len());
    }
    assert_eq!(state.take_evicted(), 0, "they were too old, not too many");
}

#[test]
fn memory_stays_within_its_bound_and_the_idle_are_forgotten_first() {
    let limit = 256 << 10;
    let mut state = state(limit);
    for key in 0..20_000_u128 {
        // The first ones are written over and over.
        for busy in 0..3 {
            state.replace(busy, number(key as u64 + 1, key as f64), 0);
        }
        state.replace(1000 + (key << 64), number(1, 1.0), 0);
        assert!(state.bytes() <= limit + (64 << 10), "{} bytes", state.bytes());
    }
    assert!(state.take_evicted() > 15_000);
    assert_eq!(state.take_evicted(), 0);
    for busy in 0..3 {
        assert_eq!(replaced(&mut state, busy, 200_000, 0.0, 0), Some(19_999.0));
    }
}

#[test]
fn what_histograms_hold_counts_as_memory() {
    let histogram = |time: u64| {
        let counts = vec![1; 1000].into();
        let bounds: Arc<[f64]> = (0..999).map(f64::from).collect();
        let histogram = Histogram { count: 1000, sum: 1.0, min: None, max: None, bounds, counts };
        Point::new(1, time, Value::Histogram(Box::new(histogram)))
    };
    let mut state = state(usize::MAX);
    for key in 0..100 {
        state.replace(key, histogram(1), 0);
    }
    let bytes = state.bytes();
    assert!(bytes > 100 * 8000, "{bytes}");
    for key in 0..100 {
        state.replace(key, histogram(2), 0);
    }
    assert_eq!(state.bytes(), bytes, "what is replaced is let go");
    for key in 0..100 {
        state.replace(key, number(3, 1.0), 0);
    }
    assert!(state.bytes() < bytes / 10);
}

#[test]
fn series_that_were_forgotten_are_not_taken_for_new_ones() {
    let mut state = state(64 << 10);
    let key = |nth: u64| Key::from(nth).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let many = 10_000;
    for nth in 0..many {
        state.replace(key(nth), number(1, 1.0), 0);
    }
    let known = state.len() as u64;
    let forgotten = (0..many - known).filter(|nth| state.forgotten.may_contain(key(*nth))).count();
    assert_eq!(forgotten as u64, many - known);
    let others = (many..2 * many).filter(|nth| state.forgotten.may_contain(key(*nth))).count();
    assert!(others < many as usize / 100, "{others} new ones look forgotten");
    assert_eq!(state.forgot(), 0);
    // There are more than the filter holds: then it is known when that was.
    for nth in many..20 * many {
        state.replace(key(nth), number(1, 1.0), 77);
    }
    assert_eq!(state.forgot(), 77);
}

/// What is sent of series 1 for a point, as the difference to the one before.
fn undone(time: u64, before: Option<u64>, amount: f64) -> Undone {
    Undone { key: 1, start: 1, time, before, amount: Amount::Number(amount), entry: 0 }
}

#[test]
fn what_did_not_arrive_is_sent_with_the_next_point() {
    // In whatever order requests fail, the next difference is to what has arrived.
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let mut state = state(usize::MAX);
        for (time, value) in [(10, 5.0), (20, 7.0), (30, 16.0), (40, 17.0)] {
            state.replace(1, number(time, value), 0);
        }
        // The difference from 10 to 20 arrived.
        let lost =
            [undone(20, Some(10), 2.0), undone(30, Some(20), 9.0), undone(40, Some(30), 1.0)];
        let mut lost = lost.map(Some);
        for nth in order.into_iter().filter(|nth| *nth != 0) {
            state.take_back(lost[nth].take().unwrap());
        }
        assert_eq!(replaced(&mut state, 1, 50, 20.0, 0), Some(7.0), "{order:?}");
    }
}

#[test]
fn a_point_that_did_not_arrive_can_come_again() {
    let mut state = state(usize::MAX);
    state.replace(1, number(10, 5.0), 0);
    state.replace(1, number(20, 7.0), 0);
    state.take_back(undone(20, Some(10), 2.0));
    assert_eq!(replaced(&mut state, 1, 20, 7.0, 0), Some(5.0));
    // The first point, too.
    state.replace(2, number(10, 5.0), 0);
    state.take_back(Undone { key: 2, ..undone(10, None, 5.0) });
    assert_eq!(state.replace(2, number(10, 5.0), 0), Replaced::Nothing);
    // The first of two, of which the other arrived.
    state.replace(3, number(10, 5.0), 0);
    state.replace(3, number(20, 7.0), 0);
    state.take_back(Undone { key: 3, ..undone(10, None, 5.0) });
    assert_eq!(replaced(&mut state, 3, 30, 8.0, 0), Some(2.0));
}

#[test]
fn nothing_is_taken_back_from_before_a_reset() {
    let mut state = state(usize::MAX);
    state.replace(1, number(10, 5.0), 0);
    state.replace(1, Point::new(25, 30, Value::Number(3.0)), 0);
    state.take_back(undone(10, None, 5.0));
    assert_eq!(replaced(&mut state, 1, 40, 4.0, 0), Some(3.0));
}

#[test]
fn a_request_that_is_dropped_gives_back_what_it_sent_and_one_that_arrived_does_not() {
    for arrives in [false, true] {
        let state = Arc::new(Mutex::new(state(usize::MAX)));
        for (time, value) in [(10, 1.0), (20, 2.0), (30, 4.0)] {
            state.lock().unwrap().replace(1, number(time, value), 0);
        }
        let sent =
            vec![undone(20, Some(10), 1.0), Undone { entry: 3, ..undone(30, Some(20), 2.0) }];
        let mut first = Undo::new(state.clone(), sent);
        let mut second = first.split_off(2);
        second.settle();
        if arrives {
            first.settle();
        }
        drop((first, second));
        let before = if arrives { 4.0 } else { 3.0 };
        assert_eq!(replaced(&mut state.lock().unwrap(), 1, 40, 9.0, 0), Some(before));
    }
}

fn histogram(count: u64, counts: &[u64], bounds: &[f64]) -> Histogram {
    let (sum, counts) = (count as f64, counts.into());
    Histogram { count, sum, min: None, max: None, bounds: bounds.into(), counts }
}

#[test]
fn histograms_are_taken_back_bucket_by_bucket() {
    let mut state = state(usize::MAX);
    let point = |time, histogram: &Histogram| {
        Point::new(1, time, Value::Histogram(Box::new(histogram.clone())))
    };
    let (first, second) = (histogram(3, &[1, 2], &[1.0]), histogram(7, &[2, 5], &[1.0]));
    let since = second.since(&first).unwrap();
    assert_eq!(since, histogram(4, &[1, 3], &[1.0]));
    state.replace(1, point(10, &first), 0);
    state.replace(1, point(20, &second), 0);
    let amount = Amount::Histogram(Box::new(since));
    state.take_back(Undone { amount, ..undone(20, Some(10), 0.0) });
    let Replaced::Point(earlier) = state.replace(1, point(20, &second), 0) else { panic!() };
    assert_eq!(earlier.value, point(10, &first).value);
}

#[test]
fn a_histogram_that_counts_less_was_reset() {
    let earlier = histogram(7, &[2, 5], &[1.0]);
    assert_eq!(histogram(8, &[1, 7], &[1.0]).since(&earlier), None);
    assert_eq!(histogram(6, &[2, 4], &[1.0]).since(&earlier), None);
    assert_eq!(histogram(7, &[2, 5], &[1.0]).since(&earlier).unwrap().count, 0);
}

#[test]
fn of_changed_bounds_the_buckets_that_stay_are_compared() {
    let earlier = histogram(10, &[1, 2, 3, 4], &[1.0, 2.0, 3.0]);
    let now = histogram(20, &[2, 4, 6, 4, 4], &[1.0, 2.0, 4.0, 5.0]);
    assert_eq!(&*now.since(&earlier).unwrap().counts, [1, 2, 0, 0, 0]);
    let now = histogram(20, &[3, 9, 8], &[2.0, 3.0]);
    assert_eq!(&*now.since(&earlier).unwrap().counts, [0, 6, 4]);
    assert_eq!(&*histogram(20, &[], &[]).since(&earlier).unwrap().counts, [0; 0]);
}

fn exponential(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
    let count: u64 = counts.iter().sum();
    Exponential {
        count,
        sum: count as f64,
        min: None,
        max: None,
        scale,
        zero_count: 0,
        zero_threshold: 0.0,
        positive: Buckets { offset, counts: counts.to_vec() },
        negative: Buckets::default(),
    }
}

#[test]
fn exponential_histograms_are_compared_in_the_coarser_buckets() {
    let earlier = exponential(2, 4, &[1, 0, 2, 1]);
    let now = exponential(1, 1, &[2, 4, 3]);
    let since = now.since(&earlier).unwrap();
    assert_eq!((since.scale, since.count), (1, 5));
    assert_eq!((since.positive.offset, &*since.positive.counts), (1, &[2, 3, 0][..]));
    // And back to finer ones, as after a pause.
    let finer = exponential(2, 2, &[1, 1, 2, 2, 2, 1, 0, 1]);
    let since = finer.since(&now).unwrap();
    assert_eq!((since.scale, &*since.positive.counts), (1, &[0, 0, 0, 1][..]));
    assert_eq!(exponential(1, 1, &[1, 4, 4]).since(&now), None, "one bucket counts less");
    // Negative indexes round down.
    let since = exponential(0, -2, &[3, 2]).since(&exponential(1, -3, &[1, 1, 1])).unwrap();
    assert_eq!((since.positive.offset, &*since.positive.counts), (-2, &[2, 0][..]));
}

#[test]
fn values_that_count_as_zero_from_now_on_are_not_missed() {
    let earlier = exponential(0, -3, &[1, 2, 3]);
    let mut now = exponential(0, -1, &[3]);
    (now.count, now.zero_count, now.zero_threshold) = (7, 4, 0.5);
    let since = now.since(&earlier).unwrap();
    assert_eq!((since.count, since.zero_count), (1, 1));
    assert_eq!(&*since.positive.counts, [0]);
}
