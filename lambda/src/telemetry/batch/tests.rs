use proptest::prelude::*;
use serde_json::json;

use super::*;

fn kinds(parsed: &Parsed) -> Vec<&str> {
    parsed.events.iter().map(|event| event.kind.name()).collect()
}

#[test]
fn events_keep_their_order_time_and_record() {
    let parsed = parse(
        br#"[{"time":"2024-02-29T12:34:56.789Z","type":"platform.start","record":{"requestId":"r","tracing":{"value":"Root=1","spanId":"s"}}},
            {"time":"2024-02-29T12:34:56.790Z","type":"function","record":"a line\n"},
            {"type":"function","record":{"message":"m","n":1}}]"#,
    );
    let [start, line, object] = parsed.events.as_slice() else { panic!("{parsed:?}") };
    assert_eq!(start.time, Some(1_709_210_096_789_000_000));
    assert_eq!(start.request_id(), Some("r"));
    assert_eq!(start.platform().unwrap().trace_header(), Some("Root=1"));
    assert_eq!(start.platform().unwrap().trace_span_id(), Some("s"));
    assert_eq!(line.record, Record::Text("a line\n".to_owned()));
    assert!(line.platform().is_none());
    let Record::Object(object) = &object.record else { panic!("{object:?}") };
    assert_eq!(Value::from(object.clone()), json!({"message": "m", "n": 1}));
    assert_eq!((parsed.odd, parsed.fault), (0, None));
}

#[test]
fn odd_element_costs_no_neighbour_its_place() {
    let deep = "[".repeat(500) + &"]".repeat(500);
    let odd = [
        ("7", true),
        ("null", true),
        (r#"{"time":1}"#, true),
        (r#"{"type":7}"#, true),
        (r#"{"type":"function","time":"yesterday","record":"kept"}"#, false),
        (r#"{"type":"function","time":{"a":1},"record":{"x":1e999}}"#, false),
        (r#"{"type":"platform.start","record":"not an object"}"#, false),
        (r#"{"type":"platform.new","more":[1],"record":[]}"#, false),
        (r#"{"type":"function","record":"\ud800 half a pair"}"#, false),
        (&format!(r#"{{"type":"function","record":{deep}}}"#), false),
        (r#"{"type":"function"}"#, false),
    ];
    for (element, is_odd) in odd {
        let body = format!(
            r#"[{{"type":"function","record":"1"}},{element},{{"type":"extension","record":"2"}}]"#
        );
        let parsed = parse(body.as_bytes());
        assert_eq!(parsed.fault, None, "{element}");
        assert_eq!(parsed.odd, usize::from(is_odd), "{element}");
        assert_eq!(parsed.events.len(), 3 - parsed.odd, "{element}");
        assert_eq!(kinds(&parsed).last(), Some(&"extension"), "{element}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_repaired() {
    let parsed = parse(b"[{\"type\":\"function\",\"record\":\"a \xff b\"},{\"type\":\"function\",\"record\":\"\\udfff\"}]");
    let records: Vec<Record> = parsed.events.into_iter().map(|event| event.record).collect();
    let [Record::Text(first), Record::Text(second)] = records.as_slice() else { panic!() };
    assert_eq!(first, "a \u{fffd} b");
    assert!(second.contains('\u{fffd}'));
}

#[test]
fn broken_batch_keeps_what_stands_before_the_break_and_says_where_it_is() {
    let parsed = parse(b"[{\"type\":\"function\",\"record\":\"1\"},\n{\"type\":");
    assert_eq!(kinds(&parsed), ["function"]);
    assert!(matches!(parsed.fault, Some(Fault::Broken { line: 2, .. })), "{parsed:?}");
    for body in ["{}", "\"text\"", "7", "null"] {
        assert_eq!(parse(body.as_bytes()).fault, Some(Fault::NotAnArray), "{body}");
    }
    assert!(parse(b"").fault.is_some());
    assert_eq!(parse(b" [] "), Parsed::default());
}

#[test]
fn parts_of_an_invocation_are_read_one_by_one() {
    let parsed = parse(
        br#"[{"type":"platform.report","record":{"metrics":{"durationMs":1.5,"memorySizeMB":"128"},
            "spans":[{"name":"responseLatency","start":"2024-02-29T12:34:56.789Z","durationMs":2},{"name":3},{"durationMs":1},
            {"name":"x","durationMs":0.5}],"types":["a",1,"b"]}}]"#,
    );
    let platform = parsed.events[0].platform().unwrap();
    let spans: Vec<_> =
        platform.spans().map(|s| (s.name, s.start.is_some(), s.duration_ms)).collect();
    assert_eq!(spans, [("responseLatency", true, 2.0), ("x", false, 0.5)]);
    assert_eq!((platform.metric("durationMs"), platform.metric("memorySizeMB")), (Some(1.5), None));
    assert_eq!(platform.texts("types").collect::<Vec<_>>(), ["a", "b"]);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("type".to_owned()),
        Just("time".to_owned()),
        Just("record".to_owned()),
        Just("metrics".to_owned()),
        Just("platform.start".to_owned()),
        ".{0,6}",
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_array_keeps_every_well_formed_neighbour(elements in proptest::collection::vec(any_json(), 0..6)) {
        let mut all = Vec::new();
        for element in &elements {
            all.push(element.clone());
            all.push(json!({"type": "extension", "time": "2024-02-29T12:34:56Z", "record": "here"}));
        }
        let parsed = parse(&serde_json::to_vec(&all).unwrap());
        prop_assert_eq!(parsed.fault, None);
        prop_assert_eq!(parsed.events.len() + parsed.odd, all.len());
        let here = parsed.events.iter().filter(|event| event.record == Record::Text("here".into()));
        prop_assert!(here.count() >= elements.len());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _parsed = parse(&body);
    }
}
