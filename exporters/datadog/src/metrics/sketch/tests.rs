//! The bins: counts are exact, and quantiles as close as the scheme promises.

use proptest::prelude::*;

use super::scheme::{BIAS, GAMMA, KEY_MAX, key, lower};
use super::*;

/// A sketch's bins as they are on the wire.
fn chunks(sketch: &Sketch) -> Vec<(i32, u64)> {
    sketch.chunks().collect()
}

fn total(sketch: &Sketch) -> u64 {
    chunks(sketch).iter().map(|(_, n)| n).sum()
}

/// The value at a quantile, taking each bin's values for its lower end, as the backend's sketch has it.
fn quantile(sketch: &Sketch, q: f64) -> f64 {
    let rank = (q * (total(sketch) - 1) as f64).round_ties_even();
    let mut seen = 0.0;
    for (key, n) in chunks(sketch) {
        seen += n as f64;
        if seen > rank {
            return lower(key);
        }
    }
    panic!("rank {rank} of {seen}")
}

/// A sketch of single values, each in the bin it belongs to.
fn of(values: &[f64]) -> Sketch {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut sketch = Sketch::default();
    for value in sorted {
        sketch.spread(value, value, 1).unwrap();
    }
    sketch.finish();
    sketch
}

#[test]
fn values_are_in_the_bins_of_the_backend() {
    for (value, expected) in [
        (0.001, 892),
        (0.5, 1293),
        (1.0, 1338),
        (2.0, 1383),
        (10.0, 1487),
        (100.0, 1635),
        (1000.0, 1784),
        (0.0, 0),
        (9.9e-10, 0),
        (1e-9, 1),
        (f64::MAX, KEY_MAX + 1),
        (f64::INFINITY, KEY_MAX + 1),
    ] {
        assert_eq!(key(value), expected, "{value}");
        assert_eq!(key(-value), -expected, "-{value}");
    }
}

#[test]
fn the_lower_end_of_a_bin_is_in_it() {
    for key_ in 1..=KEY_MAX {
        assert_eq!(key(lower(key_)), key_);
        assert_eq!(key(lower(-key_)), -key_);
    }
    assert_eq!((lower(0), lower(BIAS)), (0.0, 1.0));
    assert!(lower(KEY_MAX).is_finite());
}

#[test]
fn buckets_are_spread_as_the_reference_spreads_them() {
    let spread = |from, to, count| {
        let mut sketch = Sketch::default();
        sketch.spread(from, to, count).unwrap();
        sketch.finish();
        chunks(&sketch)
    };
    assert_eq!(spread(1.0, 2.0, 3), [(1338, 1), (1357, 1), (1372, 1)]);
    let one = |keys: &[i32]| keys.iter().map(|key| (*key, 1)).collect::<Vec<_>>();
    assert_eq!(spread(0.0, 5.0, 4), one(&[0, 1353, 1398, 1424]));
    assert_eq!(spread(5.0, 10.0, 2), one(&[1442, 1469]));
    assert_eq!(spread(10.0, 10.0, 7), [(1487, 7)]);
    assert_eq!(spread(1.0, 2.0, 0), []);
}

#[test]
fn bounds_that_do_not_ascend_are_refused() {
    let mut sketch = Sketch::default();
    assert_eq!(sketch.spread(2.0, 1.0, 1), Err(NotAscending));
    assert_eq!(sketch.spread(1.0, -1.0, 0), Err(NotAscending));
}

#[test]
fn a_count_that_needs_several_bins_has_the_rest_in_front() {
    let mut sketch = Sketch::default();
    sketch.spread(1.0, 1.0, 3 * 65_535 + 7).unwrap();
    sketch.finish();
    assert_eq!(chunks(&sketch), [(1338, 7), (1338, 65_535), (1338, 65_535), (1338, 65_535)]);
    assert_eq!(sketch.summary.count, 3 * 65_535 + 7);
}

#[test]
fn no_sketch_is_longer_than_announced() {
    let mut sketch = Sketch::default();
    for (from, to, count) in [(-1e9, -1.0, 70_000), (-1.0, 0.0, 3), (1e-8, 1e8, 5_000_000)] {
        sketch.spread(from, to, count).unwrap();
    }
    sketch.finish();
    let mut out = Vec::new();
    sketch.put(&mut out, i64::MAX);
    assert!(out.len() <= sketch.encoded_len_max(), "{} bytes", out.len());
    let mut absurd = Sketch::default();
    absurd.spread(1.0, 1.0, u64::MAX).unwrap();
    absurd.finish();
    assert!(absurd.encoded_len_max() > 1 << 40, "and it is known before anything is written");
}

#[test]
fn when_there_are_too_many_bins_the_lowest_are_joined() {
    let mut sketch = Sketch::default();
    for key in 1..=5000 {
        sketch.add(key, 2);
    }
    sketch.finish();
    let chunks = chunks(&sketch);
    assert_eq!(chunks.len(), BINS_MAX);
    assert_eq!(chunks[0], (5000 - 4095, 2 * (5000 - 4095)));
    assert_eq!(total(&sketch), 10_000);
    assert_eq!(chunks[4095], (5000, 2));
}

#[test]
fn quantiles_of_a_million_values_are_within_the_width_of_a_bin() {
    // Latencies: most are short, a few very long, and some are negative by a clock that was set.
    let mut random = fastrand::Rng::with_seed(7);
    let mut values: Vec<f64> = (0..1_000_000)
        .map(|nth| match nth % 100 {
            0 => -random.f64(),
            99 => 10.0 + random.f64() * 1e4,
            _ => (random.f64() * 6.0 - 3.0).exp(),
        })
        .collect();
    let sketch = of(&values);
    values.sort_by(f64::total_cmp);
    assert_eq!(total(&sketch), 1_000_000);
    // Half a bin to either side, and one in a hundred of that for rounding.
    let claim = (GAMMA.sqrt() - 1.0) * 1.01;
    for percent in 0..=100 {
        let q = f64::from(percent) / 100.0;
        let exact = values[(q * 999_999.0).round_ties_even() as usize];
        let error = (quantile(&sketch, q) - exact).abs() / exact.abs();
        assert!(error <= claim, "at {q}: {error} for {exact}");
    }
}

/// Buckets in ascending order.
fn buckets() -> impl Strategy<Value = Vec<(f64, f64, u64)>> {
    let bounds = prop::collection::vec(-1e6..1e6, 2..20);
    let counts = prop::collection::vec(prop_oneof![Just(0), 0_u64..100, 0_u64..1_000_000], 20);
    (bounds, counts).prop_map(|(mut bounds, counts)| {
        bounds.sort_by(f64::total_cmp);
        let pairs = bounds.windows(2).map(|pair| (pair[0], pair[1]));
        pairs.zip(counts).map(|((low, high), count)| (low, high, count)).collect()
    })
}

proptest! {
    #[test]
    fn no_value_of_a_histogram_is_lost_or_doubled_and_each_stays_in_its_bucket(
        buckets in buckets(),
    ) {
        let mut sketch = Sketch::default();
        for (low, high, count) in &buckets {
            sketch.spread(*low, *high, *count).unwrap();
        }
        sketch.finish();
        let counted: u64 = buckets.iter().map(|(_, _, count)| count).sum();
        prop_assert_eq!(total(&sketch), counted);
        prop_assert_eq!(sketch.summary.count, counted);
        let bins = chunks(&sketch);
        prop_assert!(bins.is_sorted_by_key(|(key, _)| *key));
        prop_assert!(bins.iter().all(|(_, n)| (1..=65_535).contains(n)));
        // As many values as lie in the buckets up to here, but for the bin that buckets share.
        for (nth, (_, high, _)) in buckets.iter().enumerate() {
            let below: u64 = buckets[..=nth].iter().map(|(_, _, count)| count).sum();
            let end = key(*high);
            let up_to = |last: i32| bins.iter().filter(|(key, _)| *key <= last).map(|(_, n)| n).sum::<u64>();
            prop_assert!(up_to(end) >= below && up_to(end - 1) <= below);
        }
    }

    #[test]
    fn every_value_is_within_a_hundredth_of_its_bin(value in -1e12..1e12) {
        let error = (lower(key(value)) - value).abs();
        prop_assert!(error <= value.abs() / 128.0 + 1e-9, "{error}");
    }
}
