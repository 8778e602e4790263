//! Exponential histograms in bins.

use proptest::prelude::*;

use super::*;

fn histogram<'a>(
    scale: i32,
    zero_count: u64,
    positive: (i32, &'a [u64]),
    negative: (i32, &'a [u64]),
) -> Exponential<'a> {
    let side = |(offset, counts)| Side { offset, counts };
    Exponential { scale, zero_count, positive: side(positive), negative: side(negative) }
}

fn bins(histogram: &Exponential<'_>) -> Vec<(i32, u64)> {
    let mut sketch = Sketch::default();
    sketch.take(histogram).unwrap();
    sketch.finish();
    sketch.bins
}

#[test]
fn bins_are_moved_by_half_of_one() {
    assert!((HALF_DOWN * GAMMA.sqrt() - 1.0).abs() < 1e-15);
}

#[test]
fn a_bucket_is_shared_out_evenly() {
    // From 1 to 2 at scale 0: 45 bins, and as many values as it takes to see their widths.
    let bins = bins(&histogram(0, 0, (0, &[100_000]), (0, &[])));
    assert_eq!(bins.iter().map(|(_, n)| n).sum::<u64>(), 100_000);
    let (first, last) = (bins[0].0, bins[bins.len() - 1].0);
    assert_eq!((first, last), (1338, 1383));
    for pair in bins[1..bins.len() - 1].windows(2) {
        let growth = pair[1].1 as f64 / pair[0].1 as f64;
        assert!((growth - GAMMA).abs() < 0.002, "{pair:?}");
    }
}

#[test]
fn fine_buckets_add_up() {
    // 16 buckets of scale 4 are as wide as one of scale 0.
    let fine = bins(&histogram(4, 0, (0, &[1000; 16]), (0, &[])));
    assert_eq!(fine.iter().map(|(_, n)| n).sum::<u64>(), 16_000);
    assert_eq!((fine[0].0, fine[fine.len() - 1].0), (1338, 1383));
}

#[test]
fn one_value_is_in_one_bin() {
    assert_eq!(bins(&histogram(0, 0, (2, &[1]), (0, &[]))).len(), 1);
    assert_eq!(bins(&histogram(0, 1, (0, &[]), (0, &[]))), [(0, 1)]);
    let below = bins(&histogram(0, 0, (0, &[0]), (2, &[0, 1])));
    assert!(below.len() == 1 && below[0].0 < 0, "{below:?}");
}

#[test]
fn negative_values_zeros_and_positive_values_come_in_this_order() {
    let bins = bins(&histogram(2, 4, (0, &[3, 3]), (0, &[2, 2])));
    assert!(bins.is_sorted());
    assert_eq!(bins.iter().filter(|(key, _)| *key < 0).map(|(_, n)| n).sum::<u64>(), 4);
    assert_eq!(bins.iter().find(|(key, _)| *key == 0), Some(&(0, 4)));
}

#[test]
fn what_is_too_close_to_zero_is_zero() {
    assert_eq!(bins(&histogram(0, 1, (-2000, &[5, 5]), (-1080, &[2]))), [(0, 13)]);
    assert_eq!(bins(&histogram(0, 0, (-40, &[5]), (0, &[]))), [(0, 5)]);
}

#[test]
fn what_is_too_far_from_zero_is_refused() {
    for (scale, offset) in [(0, 800), (0, 5000), (-10, 0), (-2000, 0), (-11, i32::MAX)] {
        let mut sketch = Sketch::default();
        for (positive, negative) in
            [((offset, &[2_u64][..]), (0, &[][..])), ((0, &[][..]), (offset, &[2][..]))]
        {
            let histogram = histogram(scale, 0, positive, negative);
            assert_eq!(sketch.take(&histogram), Err(OutOfRange), "{scale} {offset}");
        }
    }
    // Empty buckets may lie anywhere.
    assert_eq!(bins(&histogram(0, 2, (5000, &[0]), (0, &[]))), [(0, 2)]);
}

#[test]
fn scales_finer_than_doubles_are_taken_for_what_they_are() {
    assert_eq!(bins(&histogram(60, 0, (5, &[3]), (0, &[]))), [(1338, 3)]);
}

proptest! {
    #[test]
    fn counts_are_exact_and_sums_as_close_as_the_bins(
        scale in -3..12,
        offset in -300..300,
        positive in prop::collection::vec(0_u64..1000, 0..40),
        negative in prop::collection::vec(0_u64..1000, 0..40),
        zero in 0_u64..1000,
    ) {
        let histogram = histogram(scale, zero, (offset, &positive), (offset, &negative));
        let mut sketch = Sketch::default();
        // Beyond the bins only.
        if sketch.take(&histogram).is_err() {
            let counted = positive.len().max(negative.len()) as i64;
            prop_assert!(bound(i64::from(offset) + counted, scale) > 1e211);
            return Ok(());
        }
        let count = zero + positive.iter().sum::<u64>() + negative.iter().sum::<u64>();
        prop_assert_eq!(sketch.summary.count, count);
        sketch.finish();
        prop_assert_eq!(sketch.bins.iter().map(|(_, n)| n).sum::<u64>(), count);
        // Between what the lower and the upper bounds of the buckets come to.
        let side = |counts: &[u64], up: i64| {
            let at = |nth: usize| bound(i64::from(offset) + nth as i64 + up, scale);
            counts.iter().enumerate().map(|(nth, n)| at(nth) * *n as f64).sum::<f64>()
        };
        let (least, most) =
            (side(&positive, 0) - side(&negative, 1), side(&positive, 1) - side(&negative, 0));
        // Up to a bin's width off, and what counts as zero is up to a billionth.
        let slack = (side(&positive, 1) + side(&negative, 1)) / 64.0 + count as f64 * 1e-9;
        let sum = sketch.summary.sum;
        prop_assert!(least - slack <= sum && sum <= most + slack, "{least} {sum} {most}");
    }
}
