//! Contract 1.6 for written values; what `${…}` changes is tested with the resolver.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{Decode, Diagnostics, Mismatch, Node, Opaque, Section, keyword, keyword_in_any_case};

/// The value of `x`, and all that was said about it.
fn decode<T: Decode>(yaml: &str) -> (Option<T>, Vec<String>) {
    let node = Node::from_yaml("file:t.yaml", &format!("x: {yaml}")).expect("YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "", &diagnostics);
    let value = section.get("x");
    section.finish();
    (value, diagnostics.sorted().iter().map(ToString::to_string).collect())
}

#[track_caller]
fn gives<T: Decode + Debug + PartialEq>(yaml: &str, expected: T) {
    assert_eq!(decode(yaml), (Some(expected), Vec::new()), "{yaml}");
}

#[track_caller]
fn warns<T: Decode + Debug + PartialEq>(yaml: &str, expected: T, warning: &str) {
    assert_eq!(decode(yaml), (Some(expected), vec![format!("x: {warning}")]), "{yaml}");
}

#[track_caller]
fn refuses<T: Decode + Debug + PartialEq>(yaml: &str, error: &str) {
    assert_eq!(decode::<T>(yaml), (None, vec![format!("'x' {error}")]), "{yaml}");
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

#[test]
fn no_type_is_converted_to_another() {
    let got = |wanted, got| format!("expected type '{wanted}', got unconvertible type '{got}'");
    gives("true", true);
    refuses::<bool>("yes", &got("bool", "string"));
    refuses::<bool>("'true'", &got("bool", "string"));
    refuses::<bool>("1", &got("bool", "int"));
    refuses::<bool>("[]", &got("bool", "[]interface {}"));
    gives("text", "text".to_owned());
    gives("'4317'", "4317".to_owned());
    refuses::<String>("4317", &got("string", "int"));
    refuses::<String>("0.5", &got("string", "float64"));
    refuses::<String>("true", &got("string", "bool"));
    refuses::<String>("{a: b}", &got("string", "map[string]interface {}"));
    gives("7", 7_i64);
    refuses::<i64>("'7'", &got("int64", "string"));
    refuses::<u16>("true", &got("uint16", "bool"));
    refuses::<f64>("'7'", &got("float64", "string"));
    gives("2023-03-20", "2023-03-20".to_owned());
}

#[test]
fn integers_keep_to_their_range() {
    gives("0x10", 16_u8);
    gives("65535", u16::MAX);
    refuses::<u16>("65536", "must be an integer from 0 to 65535");
    refuses::<u32>("-1", "must be an integer from 0 to 4294967295");
    gives("18446744073709551615", u64::MAX);
    gives("-9223372036854775808", i64::MIN);
    refuses::<i64>("1e30", "must be an integer from -9223372036854775808 to 9223372036854775807");
    refuses::<i64>(".inf", "must be a finite number");
    refuses::<usize>(".nan", "must be a finite number");
}

#[test]
fn a_fraction_is_cut_off_with_a_warning() {
    let warning = "the fraction is cut off: the setting is an integer";
    warns("1.9", 1_u64, warning);
    warns("-1.9", -1_i64, warning);
    gives("2.0", 2_u64);
    gives("1e3", 1000_u64);
    gives("3", 3.0_f64);
}

#[test]
fn durations_are_go_strings_and_a_bare_number_counts_nanoseconds() {
    gives("1h30m", Duration::from_secs(5400));
    gives("1.5s", Duration::from_millis(1500));
    gives("300ms", Duration::from_millis(300));
    gives("0", Duration::ZERO);
    gives("'0'", Duration::ZERO);
    let (value, said) = decode::<Duration>("5");
    assert_eq!(value, Some(Duration::from_nanos(5)));
    assert!(
        said[0].starts_with("x: 5 without a unit means 5 nanoseconds; write a number"),
        "{said:?}"
    );
    let (value, said) = decode::<Duration>("1.5");
    assert_eq!((value, said.len()), (Some(Duration::from_nanos(1)), 1));
    refuses::<Duration>("fast", "invalid duration");
    refuses::<Duration>("'5'", "missing unit in duration");
    refuses::<Duration>("5d", "unknown unit in duration");
    refuses::<Duration>("-5s", "the duration must not be negative");
    refuses::<Duration>("true", "expected type 'time.Duration', got unconvertible type 'bool'");
    let (_, said) = decode::<Duration>("-5");
    assert!(said.contains(&"'x' must not be negative".to_owned()), "{said:?}");
}

#[test]
fn a_list_of_strings_also_comes_from_text_split_at_commas() {
    gives("[a, b]", strings(&["a", "b"]));
    gives("a,b, c", strings(&["a", "b", " c"]));
    gives("a", strings(&["a"]));
    gives("''", strings(&[]));
    gives("[]", strings(&[]));
    refuses::<Vec<String>>("5", "source data must be an array or slice, got int");
    refuses::<Vec<String>>("{a: b}", "source data must be an array or slice, got map");
}

#[test]
fn every_wrong_element_of_a_list_is_reported_at_its_place() {
    let node = Node::from_yaml("file:t.yaml", "x:\n  - 1\n  - b\n  - 2\n  - [c]\n").expect("YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "a", &diagnostics);
    assert_eq!(section.get::<Vec<u64>>("x"), None);
    section.finish();
    let said: Vec<(String, u32)> = diagnostics
        .sorted()
        .iter()
        .map(|d| (d.to_string(), d.origin().expect("a place").line()))
        .collect();
    let error = |index, got| {
        format!("'a.x[{index}]' expected type 'uint64', got unconvertible type '{got}'")
    };
    assert_eq!(said, [(error(1, "string"), 3), (error(3, "[]interface {}"), 5)]);
}

#[test]
fn a_written_null_is_zero_for_scalars_and_absent_for_the_rest() {
    let zero = |zero| format!("null sets this to {zero}; leave the key out to keep the default");
    warns("", 0_u64, &zero("0"));
    warns("null", 0.0, &zero("0"));
    warns("~", false, &zero("false"));
    warns("", String::new(), &zero("empty text"));
    warns("", Duration::ZERO, &zero("0s"));
    gives("null", None::<u64>);
    gives("7", Some(7_u64));
    assert_eq!(decode::<Vec<String>>("null"), (None, Vec::new()));
    gives("[null]", vec![None::<u64>]);
    let (value, _) = decode::<Vec<String>>("[null]");
    assert_eq!(value, Some(strings(&[""])));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Basic,
    Detailed,
}

impl Decode for Level {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        keyword(node, &[("basic", Self::Basic), ("detailed", Self::Detailed)])
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct AnyCase(bool);

impl Decode for AnyCase {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        keyword_in_any_case(node, &[("info", Self(false)), ("debug", Self(true))])
    }
}

#[test]
fn a_word_of_a_fixed_set_is_read_and_another_is_refused_with_the_closest() {
    gives("detailed", Level::Detailed);
    gives("basic", Level::Basic);
    gives("DEBUG", AnyCase(true));
    refuses::<Level>("Basic", "is none of the valid values");
    refuses::<Level>("5", "expected type 'string', got unconvertible type 'int'");
    let node = Node::from_yaml("t", "detaild").expect("YAML");
    let mismatch = Level::decode(&node).expect_err("no such word");
    assert_eq!(
        mismatch.faults[0].help.as_deref(),
        Some("did you mean \"detailed\"? valid values: basic, detailed")
    );
}

#[test]
fn a_secret_that_does_not_fit_is_not_repeated() {
    let yaml = "x: 12345678\ny: [s3cret, 87654321]\n";
    let node = Node::from_yaml("file:t.yaml", yaml).expect("YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "", &diagnostics);
    assert_eq!(section.get::<Opaque>("x"), None);
    assert_eq!(section.get::<Vec<Opaque>>("y"), None);
    section.error("y", "needs one value only");
    section.finish();
    let report = diagnostics.to_string();
    for part in ["12345678", "s3cret", "87654321"] {
        assert!(!report.contains(part), "{report}");
    }
    assert!(report.contains("1 | x: …\n  | ^\n"), "{report}");
}

#[test]
fn shared_text_decodes_as_text_does() {
    gives("text", Arc::<str>::from("text"));
    gives("text", Opaque::new("text"));
}
