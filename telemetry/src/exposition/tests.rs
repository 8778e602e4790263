//! Tests of the text form, read back by a strict parser that shares nothing with the renderer.

use std::collections::BTreeSet;

use super::*;
use crate::names::{self, label};

/// A series of the parsed text: name, labels, value.
type Series = (String, Vec<(String, String)>, f64);

/// Parses a whole exposition and checks its grammar and its order of lines: for each family one `HELP`, one `TYPE`, then
/// its series and no other's; no series twice; the last line ended.
fn parse(text: &str) -> Vec<Series> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is not ended");
    let mut parsed: Vec<Series> = Vec::new();
    let mut closed = BTreeSet::new();
    let (mut family, mut kind, mut helped) = (String::new(), String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, _help) = rest.split_once(' ').expect("a help text");
            assert!(closed.insert(name.to_owned()), "{name} has two groups");
            name.clone_into(&mut helped);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, word) = rest.split_once(' ').expect("a type");
            assert_eq!(name, helped, "TYPE follows HELP");
            assert!(["counter", "gauge", "histogram"].contains(&word), "type {word}");
            name.clone_into(&mut family);
            word.clone_into(&mut kind);
        } else {
            let series = parse_series(line);
            let suffixes: &[&str] =
                if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            let belongs = suffixes.iter().any(|suffix| series.0 == format!("{family}{suffix}"));
            assert!(belongs, "{} stands in the group of {family}", series.0);
            let same = |other: &Series| other.0 == series.0 && other.1 == series.1;
            assert!(!parsed.iter().any(same), "series twice: {line}");
            parsed.push(series);
        }
    }
    parsed
}

fn parse_series(line: &str) -> Series {
    let mut chars = line.chars().peekable();
    let name = parse_name(&mut chars, true);
    let mut labels = Vec::new();
    if chars.next_if_eq(&'{').is_some() {
        loop {
            let label = parse_name(&mut chars, false);
            assert!(chars.next() == Some('=') && chars.next() == Some('"'), "{line}");
            let mut value = String::new();
            loop {
                match chars.next().expect("a label value ends") {
                    '"' => break,
                    '\\' => value.push(match chars.next() {
                        Some('n') => '\n',
                        Some(same @ ('\\' | '"')) => same,
                        other => panic!("escape {other:?} in {line}"),
                    }),
                    other => value.push(other),
                }
            }
            let twice = labels.iter().any(|(other, _)| *other == label);
            assert!(!twice, "label {label} twice in {line}");
            labels.push((label, value));
            match chars.next() {
                Some(',') => {}
                Some('}') => break,
                other => panic!("{other:?} after a label in {line}"),
            }
        }
    }
    assert_eq!(chars.next(), Some(' '), "{line}");
    let number: String = chars.collect();
    let value = match number.as_str() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        digits => {
            assert!(digits.chars().all(|c| c.is_ascii_digit() || ".-".contains(c)), "{line}");
            digits.parse().expect("a number")
        }
    };
    (name, labels, value)
}

fn parse_name(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, colons: bool) -> String {
    let mut name = String::new();
    while let Some(c) =
        chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_' || (colons && *c == ':'))
    {
        name.push(c);
    }
    assert!(name.starts_with(|c: char| !c.is_ascii_digit()), "name {name:?}");
    name
}

fn value(series: &[Series], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let labels: Vec<_> = labels.iter().map(owned).collect();
    series.iter().find(|series| series.0 == name && series.1 == labels).map(|series| series.2)
}

#[test]
fn the_text_is_what_the_collector_shows_for_the_same_counts() {
    let registry = Registry::new();
    let labels = [(label::RECEIVER, "otlp"), (label::TRANSPORT, "grpc")];
    registry.counter(&names::RECEIVER_ACCEPTED.spans, &labels).add(3);
    registry
        .gauge(
            &names::EXPORTER_QUEUE_SIZE,
            &[(label::EXPORTER, "otlp/a"), (label::DATA_TYPE, "traces")],
        )
        .set(2);
    registry.set_resource(vec![
        ("service.name".to_owned(), "hikyaku".to_owned()),
        ("service.instance.id".to_owned(), "5".to_owned()),
    ]);
    let expected = "\
# HELP otelcol_exporter_queue_size What the sending queue holds, in the queue's sizer's unit.
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{exporter=\"otlp/a\",data_type=\"traces\"} 2
# HELP otelcol_receiver_accepted_spans Items that the receiver handed to its pipelines.
# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 3
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_instance_id=\"5\",service_name=\"hikyaku\"} 1
";
    assert_eq!(render(&registry, MetricsLevel::Basic), expected);
}

#[test]
fn suffixes_are_those_that_the_collector_adds_for_a_reader_that_asks_for_them() {
    let registry = Registry::new();
    registry.counter(&names::CONFIG_RELOADS, &[]).add(1);
    registry.gauge(&names::MEMORY_BUDGET_BYTES, &[]).set(2);
    registry.histogram(&names::BATCH_SEND_SIZE, &[]).observe(3);
    let _uptime = registry.counter_fn(&names::PROCESS_UPTIME, &[], || Some(4.0));
    let _cpu = registry.counter_fn(&names::PROCESS_CPU_SECONDS, &[], || Some(5.0));
    let _memory = registry.gauge_fn(&names::PROCESS_MEMORY_RSS, &[], || Some(6.0));
    let names = |counter, unit| -> BTreeSet<String> {
        let text = render_with(&registry, MetricsLevel::Normal, Suffixes { counter, unit });
        let series = parse(&text).into_iter().map(|(name, ..)| name);
        series.filter(|name| !name.ends_with("_bucket") && !name.ends_with("_sum")).collect()
    };
    let expected = |reloads: &str, uptime: &str, cpu: &str, memory: &str| {
        let (batch, budget) =
            ("otelcol_processor_batch_batch_send_size_count", "hikyaku_memory_budget_bytes");
        [reloads, uptime, cpu, memory, batch, budget].map(str::to_owned).into_iter().collect()
    };
    let plain: BTreeSet<String> = expected(
        "hikyaku_config_reloads",
        "otelcol_process_uptime",
        "otelcol_process_cpu_seconds",
        "otelcol_process_memory_rss",
    );
    assert_eq!(names(false, false), plain);
    let full: BTreeSet<String> = expected(
        "hikyaku_config_reloads_total",
        "otelcol_process_uptime_seconds_total",
        "otelcol_process_cpu_seconds_total",
        "otelcol_process_memory_rss_bytes",
    );
    assert_eq!(names(true, true), full);
    let units: BTreeSet<String> = expected(
        "hikyaku_config_reloads",
        "otelcol_process_uptime_seconds",
        "otelcol_process_cpu_seconds",
        "otelcol_process_memory_rss_bytes",
    );
    assert_eq!(names(false, true), units);
}

#[test]
fn every_family_renders_to_valid_text_with_all_its_labels() {
    let registry = Registry::new();
    let mut registrations = Vec::new();
    for family in names::all() {
        let labels: Vec<_> = family.labels.iter().map(|label| (*label, "a\\b\"c\nd é")).collect();
        match family.kind {
            names::Kind::Histogram => registry.histogram_of(family, &labels).observe(1),
            names::Kind::Counter | names::Kind::Gauge => {
                registrations.push(registry.callback(
                    family,
                    &labels,
                    std::sync::Arc::new(|| Some(1.5)),
                ));
            }
        }
    }
    let series = parse(&render(&registry, MetricsLevel::Detailed));
    for family in names::all() {
        let labels: Vec<_> =
            family.labels.iter().map(|label| (label.name, "a\\b\"c\nd é")).collect();
        let (name, expected) = match family.kind {
            names::Kind::Histogram => (format!("{}_count", family.name), 1.0),
            names::Kind::Counter | names::Kind::Gauge => (family.name.to_owned(), 1.5),
        };
        assert_eq!(value(&series, &name, &labels), Some(expected), "{name}");
    }
}

#[test]
fn equal_states_give_equal_texts_whatever_came_first() {
    let text = |exporters: [&str; 3]| {
        let registry = Registry::new();
        for exporter in exporters {
            registry.counter(&names::EXPORTER_RETRIES, &[(label::EXPORTER, exporter)]).increment();
            registry.gauge(&names::EXPORTER_HELD_ITEMS, &[(label::EXPORTER, exporter)]).set(4);
        }
        render(&registry, MetricsLevel::Detailed)
    };
    assert_eq!(text(["a", "b", "c"]), text(["c", "a", "b"]));
}

#[test]
fn a_level_shows_its_own_families_and_those_below() {
    let registry = Registry::new();
    registry.counter(&names::PROCESSOR_INCOMING, &[]).increment();
    registry.counter(&names::BATCH_TIMEOUT_TRIGGER_SEND, &[]).increment();
    registry.histogram(&names::EXPORTER_ENQUEUE_SIZE, &[]).observe(1);
    registry.set_resource(vec![("service.name".to_owned(), "x".to_owned())]);
    let shown = |level| {
        let text = render(&registry, level);
        ["_incoming_items 1", "_timeout_trigger_send 1", "_enqueue_size_count 1", "target_info{"]
            .map(|needle| text.contains(needle))
    };
    assert_eq!(render(&registry, MetricsLevel::None), "");
    assert_eq!(shown(MetricsLevel::Basic), [true, false, false, true]);
    assert_eq!(shown(MetricsLevel::Normal), [true, true, false, true]);
    assert_eq!(shown(MetricsLevel::Detailed), [true, true, true, true]);
}

#[test]
fn a_label_above_the_level_is_left_out_and_its_series_are_added_up() {
    let registry = Registry::new();
    for (error, count) in [("Unavailable", 2), ("Internal", 3)] {
        let labels = [
            (label::EXPORTER, "otlp"),
            (label::ERROR_TYPE, error),
            (label::ERROR_PERMANENT, "false"),
        ];
        registry.counter(&names::EXPORTER_SEND_FAILED.spans, &labels).add(count);
    }
    let name = "otelcol_exporter_send_failed_spans";
    let normal = parse(&render(&registry, MetricsLevel::Normal));
    assert_eq!(value(&normal, name, &[("exporter", "otlp")]), Some(5.0));
    assert_eq!(normal.len(), 1);
    let detailed = parse(&render(&registry, MetricsLevel::Detailed));
    let labels = [("exporter", "otlp"), ("error_type", "Internal"), ("error_permanent", "false")];
    assert_eq!(value(&detailed, name, &labels), Some(3.0));
    assert_eq!(detailed.len(), 2);
}

#[test]
fn buckets_are_cumulative_and_end_with_everything() {
    let registry = Registry::new();
    let histogram = registry.histogram(&names::BATCH_SEND_SIZE, &[(label::PROCESSOR, "batch")]);
    for size in [5, 30, 1_000_000] {
        histogram.observe(size);
    }
    let series = parse(&render(&registry, MetricsLevel::Normal));
    let name = "otelcol_processor_batch_batch_send_size";
    let bucket =
        |le: &str| value(&series, &format!("{name}_bucket"), &[("processor", "batch"), ("le", le)]);
    let buckets = ["10", "25", "50", "100000", "+Inf"].map(bucket);
    assert_eq!(buckets, [Some(1.0), Some(1.0), Some(2.0), Some(2.0), Some(3.0)]);
    let batch = [("processor", "batch")];
    assert_eq!(value(&series, &format!("{name}_sum"), &batch), Some(1_000_035.0));
    assert_eq!(value(&series, &format!("{name}_count"), &batch), Some(3.0));
}

#[test]
fn numbers_are_spelled_as_the_format_wants() {
    let spelled = |number: f64| Number(number).to_string();
    assert_eq!(spelled(9_007_199_254_740_992.0), "9007199254740992");
    assert_eq!(spelled(-1.0), "-1");
    assert_eq!(spelled(0.25), "0.25");
    assert_eq!(spelled(f64::NAN), "NaN");
    assert_eq!(spelled(f64::INFINITY), "+Inf");
    assert_eq!(spelled(f64::NEG_INFINITY), "-Inf");
}

#[test]
fn resource_attributes_become_valid_labels_and_those_that_collide_are_joined() {
    let registry = Registry::new();
    let attributes = [("a.b", "1"), ("a-b", "2"), ("9 lives", "\"x\"\n"), ("", "empty")];
    registry.set_resource(attributes.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec());
    let series = parse(&render(&registry, MetricsLevel::Basic));
    let labels = [("a_b", "1;2"), ("key_", "empty"), ("key_9_lives", "\"x\"\n")];
    assert_eq!(value(&series, "target_info", &labels), Some(1.0));
}
