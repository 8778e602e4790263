//! Where we differ from upstream on purpose, and what the recorded cases beside the connector do not reach.

use serde_json::{Value, json};

use super::*;
use crate::stats::{ClientGroupedStats, ClientStatsPayload, ConcentratorSettings};

const T0: u64 = 1_700_000_000_000_000_000;

/// A span of a millisecond in trace 1.
fn span(id: u64, parent: u64, name: &str, kind: u8, attributes: Value) -> Value {
    json!({
        "traceId": format!("{:032x}", 1), "spanId": format!("{id:016x}"),
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
        "name": name, "kind": kind, "attributes": list(&attributes),
        "startTimeUnixNano": T0.to_string(), "endTimeUnixNano": (T0 + 1_000_000).to_string(),
    })
}

fn resource(attributes: Value, spans: &[Value]) -> Value {
    json!({"resource": {"attributes": list(&attributes)}, "scopeSpans": [{"spans": spans}]})
}

/// Texts and numbers as attributes.
fn list(attributes: &Value) -> Value {
    let of = |(key, value): (&String, &Value)| match value {
        Value::String(text) => json!({"key": key, "value": {"stringValue": text}}),
        Value::Number(int) if int.is_i64() => json!({"key": key, "value": {"intValue": int}}),
        other => json!({"key": key, "value": {"doubleValue": other}}),
    };
    attributes.as_object().unwrap().iter().map(of).collect()
}

/// What the spans come to.
fn stats_of<T>(
    settings: DriverSettings,
    resources: &[Value],
    look: impl Fn(&[ClientStatsPayload<'_>]) -> T,
) -> T {
    let request = json!({ "resourceSpans": resources }).to_string();
    let payload = Payload::from_json(pdata::Signal::Traces, request.as_bytes()).unwrap().payload;
    let mut concentrator = Concentrator::new(ConcentratorSettings::default(), T0, 1);
    Extractor::new(settings).add(&payload, &mut concentrator, T0 + 1_000_000);
    look(&concentrator.flush(T0, true).stats())
}

fn settings() -> DriverSettings {
    DriverSettings { peer_tags: true, ..DriverSettings::default() }
}

fn groups<'g, 'a>(stats: &'g [ClientStatsPayload<'a>]) -> Vec<&'g ClientGroupedStats<'a>> {
    let buckets = stats.iter().flat_map(|client| &client.stats);
    let mut groups: Vec<_> = buckets.flat_map(|bucket| &bucket.stats).collect();
    groups.sort_by(|a, b| a.resource.cmp(b.resource));
    groups
}

/// Resources with their hits and top-level hits.
fn hits(resources: &[Value]) -> Vec<(String, u64, u64)> {
    stats_of(settings(), resources, |stats| {
        let groups = groups(stats).into_iter();
        groups.map(|group| (group.resource.to_owned(), group.hits, group.top_level_hits)).collect()
    })
}

#[test]
fn span_that_names_a_service_of_its_own_is_top_level() {
    let spans = [
        span(1, 0, "root", 2, json!({})),
        span(2, 1, "other", 1, json!({"service.name": "other"})),
        span(3, 2, "same", 1, json!({"service.name": "other"})),
        span(4, 2, "back", 1, json!({})),
    ];
    let hits = hits(&[resource(json!({"service.name": "a"}), &spans)]);
    let expected = [("back", 1, 1), ("other", 1, 1), ("root", 1, 1)];
    let expected = expected.map(|(name, hits, top)| (name.to_owned(), hits, top));
    assert_eq!(hits, expected);
}

#[test]
fn parent_is_found_in_another_resource_of_the_payload() {
    let of_a = json!({"service.name": "a"});
    let hits = hits(&[
        resource(of_a.clone(), &[span(1, 0, "root", 2, json!({}))]),
        resource(of_a, &[span(2, 1, "same", 1, json!({}))]),
        resource(json!({"service.name": "b"}), &[span(3, 1, "other", 1, json!({}))]),
    ]);
    assert_eq!(hits, [("other".to_owned(), 1, 1), ("root".to_owned(), 1, 1)]);
}

#[test]
fn many_spans_of_a_trace_are_told_apart_as_few_are() {
    let mut spans = vec![span(1, 0, "root", 2, json!({}))];
    spans.extend((2..100).map(|id| span(id, id - 1, "inner", 1, json!({"_dd.measured": 1}))));
    let hits = hits(&[resource(json!({"service.name": "a"}), &spans)]);
    assert_eq!(hits, [("inner".to_owned(), 98, 0), ("root".to_owned(), 1, 1)]);
}

#[test]
fn span_that_is_not_over_is_not_counted() {
    let spans = [
        span(1, 0, "root", 2, json!({})),
        span(2, 1, "partial", 3, json!({"_dd.partial_version": 1})),
    ];
    let hits = hits(&[resource(json!({"service.name": "a"}), &spans)]);
    assert_eq!(hits, [("root".to_owned(), 1, 1)]);
}

#[test]
fn weight_is_that_of_the_root_whatever_the_order_of_spans() {
    let sampled = |id, parent, name: &str, state: &str| {
        let mut span = span(id, parent, name, 2, json!({}));
        span["traceState"] = json!(state);
        span
    };
    let (root, child) = (sampled(1, 0, "root", "ot=th:8"), sampled(2, 1, "child", "ot=th:c"));
    for spans in [[root.clone(), child.clone()], [child, root]] {
        let hits = hits(&[resource(json!({"service.name": "a"}), &spans)]);
        assert_eq!(hits, [("child".to_owned(), 2, 0), ("root".to_owned(), 2, 2)]);
    }
}

#[test]
fn peer_tag_of_a_span_takes_the_place_of_its_resource_s_and_the_first_of_equals_counts() {
    let of_resource = json!({"service.name": "a", "db.name": "of resource", "db.system": "mysql"});
    let mut client = span(1, 0, "x", 3, json!({"db.name": "of span", "server.address": ""}));
    let attributes = client["attributes"].as_array_mut().unwrap();
    attributes.push(json!({"key": "db.name", "value": {"stringValue": "again"}}));
    let tags = stats_of(settings(), &[resource(of_resource, &[client])], |stats| {
        groups(stats)[0].peer_tags.iter().map(|tag| tag.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(tags, ["db.name:of span", "db.system:mysql"]);
}

#[test]
fn host_of_resources_that_name_none_is_the_fallback() {
    let host = |attributes: Value| {
        let settings = DriverSettings { fallback_host: "agent".to_owned(), ..settings() };
        let resource = resource(attributes, &[span(1, 0, "x", 2, json!({}))]);
        stats_of(settings, &[resource], |stats| stats[0].hostname.to_owned())
    };
    assert_eq!(host(json!({"service.name": "a"})), "agent");
    assert_eq!(host(json!({"host.name": "h"})), "h");
    let fargate = json!({"aws.ecs.launchtype": "fargate", "aws.ecs.task.arn": "arn:t"});
    assert_eq!(host(fargate), "");
}

#[test]
fn statements_that_differ_in_values_alone_are_one_group() {
    let query = |id: u64| {
        let statement = format!("SELECT * FROM t WHERE id = {id}");
        span(id, 0, "q", 3, json!({"db.system": "postgresql", "db.statement": statement}))
    };
    let spans: Vec<Value> = (1..50).map(query).collect();
    let hits = hits(&[resource(json!({"service.name": "a"}), &spans)]);
    assert_eq!(hits, [("SELECT * FROM t WHERE id = ?".to_owned(), 49, 49)]);
}
