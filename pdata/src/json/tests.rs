mod oracle;

use super::{JsonError, JsonFault};
use crate::{Payload, Signal};

fn round_trip(signal: Signal, json: &str) -> String {
    let payload = Payload::from_json(signal, json.as_bytes()).unwrap().payload;
    let mut out = Vec::new();
    payload.to_json(&mut out);
    String::from_utf8(out).unwrap()
}

/// A span with one field, as it comes back.
fn span(fields: &str) -> String {
    let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#);
    let back = round_trip(Signal::Traces, &json);
    let inner = back.strip_prefix(r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"#);
    inner.and_then(|rest| rest.strip_suffix("}]}]}]}")).unwrap().to_owned()
}

fn refused(fields: &str) -> String {
    let json =
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{}},{{{fields}}}]}}]}}]}}"#);
    Payload::from_json(Signal::Traces, json.as_bytes()).unwrap_err().to_string()
}

#[test]
fn every_accepted_spelling_comes_back_in_the_one_that_we_write() {
    for (input, output) in [
        (r#""traceId":"0aFF""#, r#""traceId":"0aff""#),
        (r#""trace_id":"00""#, r#""traceId":"00""#),
        (r#""startTimeUnixNano":5"#, r#""startTimeUnixNano":"5""#),
        (
            r#""start_time_unix_nano":"18446744073709551615""#,
            r#""startTimeUnixNano":"18446744073709551615""#,
        ),
        (r#""startTimeUnixNano":1e3"#, r#""startTimeUnixNano":"1000""#),
        (r#""startTimeUnixNano":"2.0e1""#, r#""startTimeUnixNano":"20""#),
        (r#""kind":3"#, r#""kind":3"#),
        (r#""kind":"SPAN_KIND_CLIENT""#, r#""kind":3"#),
        (r#""kind":"3""#, r#""kind":3"#),
        (r#""flags":257"#, r#""flags":257"#),
        (r#""name":"a\"\u00e9""#, "\"name\":\"a\\\"\u{e9}\""),
        (r#""name":null,"links":null,"status":null"#, ""),
        (r#""name":"","kind":0,"startTimeUnixNano":"0""#, ""),
        (r#""status":{}"#, r#""status":{}"#),
        (r#""unknown":{"a":[1,{"b":null}]},"name":"x""#, r#""name":"x""#),
        (r#""name":"a","name":"b""#, r#""name":"b""#),
        (
            r#""status":{"message":"m"},"status":{"code":"STATUS_CODE_ERROR"}"#,
            r#""status":{"message":"m","code":2}"#,
        ),
    ] {
        assert_eq!(span(input), output, "{input}");
    }
}

#[test]
fn values_of_every_type_survive() {
    for (input, output) in [
        (r#""stringValue":"""#, r#""stringValue":"""#),
        (r#""boolValue":false"#, r#""boolValue":false"#),
        (r#""intValue":-7"#, r#""intValue":"-7""#),
        (r#""intValue":"9223372036854775807""#, r#""intValue":"9223372036854775807""#),
        (r#""doubleValue":1"#, r#""doubleValue":1.0"#),
        (r#""doubleValue":"NaN""#, r#""doubleValue":"NaN""#),
        (r#""doubleValue":"-Infinity""#, r#""doubleValue":"-Infinity""#),
        (r#""doubleValue":"1.5""#, r#""doubleValue":1.5"#),
        (r#""bytesValue":"-_8""#, r#""bytesValue":"+/8=""#),
        (
            r#""arrayValue":{"values":[{},{"intValue":1},null]}"#,
            r#""arrayValue":{"values":[{},{"intValue":"1"},{}]}"#,
        ),
        (
            r#""kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}"#,
            r#""kvlistValue":{"values":[{"key":"a","value":{"boolValue":true}}]}"#,
        ),
        (r#""intValue":1,"stringValue":"last wins""#, r#""stringValue":"last wins""#),
    ] {
        let attribute =
            |value: &str| format!(r#""attributes":[{{"key":"k","value":{{{value}}}}}]"#);
        assert_eq!(span(&attribute(input)), attribute(output), "{input}");
    }
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    for (fields, part) in [
        (r#""kind":"SPAN_KIND_LOUD""#, "the number or the name of an enum value"),
        (r#""kind":true"#, "the number or the name of an enum value"),
        (r#""name":5"#, "a string is expected"),
        (r#""traceId":"xyz""#, "an id in hex digits"),
        (r#""traceId":"abc""#, "an id in hex digits"),
        (r#""startTimeUnixNano":-1"#, "an integer from 0 to "),
        (r#""startTimeUnixNano":1.5"#, "an integer from 0 to "),
        (r#""droppedLinksCount":4294967296"#, "an integer from 0 to "),
        (r#""attributes":{}"#, "a list is expected"),
        (r#""status":[]"#, "an object is expected"),
    ] {
        let error = refused(fields);
        assert!(error.contains(part), "{fields}: {error}");
        assert!(error.contains("resourceSpans[0].scopeSpans[0].spans[1]."), "{error}");
        assert!(error.contains("at line 1, column "), "{error}");
    }
}

#[test]
fn text_that_is_no_json_object_is_refused() {
    for text in ["", "{", "[]", "null5", "{}x", "\u{feff}{}", "{\"resourceSpans\":[}"] {
        assert!(Payload::from_json(Signal::Traces, text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn points_and_records_survive() {
    let metrics = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"h","exponentialHistogram":{"dataPoints":[{"count":"3","sum":0.0,"scale":-2,"positive":{"offset":-5,"bucketCounts":["1","2"]}}],"aggregationTemporality":2}}]}]}]}"#;
    assert_eq!(round_trip(Signal::Metrics, metrics), metrics);
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9,"body":{"stringValue":"hi"},"eventName":"e"}]}]}]}"#;
    assert_eq!(round_trip(Signal::Logs, logs), logs);
}

#[test]
fn items_are_counted() {
    let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{},{},null]}]}]}"#;
    assert_eq!(Payload::from_json(Signal::Traces, json).unwrap().payload.items(), 3);
}

#[test]
fn error_names_line_column_path_and_fault_and_quotes_nothing() {
    let json = "{\n \"resourceLogs\": [\n  {\"scopeLogs\": [{\"logRecords\": [{}, {\"time_unix_nano\": \"secret\"}]}]}\n]}";
    let error = Payload::from_json(Signal::Logs, json.as_bytes()).unwrap_err();
    let expected = JsonError {
        line: 3,
        column: 64,
        path: "resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano".to_owned(),
        fault: JsonFault::Integer { min: 0, max: u64::MAX.into() },
    };
    assert_eq!(error, expected);
    assert_eq!(
        error.to_string(),
        "malformed OTLP/JSON at line 3, column 64, in resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano: \
         an integer from 0 to 18446744073709551615 is expected, as a number or a string"
    );
}

#[test]
fn fault_says_what_is_wrong() {
    use JsonFault::{Base64, Bool, Double, Enum, Hex, List, Object, Syntax, Text, Truncated};
    let fault = |json: &str| Payload::from_json(Signal::Traces, json.as_bytes()).unwrap_err().fault;
    for (json, expected) in [
        ("", Truncated),
        ("{\"resourceSpans\":[{\"x\":[", Truncated),
        ("{\"resourceSpans\" []}", Syntax),
        ("{} {}", Syntax),
        ("{\"resourceSpans\":[{]}", Syntax),
        ("[]", Object),
        ("{\"resourceSpans\":{}}", List),
        ("{\"resourceSpans\":[1]}", Object),
        ("{\"resourceSpans\":[{\"schemaUrl\":[]}]}", Text),
        ("{\"resourceSpans\":[{\"schemaUrl\":{}}]}", Text),
    ] {
        assert_eq!(fault(json), expected, "{json}");
    }
    let integer = |min: i128, max: i128| JsonFault::Integer { min, max };
    for (field, expected) in [
        (r#""kind":2147483648"#, Enum),
        (r#""kind":[]"#, Enum),
        (r#""spanId":5"#, Hex),
        (r#""spanId":"0g""#, Hex),
        (r#""flags":"-1""#, integer(0, u32::MAX.into())),
        (r#""flags":true"#, integer(0, u32::MAX.into())),
        (r#""startTimeUnixNano":1e40"#, integer(0, u64::MAX.into())),
        (r#""attributes":[{"value":{"boolValue":"true"}}]"#, Bool),
        (r#""attributes":[{"value":{"boolValue":1}}]"#, Bool),
        (r#""attributes":[{"value":{"bytesValue":"?"}}]"#, Base64),
        (r#""attributes":[{"value":{"bytesValue":"-+=="}}]"#, Base64),
        (r#""attributes":[{"value":{"doubleValue":"inf"}}]"#, Double),
        (r#""attributes":[{"value":{"doubleValue":false}}]"#, Double),
        (
            r#""attributes":[{"value":{"intValue":"9223372036854775808"}}]"#,
            integer(i64::MIN.into(), i64::MAX.into()),
        ),
    ] {
        let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{field}}}]}}]}}]}}"#);
        assert_eq!(fault(&json), expected, "{field}");
    }
}

#[test]
fn text_that_is_not_utf8_is_mended_and_counted() {
    let json = b"{\"resourceSpans\":[{\"schemaUrl\":\"a\xff\",\"scopeSpans\":[{\"spans\":[{\"name\":\"\\ud800b\"}]}]}]}";
    let decoded = Payload::from_json(Signal::Traces, json).unwrap();
    assert_eq!((decoded.repaired_strings, decoded.payload.items()), (2, 1));
    let resource = decoded.payload.resource_spans().next().unwrap();
    assert_eq!(resource.schema_url().as_str(), "a\u{fffd}");
    let span = resource.scope_spans.iter().next().unwrap().spans.iter().next().unwrap();
    assert!(span.name.as_str().ends_with("\u{fffd}b"), "{}", span.name);
}

#[test]
fn lists_given_twice_are_one_behind_the_other() {
    let json = r#"{"resourceSpans":[{"schemaUrl":"a"}],"resource_spans":[{"schemaUrl":"b"}],"resourceSpans":null}"#;
    let once = r#"{"resourceSpans":[{"schemaUrl":"a"},{"schemaUrl":"b"}]}"#;
    assert_eq!(round_trip(Signal::Traces, json), once);
}

#[test]
fn empty_lists_leave_nothing() {
    let point = r#"{"bucketCounts":[],"explicitBounds":[],"exemplars":[],"attributes":[]}"#;
    let json = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{point}]}}}}]}}]}}]}}"#
    );
    let payload = Payload::from_json(Signal::Metrics, json.as_bytes()).unwrap().payload;
    assert_eq!(payload.items(), 1);
    assert_eq!(payload.to_bytes()[..], [0x0a, 8, 0x12, 6, 0x12, 4, 0x4a, 2, 0x0a, 0]);
}

#[test]
fn default_value_counts_over_one_given_before() {
    assert_eq!(span(r#""kind":3,"name":"a","kind":0,"name":"""#), "");
}

/// A request whose log record's body nests lists.
fn nested(lists: usize) -> String {
    let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(lists), "]}}".repeat(lists));
    format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{open}{{}}{close}}}]}}]}}]}}"#
    )
}

#[test]
fn depth_is_protobufs() {
    // The body is message 4, and each list adds two of a hundred.
    assert_eq!(round_trip(Signal::Logs, &nested(48)), nested(48));
    for lists in [49, 50, 100_000] {
        let error = Payload::from_json(Signal::Logs, nested(lists).as_bytes()).unwrap_err();
        assert_eq!(error.fault, JsonFault::Depth);
        assert!(error.path.len() < 400 && error.path.ends_with("..."), "{}", error.path);
    }
    let unknown = format!("{{\"unknown\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Payload::from_json(Signal::Logs, unknown.as_bytes()).is_ok());
}

#[test]
fn control_characters_are_escaped() {
    let text: String = (0..0x80u8).map(char::from).collect();
    let json = serde_json::to_string(&text).unwrap();
    let written = span(&format!("\"name\":{json}"));
    let back: String = serde_json::from_str(written.strip_prefix("\"name\":").unwrap()).unwrap();
    assert_eq!(back, text);
    assert!(written.bytes().all(|byte| byte >= 0x20));
}
