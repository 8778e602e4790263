use super::*;

#[test]
fn doubles_are_printed_as_go_prints_them() {
    // Taken from Go 1.26: `%v` and `%f`.
    let cases = [
        (0.0, "0", "0.000000"),
        (-0.0, "-0", "-0.000000"),
        (-1.5, "-1.5", "-1.500000"),
        (123_456.0, "123456", "123456.000000"),
        (999_999.0, "999999", "999999.000000"),
        (1e6, "1e+06", "1000000.000000"),
        (1_234_567.0, "1.234567e+06", "1234567.000000"),
        (123_456_789.25, "1.2345678925e+08", "123456789.250000"),
        (1e21, "1e+21", "1000000000000000000000.000000"),
        (0.0001, "0.0001", "0.000100"),
        (9.9e-5, "9.9e-05", "0.000099"),
        (5e-324, "5e-324", "0.000000"),
        (f64::NAN, "NaN", "NaN"),
        (f64::INFINITY, "+Inf", "+Inf"),
        (f64::NEG_INFINITY, "-Inf", "-Inf"),
    ];
    for (value, general, fixed) in cases {
        assert_eq!(
            (General(value).to_string(), Fixed(value).to_string()),
            (general.into(), fixed.into())
        );
    }
}

#[test]
fn timestamp_is_printed_as_go_prints_it() {
    // Taken from Go 1.26: `time.Unix(0, int64(ts)).UTC().String()`.
    let cases = [
        (0, "1970-01-01 00:00:00 +0000 UTC"),
        (1_581_452_773_000_000_789, "2020-02-11 20:26:13.000000789 +0000 UTC"),
        (1_709_210_096_500_000_000, "2024-02-29 12:34:56.5 +0000 UTC"),
        (i64::MAX as u64, "2262-04-11 23:47:16.854775807 +0000 UTC"),
        (1 << 63, "1677-09-21 00:12:43.145224192 +0000 UTC"),
        (u64::MAX, "1969-12-31 23:59:59.999999999 +0000 UTC"),
    ];
    for (nanos, text) in cases {
        assert_eq!(Timestamp(nanos).to_string(), text);
    }
}

#[test]
fn duration_has_three_digits_and_a_unit() {
    let cases = [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1 µs"),
        (1_234, "1.23 µs"),
        (12_345, "12.3 µs"),
        (4_210_000, "4.21 ms"),
        (38_400_000, "38.4 ms"),
        (312_000_000, "312 ms"),
        (1_520_000_000, "1.52 s"),
        (59_949_000_000, "59.9 s"),
        (123_000_000_000, "2m 03s"),
        (3_725_000_000_000, "1h 02m"),
        (360_000_000_000_000, "4d 04h"),
    ];
    for (nanos, text) in cases {
        assert_eq!(Human(Duration::from_nanos(nanos)).to_string(), text);
    }
}

#[test]
fn id_of_zeros_is_nothing() {
    assert_eq!(Id(&[0; 8]).to_string(), "");
    assert_eq!(Id(&[]).to_string(), "");
    assert_eq!(Id(&[0, 0x0a, 0xff]).to_string(), "000aff");
}
