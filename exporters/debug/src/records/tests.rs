use super::*;
use crate::fixtures;

#[test]
fn every_record_and_point_is_one_line_as_on_file() {
    for case in fixtures::cases("records") {
        let payload = fixtures::input(&case);
        let plain = format(&payload, Style { color: false, width: None });
        assert_eq!(plain.iter().filter(|byte| **byte == b'\n').count(), payload.items());
        fixtures::check(&case, "plain.txt", &plain);
        let narrow = format(&payload, Style { color: false, width: Some(60) });
        fixtures::check(&case, "60_columns.txt", &narrow);
        let colored = format(&payload, Style { color: true, width: Some(120) });
        fixtures::check(&case, "color.txt", &colored);
    }
}

#[test]
fn number_keeps_four_digits() {
    let cases = [
        (0.0, "0"),
        (1.0, "1"),
        (78.901_234, "78.9"),
        (0.074_308, "0.07431"),
        (-2.5, "-2.5"),
        (1_234.567, "1234.6"),
        (1_234_567.0, "1234567"),
        (1e15, "1.000e15"),
        (1e-7, "1.000e-7"),
        (f64::NAN, "NaN"),
    ];
    for (value, text) in cases {
        assert_eq!(rounded(value), text);
    }
}
