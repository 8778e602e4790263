use libdd_ddsketch::DDSketch;
use proptest::prelude::*;

use super::*;

/// What the intake sees: the middle of each bin, with its count.
fn bins_of(sketch: &Sketch) -> Vec<(f64, f64)> {
    let decoded = DDSketch::from_encoded(&sketch.encode()).expect("it is a DDSketch");
    decoded.ordered_bins().into_iter().filter(|(_, count)| *count > 0.0).collect()
}

/// The value below which a share of the counts lies, read as the backend reads it.
fn quantile(bins: &[(f64, f64)], q: f64) -> f64 {
    let total: f64 = bins.iter().map(|(_, count)| count).sum();
    let rank = q * (total - 1.0);
    let mut below = 0.0;
    let bin = bins.iter().find(|(_, count)| {
        below += count;
        below > rank
    });
    bin.map_or(f64::NAN, |(value, _)| *value)
}

fn sketch_of(durations: impl IntoIterator<Item = u64>) -> Sketch {
    let (bins, mut sketch) = (Bins::new(), Sketch::default());
    for duration in durations {
        sketch.add(&bins, duration);
    }
    sketch
}

#[test]
fn every_duration_falls_where_the_logarithm_puts_it() {
    let bins = Bins::new();
    for exponent in 0..63_u32 {
        for mantissa in 0..512_u64 {
            // The smallest duration with these bits; the mantissa's low ones are lost to whole nanoseconds.
            let duration = (1_u64 << exponent) + (mantissa << exponent >> 9);
            let kept = f64::from_bits((duration as f64).to_bits() & 0xffff_f800_0000_0000);
            let expected = (kept.ln() / GAMMA.ln() + INDEX_OFFSET).floor();
            let found = f64::from(bins.of(duration).unwrap());
            // On a bound the last bit of a logarithm decides.
            let exact = kept.ln() / GAMMA.ln() + INDEX_OFFSET;
            let on_bound = (exact - exact.round()).abs() < 1e-9;
            assert!(found == expected || on_bound, "{duration}: {found}, not {expected}");
        }
    }
    assert_eq!(bins.of(0), None);
    assert_eq!(bins.of(1), Some(1338));
    assert!(bins.of(u64::MAX).is_some());
}

#[test]
fn quantiles_of_a_million_durations_are_within_one_percent() {
    let mut rng = fastrand::Rng::with_seed(7);
    // From microseconds to minutes, most of them around ten milliseconds.
    let spread = |rng: &mut fastrand::Rng| (0..6).map(|_| rng.f64()).sum::<f64>() / 6.0;
    let mut durations: Vec<u64> =
        (0..1_000_000).map(|_| 10_f64.powf(3.0 + 8.0 * spread(&mut rng)) as u64).collect();
    let bins = bins_of(&sketch_of(durations.iter().copied()));
    durations.sort_unstable();
    let mut worst: f64 = 0.0;
    for permille in 0..=1000 {
        let q = f64::from(permille) / 1000.0;
        let exact = durations[(q * (durations.len() - 1) as f64) as usize] as f64;
        let error = (quantile(&bins, q) - exact).abs() / exact;
        worst = worst.max(error);
    }
    assert!(worst < 0.01, "an error of {worst}");
    // The mantissa's cut alone makes a half of a per cent in places; a sketch without it would be finer than it claims to be.
    assert!(worst > 0.005, "an error of {worst}: the test looks at too little");
}

#[test]
fn no_single_duration_is_off_by_more_than_one_percent() {
    let bins = Bins::new();
    let mut duration = 1_u64;
    while duration < 1 << 53 {
        let mut sketch = Sketch::default();
        sketch.add(&bins, duration);
        let [(value, count)] = bins_of(&sketch)[..] else { panic!("one bin") };
        let error = (value - duration as f64).abs() / duration as f64;
        assert!(count == 1.0 && error < 0.01, "{duration} reads as {value}");
        duration += duration / 700 + 1;
    }
}

#[test]
fn empty_sketch_has_a_mapping_and_no_counts() {
    let bytes = Sketch::default().encode();
    let decoded = DDSketch::from_encoded(&bytes).unwrap();
    assert_eq!(decoded.count(), 0.0);
}

#[test]
fn spans_without_duration_are_counted_as_zeros() {
    let decoded = DDSketch::from_encoded(&sketch_of([0, 0, 5]).encode()).unwrap();
    assert_eq!(decoded.ordered_bins()[0], (0.0, 2.0));
    assert_eq!(decoded.count(), 3.0);
}

#[test]
fn counts_below_the_highest_2048_bins_are_added_to_the_lowest() {
    let sketch = sketch_of([1, 2, 3, 1 << 62, 1 << 62]);
    let bins = bins_of(&sketch);
    let counts: Vec<f64> = bins.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [3.0, 2.0]);
    let span = (bins[1].0 / bins[0].0).ln() / GAMMA.ln();
    assert_eq!(span.round() as usize, BINS_MAX - 1);
}

proptest! {
    #[test]
    fn sketch_is_that_of_the_library_over_the_same_bits(
        durations in prop::collection::vec(
            (0_u32..50, any::<u64>()).prop_map(|(bits, any)| any >> (63 - bits) | 1), 0..400
        )
    ) {
        let kept = |duration: u64| f64::from_bits((duration as f64).to_bits() & 0xffff_f800_0000_0000);
        let mut theirs = DDSketch::default();
        durations.iter().for_each(|duration| theirs.add(kept(*duration)).unwrap());
        let ours = DDSketch::from_encoded(&sketch_of(durations.iter().copied()).encode()).unwrap();
        let full = |bins: Vec<(f64, f64)>| -> Vec<(f64, f64)> {
            bins.into_iter().filter(|(_, count)| *count > 0.0).collect()
        };
        let (ours, theirs) = (full(ours.ordered_bins()), full(theirs.ordered_bins()));
        prop_assert_eq!(ours.len(), theirs.len());
        for ((value, count), (other, others)) in ours.iter().zip(&theirs) {
            prop_assert!((value / other - 1.0).abs() < 1e-9, "{} and {}", value, other);
            prop_assert_eq!(count, others);
        }
    }

    #[test]
    fn growth_that_is_reported_adds_up_to_the_bytes_taken(
        durations in prop::collection::vec(any::<u64>(), 0..300)
    ) {
        let (bins, mut sketch, mut grown) = (Bins::new(), Sketch::default(), 0);
        durations.iter().for_each(|duration| grown += sketch.add(&bins, *duration));
        prop_assert_eq!(grown, sketch.bytes() as isize);
    }
}
