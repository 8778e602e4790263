use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::*;

fn text(probability: f64, precision: usize) -> String {
    Threshold::of_probability(probability, precision).unwrap().digits().as_str().to_owned()
}

#[test]
fn probabilities_come_to_the_thresholds_of_the_specification() {
    let cases = [
        (1.0, 4, "0"),
        (0.5, 4, "8"),
        (0.25, 4, "c"),
        (1.0 / 3.0, 4, "aaab"),
        (1.0 / 3.0, 14, "aaaaaaaaaaaaac"),
        (0.1, 3, "e66"),
        (0.01, 3, "fd71"),
        (0.001, 3, "ffbe7"),
        (0.999, 3, "00419"),
        (PROBABILITY_MIN, 14, "ffffffffffffff"),
    ];
    for (probability, precision, expected) in cases {
        assert_eq!(text(probability, precision), expected, "{probability} with {precision}");
    }
}

#[test]
fn what_is_no_probability_has_no_threshold() {
    for not_one in [0.0, -0.5, 1.000_001, PROBABILITY_MIN / 2.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Threshold::of_probability(not_one, 4), None, "{not_one}");
    }
}

#[test]
fn randomness_of_a_trace_is_in_its_last_seven_bytes() {
    let id = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
    assert_eq!(Randomness::of_trace_id(&id).digits().as_str(), "99aabbccddeeff");
}

#[test]
fn never_and_always_are_what_they_say() {
    for randomness in [Randomness::of_bits(0), Randomness::MAX] {
        assert!(Threshold::ALWAYS.takes(randomness));
        assert!(!Threshold::NEVER.takes(randomness));
    }
}

#[test]
fn only_hexadecimal_digits_are_read() {
    for wrong in ["", "g", "+8", "-8", "0x8", "8_0", " 8", "fffffffffffffff", "é"] {
        assert_eq!(Threshold::parse(wrong.as_bytes()), None, "{wrong:?}");
    }
    for wrong in ["", "fffffffffffff", "fffffffffffffff", "+fffffffffffff", "fffffffffffffg"] {
        assert_eq!(Randomness::parse(wrong.as_bytes()), None, "{wrong:?}");
    }
    assert_eq!(Threshold::parse(b"C0"), Threshold::parse(b"c"));
}

proptest! {
    #[test]
    fn digits_read_back_as_what_they_were_written_from(bits in any::<u64>()) {
        let randomness = Randomness::of_bits(bits);
        prop_assert_eq!(Randomness::parse(randomness.digits().as_bytes()), Some(randomness));
        let threshold = Threshold(randomness.0 >> (bits % 57));
        prop_assert_eq!(Threshold::parse(threshold.digits().as_bytes()), Some(threshold));
        prop_assert!(threshold.digits().as_str() == "0" || !threshold.digits().as_str().ends_with('0'));
    }

    #[test]
    fn rounded_threshold_is_near_its_probability(probability in 1e-9..1.0, precision in 1..=DIGITS) {
        let threshold = Threshold::of_probability(probability, precision).unwrap();
        let off = (threshold.probability() - probability).abs();
        // Half a unit of the last digit, relative to what is left or to what is taken, whichever is less.
        let unit = 16_f64.powi(1 - precision as i32);
        prop_assert!(off <= unit * probability.min(1.0 - probability) + f64::EPSILON, "{threshold:?} is {off} off");
    }
}
