use confmap::{Diagnostics, Node, Section};
use lambda::telemetry::parse;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod golden;

const NOW: u64 = 1_754_000_000_000_000_000;

/// A mapper of this section, beside a function of these variables.
fn mapper(section: &str, variables: &[(&str, &str)]) -> Mapper {
    let node = Node::from_yaml("test.yaml", section).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "receivers::telemetryapi", &diagnostics);
    let config = Config::read(section);
    assert!(diagnostics.sorted().is_empty());
    let environment = aws::Environment::of(variables.iter().copied());
    let settings = Settings {
        temporality: config.temporality.unwrap_or(Temporality::Cumulative),
        config,
        is_managed: environment.get("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref()
            == Some("lambda-managed-instances"),
        wants: [true; 3],
    };
    Mapper::new(settings, Resource::new(&environment, None), NOW)
}

const VARIABLES: &[(&str, &str)] = &[
    ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_REGION", "eu-west-1"),
];

fn on_demand() -> Mapper {
    mapper("{}", VARIABLES)
}

fn map(mapper: &mut Mapper, events: &Value) -> Vec<Value> {
    let parsed = parse(events.to_string().as_bytes());
    assert_eq!(parsed.fault, None);
    mapper.map(&parsed.events, NOW).payloads.iter().map(to_json).collect()
}

fn to_json(payload: &Payload) -> Value {
    let mut json = Vec::new();
    payload.to_json(&mut json);
    serde_json::from_slice(&json).unwrap()
}

/// The items of one signal among payloads, without what holds them.
fn items(payloads: &[Value], lists: [&str; 3]) -> Vec<Value> {
    let [outer, middle, inner] = lists;
    let mut items = Vec::new();
    for resource in payloads.iter().filter_map(|payload| payload[outer].as_array()).flatten() {
        for scope in resource[middle].as_array().unwrap() {
            items.extend(scope[inner].as_array().unwrap().iter().cloned());
        }
    }
    items
}

fn records(payloads: &[Value]) -> Vec<Value> {
    items(payloads, ["resourceLogs", "scopeLogs", "logRecords"])
}

fn spans(payloads: &[Value]) -> Vec<Value> {
    items(payloads, ["resourceSpans", "scopeSpans", "spans"])
}

/// Data points by the name of their metric, in `as_int` or the count.
fn points(mapper: &mut Mapper) -> Vec<(String, u64)> {
    let payloads: Vec<Value> = mapper.export(NOW).payloads.iter().map(to_json).collect();
    let metrics = items(&payloads, ["resourceMetrics", "scopeMetrics", "metrics"]);
    let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    metrics
        .iter()
        .map(|metric| {
            let sum = number(&metric["sum"]["dataPoints"][0]["asInt"]);
            let count = number(&metric["histogram"]["dataPoints"][0]["count"]);
            (metric["name"].as_str().unwrap().to_owned(), sum.or(count).unwrap())
        })
        .collect()
}

fn attribute<'v>(item: &'v Value, key: &str) -> Option<&'v Value> {
    let attributes = item["attributes"].as_array()?;
    attributes.iter().find(|attribute| attribute["key"] == key).map(|found| &found["value"])
}

fn text(item: &Value, key: &str) -> Option<String> {
    Some(attribute(item, key)?["stringValue"].as_str()?.to_owned())
}

const TIME: &str = "2026-08-01T00:00:00.000Z";

#[test]
fn time_that_is_none_costs_one_record_its_time_and_no_other_its_place() {
    let payloads = map(
        &mut on_demand(),
        &json!([
            {"time": "yesterday", "type": "function", "record": "one"},
            {"time": TIME, "type": "function", "record": {"message": "two", "timestamp": "soon"}},
            {"time": TIME, "type": "function", "record": {"message": "three", "timestamp": "2026-08-01 00:00:01,500"}},
            {"time": TIME, "type": "function", "record": "four"},
        ]),
    );
    let records = records(&payloads);
    let times: Vec<_> = records.iter().map(|record| record["timeUnixNano"].as_str()).collect();
    let event = Some("1785542400000000000");
    assert_eq!(times, [None, event, Some("1785542401500000000"), event]);
    assert_eq!(text(&records[1], "timestamp").as_deref(), Some("soon"), "it is not lost");
    assert_eq!(text(&records[2], "timestamp"), None);
}

#[test]
fn json_line_without_a_message_keeps_its_fields() {
    let lines = json!([
        {"time": TIME, "type": "function", "record": {"msg": "by msg", "level": 30, "n": 1}},
        {"time": TIME, "type": "function", "record": {"fields": {"message": "by fields"}, "level": "warn"}},
        {"time": TIME, "type": "function", "record": {"event": "paid", "n": 2}},
        {"time": TIME, "type": "function", "record": {"message": {"a": [1, 2.5, null, true]}}},
    ]);
    let records = records(&map(&mut on_demand(), &lines));
    assert_eq!(records[0]["body"]["stringValue"], "by msg");
    assert_eq!(
        (&records[0]["severityNumber"], &records[0]["severityText"]),
        (&json!(9), &json!("Info"))
    );
    assert_eq!(attribute(&records[0], "n").unwrap()["intValue"], "1");
    assert_eq!(records[1]["body"]["stringValue"], "by fields");
    assert_eq!(records[2]["body"]["stringValue"], r#"{"event":"paid","n":2}"#);
    assert_eq!(text(&records[2], "event").as_deref(), Some("paid"));
    assert!(records[3]["body"]["kvlistValue"].is_object(), "{:#}", records[3]);
}

#[test]
fn field_that_is_nested_beyond_measure_becomes_text() {
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let line = json!([
        {"time": TIME, "type": "function", "record": {"message": "m", "deep": deep}},
        {"time": TIME, "type": "function", "record": "neighbour"},
    ]);
    assert_eq!(records(&map(&mut on_demand(), &line)).len(), 2);
}

#[test]
fn failure_is_no_invocation_and_each_outcome_is_counted_once() {
    let mut mapper = on_demand();
    let mut events = Vec::new();
    for (id, status) in [("1", "success"), ("2", "failure"), ("3", "error"), ("4", "timeout")] {
        let done = json!({"requestId": id, "status": status, "metrics": {"durationMs": 20}});
        let report = json!({"requestId": id, "status": status, "metrics": {"durationMs": 20, "maxMemoryUsedMB": 64}});
        events.push(json!({"time": TIME, "type": "platform.start", "record": {"requestId": id}}));
        events.push(json!({"time": TIME, "type": "platform.runtimeDone", "record": done}));
        events.push(json!({"time": TIME, "type": "platform.report", "record": report}));
    }
    let payloads = map(&mut mapper, &events.into());
    assert_eq!(spans(&payloads).len(), 4);
    let expected = [
        ("faas.errors", 2),
        ("faas.timeouts", 1),
        ("faas.mem_usage", 4),
        ("faas.invocations", 1),
        ("faas.invoke_duration", 4),
    ];
    let points = points(&mut mapper);
    let points: Vec<_> = points.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(points, expected);
    assert!(self::points(&mut mapper).is_empty(), "nothing has changed since");
}

#[test]
fn report_counts_where_no_end_is_told() {
    let variables = [VARIABLES, &[("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")]];
    let mut mapper = mapper("{}", &variables.concat());
    let payloads = map(
        &mut mapper,
        &json!([
            {"time": TIME, "type": "platform.start", "record": {"requestId": "1", "functionArn": "arn"}},
            {"time": TIME, "type": "platform.start", "record": {"requestId": "2"}},
            {"time": TIME, "type": "function", "record": "whose line is it"},
            {"time": TIME, "type": "platform.report", "record": {"requestId": "2", "status": "success", "metrics": {"durationMs": 20}}},
            {"time": TIME, "type": "platform.report", "record": {"requestId": "1", "status": "timeout", "metrics": {"durationMs": 20}}},
        ]),
    );
    assert_eq!(spans(&payloads).len(), 2);
    let line =
        records(&payloads).into_iter().find(|r| text(r, "type").as_deref() == Some("function"));
    assert_eq!(text(&line.unwrap(), "faas.invocation_id"), None);
    let points = points(&mut mapper);
    let points: Vec<_> = points.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(
        points,
        [("faas.timeouts", 1), ("faas.invocations", 1), ("faas.invoke_duration", 2)]
    );
}

#[test]
fn memory_is_in_bytes_of_mebibytes_and_says_which_trace_it_was() {
    let mut mapper = on_demand();
    let tracing = json!({"value": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "spanId": "54565fb41ac79632"});
    map(
        &mut mapper,
        &json!([
            {"time": TIME, "type": "platform.start", "record": {"requestId": "1", "tracing": tracing}},
            {"time": TIME, "type": "platform.report", "record": {"requestId": "1", "status": "success", "metrics": {"durationMs": 20, "maxMemoryUsedMB": 64}}},
        ]),
    );
    let exported = to_json(&mapper.export(NOW).payloads[0]);
    let metrics = items(&[exported], ["resourceMetrics", "scopeMetrics", "metrics"]);
    let memory = metrics.iter().find(|metric| metric["name"] == "faas.mem_usage").unwrap();
    let point = &memory["histogram"]["dataPoints"][0];
    assert_eq!(point["sum"], 64.0 * 1024.0 * 1024.0);
    assert_eq!(point["bucketCounts"][2], "1", "64 MiB is the bound of its bucket");
    let exemplar = &point["exemplars"][0];
    assert_eq!(exemplar["traceId"], "5759e988bd862e3fe1be46a994272793");
    assert_eq!(exemplar["spanId"], "54565fb41ac79632");
}

#[test]
fn invocations_span_is_in_the_callers_trace() {
    let tracing = json!({"value": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "spanId": "54565fb41ac79632"});
    let w3c = json!({"value": "00-5759e988bd862e3fe1be46a994272794-53995c3f42cd8ad8-00"});
    let done = json!({"requestId": "1", "status": "error", "errorType": "Runtime.ExitError", "metrics": {"durationMs": 20, "producedBytes": 7},
        "spans": [{"name": "responseLatency", "start": "2026-08-01T00:00:00.001Z", "durationMs": 3.5}]});
    let payloads = map(
        &mut on_demand(),
        &json!([
            {"time": TIME, "type": "platform.start", "record": {"requestId": "1", "tracing": tracing}},
            {"time": "2026-08-01T00:00:01Z", "type": "platform.runtimeDone", "record": done},
            {"time": TIME, "type": "platform.start", "record": {"requestId": "2", "tracing": w3c}},
            {"time": TIME, "type": "platform.runtimeDone", "record": {"requestId": "2", "status": "success"}},
            {"time": "2026-08-01T00:00:01Z", "type": "platform.runtimeDone", "record": {"requestId": "3", "status": "success", "metrics": {"durationMs": 250}}},
        ]),
    );
    let spans = spans(&payloads);
    let [first, second, third] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!(first["traceId"], "5759e988bd862e3fe1be46a994272793");
    assert_eq!(
        (&first["spanId"], &first["parentSpanId"]),
        (&json!("54565fb41ac79632"), &json!("53995c3f42cd8ad8"))
    );
    assert_eq!(
        (&first["name"], &first["kind"], &first["flags"]),
        (&json!("orders"), &json!(2), &json!(1))
    );
    assert_eq!(first["startTimeUnixNano"], "1785542400000000000");
    assert_eq!(first["endTimeUnixNano"], "1785542401000000000");
    assert_eq!(first["status"]["code"], 2);
    assert_eq!(text(first, "error.type").as_deref(), Some("Runtime.ExitError"));
    assert_eq!(text(first, "faas.invocation_id").as_deref(), Some("1"));
    assert_eq!(attribute(first, "aws.lambda.platform_span"), Some(&json!({"boolValue": true})));
    assert_eq!(first["events"][0]["name"], "responseLatency");
    assert_eq!(second["traceId"], "5759e988bd862e3fe1be46a994272794");
    assert_eq!(second["flags"], Value::Null, "the caller does not record it");
    assert_eq!(attribute(second, "aws.lambda.platform_span"), None);
    assert_eq!(third["startTimeUnixNano"], "1785542400750000000", "from the duration");
    assert_eq!(third["parentSpanId"], Value::Null);
    for span in [first, second, third] {
        assert_eq!(
            attribute(span, "faas.coldstart"),
            None,
            "it would be taken for the init's span"
        );
    }
}

#[test]
fn restored_copy_is_another_instance_with_counts_of_its_own() {
    let mut mapper = on_demand();
    let instance = |payload: &Value| {
        let resource = &payload["resourceLogs"][0]["resource"];
        text(resource, "service.instance.id").unwrap()
    };
    let before = map(
        &mut mapper,
        &json!([
            {"time": TIME, "type": "platform.initStart", "record": {"initializationType": "snap-start"}},
            {"time": TIME, "type": "platform.initReport", "record": {"status": "success", "metrics": {"durationMs": 900}}},
        ]),
    );
    let after = map(
        &mut mapper,
        &json!([
            {"time": "2026-08-01T01:00:00Z", "type": "platform.restoreStart", "record": {"functionVersion": "7"}},
            {"time": "2026-08-01T01:00:01Z", "type": "platform.restoreRuntimeDone", "record": {"status": "success"}},
            {"time": "2026-08-01T01:00:01Z", "type": "platform.restoreReport", "record": {"status": "success", "metrics": {"durationMs": 1000}}},
        ]),
    );
    assert_ne!(instance(&before[0]), instance(&after[1]));
    let spans = spans(&after);
    assert_eq!((spans.len(), &spans[0]["name"]), (1, &json!("restore orders")));
    assert_eq!(attribute(&spans[0], "faas.coldstart"), Some(&json!({"boolValue": true})));
    let exported = to_json(&mapper.export(NOW).payloads[0]);
    let metrics = items(&[exported], ["resourceMetrics", "scopeMetrics", "metrics"]);
    let [coldstarts, init] = metrics.as_slice() else { panic!("{metrics:#?}") };
    let point = &coldstarts["sum"]["dataPoints"][0];
    assert_eq!(
        (&point["asInt"], &point["startTimeUnixNano"]),
        (&json!("1"), &json!("1785546000000000000"))
    );
    assert_eq!(init["histogram"]["dataPoints"][0]["sum"], 1.0, "the restore's, not the init's");
}

#[test]
fn types_that_are_not_asked_for_are_left_out_and_lines_know_their_invocation_all_the_same() {
    let mut mapper = mapper("{types: [function]}", VARIABLES);
    let payloads = map(
        &mut mapper,
        &json!([
            {"time": TIME, "type": "platform.start", "record": {"requestId": "1"}},
            {"time": TIME, "type": "function", "record": "line"},
            {"time": TIME, "type": "extension", "record": "other line"},
            {"time": TIME, "type": "platform.runtimeDone", "record": {"requestId": "1", "status": "success"}},
            {"time": TIME, "type": "function", "record": "late line"},
        ]),
    );
    assert_eq!(spans(&payloads), Vec::<Value>::new());
    let records = records(&payloads);
    let [line, late] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!(text(line, "faas.invocation_id").as_deref(), Some("1"));
    assert_eq!(text(late, "faas.invocation_id"), None);
    assert!(mapper.export(NOW).payloads.is_empty());
}

#[test]
fn delta_points_tell_what_came_since_the_last() {
    let mut mapper = mapper("{metrics_temporality: delta}", VARIABLES);
    let done = |id: &str, time: &str| json!([{"time": time, "type": "platform.runtimeDone", "record": {"requestId": id, "status": "success"}}]);
    map(&mut mapper, &done("1", "2026-08-01T00:00:01Z"));
    let first = to_json(&mapper.export(NOW).payloads[0]);
    map(&mut mapper, &done("2", "2026-08-01T00:00:02Z"));
    let second = to_json(&mapper.export(NOW).payloads[0]);
    let point = |payload: &Value| {
        payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"].clone()
    };
    assert_eq!(point(&first)["aggregationTemporality"], 1);
    let (first, second) =
        (point(&first)["dataPoints"][0].clone(), point(&second)["dataPoints"][0].clone());
    assert_eq!((&first["asInt"], &second["asInt"]), (&json!("1"), &json!("1")));
    assert_eq!(first["timeUnixNano"], second["startTimeUnixNano"]);
}

fn odd_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("success")),
        Just(json!(TIME)),
    ];
    let key = proptest::sample::select(vec![
        "requestId",
        "status",
        "metrics",
        "durationMs",
        "spans",
        "name",
        "start",
        "tracing",
        "value",
        "spanId",
        "message",
        "timestamp",
        "level",
        "maxMemoryUsedMB",
        "producedBytes",
        "initializationType",
        "types",
        "fields",
        "x",
    ]);
    leaf.prop_recursive(3, 20, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| {
                Value::Object(
                    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_record_of_any_type_costs_no_neighbour_its_place(
        odd in proptest::collection::vec((0..16_usize, odd_json(), odd_json()), 0..8),
        managed in any::<bool>(),
    ) {
        const KINDS: [&str; 16] = [
            "function", "extension", "platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
            "platform.runtimeDone", "platform.report", "platform.restoreStart", "platform.restoreRuntimeDone",
            "platform.restoreReport", "platform.extension", "platform.telemetrySubscription", "platform.logsDropped",
            "platform.unheardOf", "unheardOf",
        ];
        let mut events = vec![json!({"time": TIME, "type": "function", "record": "first"})];
        for (kind, time, record) in &odd {
            events.push(json!({"time": time, "type": KINDS[*kind], "record": record}));
            events.push(json!({"time": TIME, "type": "function", "record": "next"}));
        }
        let mut mapper = on_demand();
        mapper.settings.is_managed = managed;
        let logged = odd.iter().filter(|(kind, ..)| KINDS[*kind] != "platform.report").count();
        let records = records(&map(&mut mapper, &events.into()));
        prop_assert_eq!(records.len(), 1 + odd.len() + logged);
        let _metrics = mapper.export(NOW);
    }
}
