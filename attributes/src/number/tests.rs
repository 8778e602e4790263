use super::*;

#[test]
fn integer_is_parsed_as_go_parses_it() {
    // Taken from Go 1.26 `strconv.ParseInt(text, 10, 64)`.
    let accepted = [
        ("1", 1),
        ("+1", 1),
        ("-1", -1),
        ("007", 7),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ];
    for (text, value) in accepted {
        assert_eq!(parse_int(text), Some(value), "{text:?}");
    }
    for text in ["", "+", " 1", "1 ", "1.5", "1_000", "0x10", "9223372036854775808", "１", "1e3"] {
        assert_eq!(parse_int(text), None, "{text:?}");
    }
}

#[test]
fn double_is_parsed_as_go_parses_it() {
    // Taken from Go 1.26 `strconv.ParseFloat(text, 64)`; bits of the result.
    let accepted = [
        ("1", 0x3ff0_0000_0000_0000),
        ("+1.5", 0x3ff8_0000_0000_0000),
        ("-1.5e3", 0xc097_7000_0000_0000),
        ("1.", 0x3ff0_0000_0000_0000),
        (".5", 0x3fe0_0000_0000_0000),
        ("-.5", 0xbfe0_0000_0000_0000),
        ("1e-400", 0),
        ("inf", 0x7ff0_0000_0000_0000),
        ("+Inf", 0x7ff0_0000_0000_0000),
        ("-infinity", 0xfff0_0000_0000_0000),
        ("INFINITY", 0x7ff0_0000_0000_0000),
        ("1_000.5", 0x408f_4400_0000_0000),
        ("1E3", 0x408f_4000_0000_0000),
        ("1e1_0", 0x4202_a05f_2000_0000),
        ("0x1p-2", 0x3fd0_0000_0000_0000),
        ("0X1.8P1", 0x4008_0000_0000_0000),
        ("-0x1.8p1", 0xc008_0000_0000_0000),
        ("0x.8p0", 0x3fe0_0000_0000_0000),
        ("0x_1p0", 0x3ff0_0000_0000_0000),
        ("0x1_0p0", 0x4030_0000_0000_0000),
        ("0x1.fffffffffffff8p0", 0x4000_0000_0000_0000),
        ("0x1.fffffffffffffp1023", 0x7fef_ffff_ffff_ffff),
        ("0x1p-1074", 1),
        ("0x1p-1075", 0),
        ("0x1.8p-1075", 1),
        ("0x1p-99999", 0),
        ("0x1.00000000000008p0", 0x3ff0_0000_0000_0000),
        ("0x1.00000000000018p0", 0x3ff0_0000_0000_0002),
        ("0x1.0000000000000800000000000000000000001p0", 0x3ff0_0000_0000_0001),
    ];
    for (text, bits) in accepted {
        assert_eq!(parse_double(text).map(f64::to_bits), Some(bits), "{text:?}");
    }
    assert!(parse_double("nan").is_some_and(f64::is_nan));
    assert!(parse_double("NaN").is_some_and(f64::is_nan));
    for text in [
        "",
        ".",
        " 1",
        "1 ",
        "1e",
        "1e400",
        "-1e400",
        "infin",
        "-nan",
        "+nan",
        "0x1",
        "0xp1",
        "0x1p",
        "0x1p99999",
        "0x1.fffffffffffff8p1023",
        "0b1",
        "0o7",
        "1f",
        "--1",
        "1__0",
        "_1",
        "1_",
        "1_.5",
        "in_f",
    ] {
        assert_eq!(parse_double(text), None, "{text:?}");
    }
}
