use proptest::collection::vec;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;

/// What is written in the place of a trace state; `None` when it stays.
fn written(text: &str, rv: Option<&str>, th: Option<&str>) -> Option<String> {
    let mut out = b"left over".to_vec();
    let (rv, th) = (rv.map(str::as_bytes), th.map(str::as_bytes));
    let state = TraceState::parse(text.as_bytes()).unwrap();
    state.write_changed(rv, th, &mut out).then(|| String::from_utf8(out).unwrap())
}

#[test]
fn threshold_and_randomness_take_their_places() {
    let cases = [
        ("", "ot=th:8"),
        ("a=1", "ot=th:8,a=1"),
        ("a=1 ,\tb=2,", "ot=th:8,a=1,b=2"),
        ("ot=th:4", "ot=th:8"),
        ("b=2,ot=x:1;th:4;rv:0123456789ABCD;y:,a=1", "ot=rv:0123456789ABCD;th:8;x:1;y:,b=2,a=1"),
        ("ot=x:1,ot=y:2", "ot=th:8;y:2"),
        ("ot2=th:4", "ot=th:8,ot2=th:4"),
    ];
    for (before, after) in cases {
        assert_eq!(written(before, None, Some("8")).as_deref(), Some(after), "{before}");
    }
    let both = written("a=1", Some("ffffffffffffff"), Some("0"));
    assert_eq!(both.as_deref(), Some("ot=rv:ffffffffffffff;th:0,a=1"));
}

#[test]
fn what_would_be_written_as_it_came_is_not_written() {
    for text in ["ot=th:8", "ot=rv:0123456789abcd;th:8;x:1,a=1"] {
        assert_eq!(written(text, None, Some("8")), None);
        assert_eq!(written(text, None, None), None);
    }
    assert_eq!(written("ot=th:C", None, None), None);
    assert_eq!(written("ot=th:C", None, Some("c")).as_deref(), Some("ot=th:c"));
    assert_eq!(written("", None, None), None);
}

#[test]
fn faults_are_told_apart() {
    let long = |count| "x".repeat(count);
    let cases = [
        (format!("a={}", long(1023)), Malformed::Size),
        ("a=1,".repeat(32), Malformed::Size),
        (format!("{}=1", long(257)), Malformed::Size),
        (format!("{}@b=1", long(242)), Malformed::Size),
        (format!("a@{}=1", long(15)), Malformed::Size),
        (format!("a={}", long(257)), Malformed::Syntax),
        ("a".to_owned(), Malformed::Syntax),
        ("A=1".to_owned(), Malformed::Syntax),
        ("a=é".to_owned(), Malformed::Syntax),
        ("ot=th:8;".to_owned(), Malformed::Syntax),
        ("ot=th:x".to_owned(), Malformed::Threshold),
        ("ot=rv:8".to_owned(), Malformed::Randomness),
        ("ot=rv:8,ot=th:8".to_owned(), Malformed::Randomness),
    ];
    for (text, fault) in cases {
        assert_eq!(TraceState::parse(text.as_bytes()).unwrap_err(), fault, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_not_ours_is_kept_in_its_order(
        before in vec("[a-np-z][a-z0-9]{0,3}=[!-+./-9a-z]{1,5}", 0..9),
        after in vec("[a-np-z][a-z0-9]{0,3}=[!-+./-9a-z]{1,5}", 0..9),
        fields in vec("[a-qs-z][a-gi-z]{0,3}:[a-z0-9._-]{0,4}", 1..4),
        threshold in "[0-9a-f]{1,14}",
        blank in "[ \t]{0,2},[ \t]{0,2}",
    ) {
        let ot = format!("ot={}", fields.join(";"));
        let members: Vec<&String> = before.iter().chain([&ot]).chain(&after).collect();
        let text = members.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(&blank);
        let out = written(&text, None, Some(&threshold)).expect("there was no threshold");
        let state = TraceState::parse(out.as_bytes()).expect("what is written can be read");
        prop_assert_eq!(state.threshold, Threshold::parse(threshold.as_bytes()));
        prop_assert!(state.randomness.is_none());
        let others: Vec<&str> = out.split(',').skip(1).collect();
        let expected: Vec<&str> = before.iter().chain(&after).map(String::as_str).collect();
        prop_assert_eq!(others, expected);
        let ours = out.split(',').next().unwrap_or_default();
        prop_assert_eq!(ours, format!("ot=th:{threshold};{}", fields.join(";")));
    }
}
