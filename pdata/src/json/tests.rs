use super::*;

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
        (r#""kind":"SPAN_KIND_LOUD""#, "number or name of the enum"),
        (r#""kind":true"#, "number or name of the enum"),
        (r#""name":5"#, "a string"),
        (r#""traceId":"xyz""#, "a string in hex"),
        (r#""traceId":"abc""#, "a string in hex"),
        (r#""startTimeUnixNano":-1"#, "an integer in the field's range"),
        (r#""startTimeUnixNano":1.5"#, "an integer in the field's range"),
        (r#""droppedLinksCount":4294967296"#, "an integer in the field's range"),
        (r#""attributes":{}"#, "a list"),
        (r#""status":[]"#, "an object (Status)"),
    ] {
        let error = refused(fields);
        assert!(error.contains(part), "{fields}: {error}");
        assert!(error.contains("resourceSpans[0].scopeSpans[0].spans[1]."), "{error}");
        assert!(error.contains("line 1 column"), "{error}");
    }
}

#[test]
fn text_that_is_no_json_object_is_refused() {
    for text in ["", "{", "[]", "null5", "{}x", "\u{feff}{}", "{\"resourceSpans\":[}"] {
        assert!(Payload::from_json(Signal::Traces, text.as_bytes()).is_err(), "{text}");
    }
    assert!(
        Payload::from_json(Signal::Traces, b"{\"resourceSpans\":[{\"schemaUrl\":\"\xff\"}]}")
            .is_err()
    );
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(2000), "]}}".repeat(2000));
    let json = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"k","value":{deep}}}]}}}}]}}"#
    );
    let error = Payload::from_json(Signal::Traces, json.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("recursion limit exceeded"), "{error}");
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
