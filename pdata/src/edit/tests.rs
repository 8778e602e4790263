mod paired;

use bytes::Bytes;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::{prop_assert_eq, proptest};
use proptest::sample::select;

use super::{DataPointMut, MetricKind, TooDeep, ValueBuf};
use crate::oracle::entropy::{Entropy, entropy};
use crate::oracle::flat::{check, flat};
use crate::oracle::mutate::mutate;
use crate::oracle::read::{seen, views};
use crate::oracle::{Request, arbitrary, cases};
use crate::view::{AnyValue, SpanKind};
use crate::wire::{put_len, put_message, put_uint};
use crate::{Joiner, Payload, Signal};

/// What a visit did to a group on our side, for prost's side to follow.
#[derive(Default)]
struct Visited<T> {
    removed: bool,
    children: Vec<T>,
}

/// Edits a payload and its request at random, with visits to all levels, headers edited before, between and after their items, items removed and
/// added.
macro_rules! edit_both {
    ($name:ident, $request:ty, $groups:ident, $scopes:ident, $items:ident, $visit:ident, $edit:path, $push:ident, $new:ty) => {
        fn $name(e: &mut Entropy<'_>, payload: &mut Payload, theirs: &mut $request) {
            let mut resources: Vec<Visited<Visited<bool>>> = Vec::new();
            let mut added: Vec<(usize, usize, $new)> = Vec::new();
            payload.edit(|mut group| {
                let r = resources.len();
                resources.push(Visited::default());
                let theirs = &mut theirs.$groups[r];
                let (header, url) = (&mut theirs.resource, &mut theirs.schema_url);
                if e.one_in(3) {
                    paired::resource(e, group.resource(), header, url);
                }
                if e.one_in(12) {
                    group.resource().remove();
                    resources[r].removed = true;
                }
                if e.one_in(8) {
                    return;
                }
                let scopes = &mut theirs.$scopes;
                let visited = &mut resources[r];
                group.scopes(|resource, mut group| {
                    let s = visited.children.len();
                    visited.children.push(Visited::default());
                    let theirs = &mut scopes[s];
                    if e.one_in(3) {
                        let url = &mut theirs.schema_url;
                        paired::scope(e, group.scope(), &mut theirs.scope, url);
                    }
                    if e.one_in(12) {
                        group.scope().remove();
                        visited.children[s].removed = true;
                    }
                    if e.one_in(8) {
                        return;
                    }
                    let items = &mut visited.children[s].children;
                    group.$visit(|scope, item| {
                        if e.flag() {
                            $edit(e, item, &mut theirs.$items[items.len()]);
                        }
                        if e.one_in(6) {
                            item.remove();
                        }
                        items.push(item.is_removed());
                        if e.one_in(10) {
                            paired::resource(e, resource, header, url);
                        }
                        if e.one_in(10) {
                            paired::scope(e, scope, &mut theirs.scope, &mut theirs.schema_url);
                        }
                        if e.one_in(10) {
                            let mut new = <$new>::default();
                            scope.$push(|item| $edit(e, item, &mut new)).unwrap();
                            added.push((r, s, new));
                        }
                    });
                });
            });
            for (r, s, new) in added {
                theirs.$groups[r].$scopes[s].$items.push(new);
            }
            follow(&mut theirs.$groups, &resources, |group, visited| {
                follow(&mut group.$scopes, &visited.children, |scope, visited| {
                    follow(&mut scope.$items, &visited.children, |_, removed| *removed);
                    visited.removed || scope.$items.is_empty() && !visited.children.is_empty()
                });
                visited.removed || group.$scopes.is_empty() && !visited.children.is_empty()
            });
        }
    };
}

/// Keeps what `removed` says no to of those that were visited; what stands behind them is new.
fn follow<T, V>(theirs: &mut Vec<T>, visited: &[V], mut removed: impl FnMut(&mut T, &V) -> bool) {
    let mut visited = visited.iter();
    theirs.retain_mut(|theirs| visited.next().is_none_or(|visited| !removed(theirs, visited)));
}

type Traces = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
type Metrics = opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
type Logs = opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;

edit_both!(
    edit_traces,
    Traces,
    resource_spans,
    scope_spans,
    spans,
    spans,
    paired::span,
    push_span,
    Span
);
edit_both!(
    edit_metrics,
    Metrics,
    resource_metrics,
    scope_metrics,
    metrics,
    metrics,
    paired::metric,
    push_metric,
    Metric
);
edit_both!(
    edit_logs,
    Logs,
    resource_logs,
    scope_logs,
    log_records,
    log_records,
    paired::log_record,
    push_log_record,
    LogRecord
);

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn edits_come_to_the_same_as_on_prosts_types(
        bytes in entropy(1200), changes in entropy(600), edits in entropy(1500),
        signal in select(&Signal::ALL[..]),
    ) {
        let (e, changes) = (&mut Entropy(&bytes), &mut Entropy(&changes));
        let mut payload = Payload::empty(signal);
        for _ in 0..2 {
            let encoded = arbitrary::request(e, signal).encode();
            let encoded = mutate(changes, signal.request_schema(), &encoded);
            payload.append(Payload::decode(signal, encoded.into()).unwrap().payload);
        }
        let mut theirs = Request::of(&payload);
        let e = &mut Entropy(&edits);
        match &mut theirs {
            Request::Traces(theirs) => edit_traces(e, &mut payload, theirs),
            Request::Metrics(theirs) => edit_metrics(e, &mut payload, theirs),
            Request::Logs(theirs) => edit_logs(e, &mut payload, theirs),
        }
        check(&payload);
        let theirs = seen(theirs);
        prop_assert_eq!(&views(&payload), &theirs);
        prop_assert_eq!(&seen(Request::of(&payload)), &theirs);

        // What was edited is cut and joined as what came.
        let mut joiner = Joiner::new(signal);
        payload.clone().split_every(2).into_iter().for_each(|part| joiner.push(part));
        let joined = joiner.take();
        check(&joined);
        prop_assert_eq!(flat(&seen(Request::of(&joined))), flat(&theirs));
    }

    #[test]
    fn visits_that_change_nothing_leave_the_chunks(
        bytes in entropy(1200), signal in select(&Signal::ALL[..]),
    ) {
        let encoded = arbitrary::request(&mut Entropy(&bytes), signal).encode();
        let before = Payload::decode(signal, encoded.into()).unwrap().payload;
        let mut after = before.clone();
        after.edit(|mut group| {
            let url = group.resource().schema_url().to_string();
            group.resource().set_schema_url(url.as_str());
            group.resource().attributes().for_each(|attribute| {
                let value = ValueBuf::from(attribute.view().value);
                // An index into a dictionary reads as nothing, but is something.
                if value != ValueBuf::default() {
                    attribute.set_value(&value).unwrap();
                }
            });
            group.scopes(|resource, mut group| {
                resource.attributes().remove("not there");
                let name = group.scope().view().name.to_string();
                group.scope().set_name(name.as_str());
                group.spans(|_, span| {
                    let name = span.view().name.to_string();
                    span.set_name(name.as_str());
                    span.events_with_span(|span, _| assert!(span.view().events.is_empty()));
                    span.status(|_| ());
                });
            });
        });
        let places = |payload: &Payload| {
            payload.chunks().iter().map(|c| (c.as_ptr(), c.len())).collect::<Vec<_>>()
        };
        prop_assert_eq!(places(&before), places(&after));
    }
}

#[test]
fn unknown_fields_survive_edits_around_them() {
    // A number that would be that of a span's kind, were only its low bits looked at.
    let unknown = |out: &mut Vec<u8>, level: u8| put_len(out, 32 + 6, &[b'u', level]);
    let mut request = Vec::new();
    put_message(&mut request, 1, |resource_spans| {
        unknown(resource_spans, b'0');
        put_message(resource_spans, 1, |resource| unknown(resource, b'1'));
        put_message(resource_spans, 2, |scope_spans| {
            put_message(scope_spans, 2, |span| {
                unknown(span, b'3');
                put_message(span, 9, |attribute| {
                    put_len(attribute, 1, b"k");
                    put_message(attribute, 2, |value| put_uint(value, 3, 1));
                    unknown(attribute, b'4');
                });
                put_message(span, 11, |event| unknown(event, b'5'));
                put_message(span, 15, |status| unknown(status, b'6'));
            });
            unknown(scope_spans, b'2');
        });
    });
    unknown(&mut request, b'7');
    let mut payload = Payload::decode(Signal::Traces, request.into()).unwrap().payload;
    payload.edit_spans(|resource, scope, span| {
        resource.attributes().set("a", true).unwrap();
        resource.set_schema_url("schema");
        scope.set_name("scope");
        span.set_kind(SpanKind::Client);
        assert_eq!(span.attributes().update("k", 2.5), Ok(true));
        span.events().for_each(|event| event.set_name("event"));
        span.status(|status| status.set_message("status"));
    });
    let bytes = payload.to_bytes();
    for level in b'0'..=b'7' {
        assert_eq!(bytes.windows(2).filter(|w| *w == [b'u', level]).count(), 1, "{level}");
    }
    let span = payload.resource_spans().next().unwrap().scope_spans.iter().next().unwrap();
    let span = span.spans.iter().next().unwrap();
    assert_eq!(span.attribute("k"), Some(AnyValue::Double(2.5)));
    assert_eq!(span.kind, SpanKind::Client);
}

#[test]
fn groups_out_of_order_are_edited_without_loss() {
    let mut request = Vec::new();
    put_message(&mut request, 1, |resource_spans| {
        put_len(resource_spans, 3, b"old schema");
        put_len(resource_spans, 700, b"unknown");
        put_message(resource_spans, 2, |s| put_message(s, 2, |s| put_len(s, 5, b"span")));
        put_len(resource_spans, 3, b"newer schema");
        put_message(resource_spans, 1, |resource| put_uint(resource, 2, 7));
    });
    let mut payload = Payload::decode(Signal::Traces, request.clone().into()).unwrap().payload;
    payload.edit_spans(|resource, _, _| {
        assert_eq!(resource.schema_url().as_str(), "newer schema");
        assert_eq!(resource.view().dropped_attributes_count, 7);
    });
    assert_eq!(payload.to_bytes(), request);
    payload.edit_spans(|resource, _, span| {
        span.set_name("renamed");
        resource.set_schema_url("");
        resource.set_dropped_attributes_count(8);
    });
    let mut expected = Vec::new();
    put_message(&mut expected, 1, |resource_spans| {
        put_message(resource_spans, 1, |resource| put_uint(resource, 2, 8));
        put_message(resource_spans, 2, |s| put_message(s, 2, |s| put_len(s, 5, b"renamed")));
        put_len(resource_spans, 700, b"unknown");
    });
    assert_eq!(payload.to_bytes(), expected);
}

#[test]
fn items_are_added_behind_the_header_of_an_empty_scope() {
    let mut request = Vec::new();
    put_message(&mut request, 1, |r| {
        put_message(r, 2, |scope_logs| {
            put_message(scope_logs, 1, |scope| put_len(scope, 1, b"scope"));
            put_len(scope_logs, 3, b"schema");
        });
    });
    let mut payload = Payload::decode(Signal::Logs, request.into()).unwrap().payload;
    payload.edit_scopes(|_, scope| {
        scope.set_name("renamed");
        scope.push_log_record(|record| record.set_event_name("new"));
        scope.push_log_record(|record| record.remove());
    });
    let mut expected = Vec::new();
    put_message(&mut expected, 1, |r| {
        put_message(r, 2, |scope_logs| {
            put_message(scope_logs, 1, |scope| put_len(scope, 1, b"renamed"));
            put_message(scope_logs, 2, |record| put_len(record, 12, b"new"));
            put_len(scope_logs, 3, b"schema");
        });
    });
    assert_eq!(payload.to_bytes(), expected);
    assert_eq!(payload.items(), 1);
}

#[test]
fn groups_that_came_empty_can_be_removed() {
    let mut request = Vec::new();
    for spans in [0, 1] {
        put_message(&mut request, 1, |r| {
            put_message(r, 1, |_| ());
            put_message(r, 2, |s| put_message(s, 1, |_| ()));
            if spans > 0 {
                put_message(r, 2, |s| put_message(s, 2, |span| put_len(span, 5, b"x")));
            }
        });
    }
    put_message(&mut request, 1, |r| put_len(r, 3, b"url"));
    let mut payload = Payload::decode(Signal::Traces, request.into()).unwrap().payload;
    payload.edit(|mut group| {
        if group.is_empty() {
            return group.resource().remove();
        }
        group.scopes(|_, mut group| {
            if group.is_empty() {
                group.scope().remove();
            }
        });
    });
    let scopes: Vec<usize> =
        payload.resource_spans().map(|resource| resource.scope_spans.iter().count()).collect();
    assert_eq!((payload.items(), scopes), (1, vec![1]));
}

#[test]
fn item_is_removed_from_a_visit_to_its_parts() {
    let mut request = Vec::new();
    put_message(&mut request, 1, |r| {
        put_message(r, 2, |s| {
            for name in [&b"drop"[..], b"keep"] {
                put_message(s, 2, |span| put_message(span, 11, |event| put_len(event, 2, name)));
            }
        });
    });
    let mut payload = Payload::decode(Signal::Traces, request.into()).unwrap().payload;
    payload.edit_spans(|_, _, span| {
        span.events_with_span(|span, event| {
            if event.view().name == "drop" {
                span.remove();
            }
        });
    });
    assert_eq!(payload.items(), 1);

    let mut payload = Payload::decode(Signal::Metrics, scope_of_metrics().into()).unwrap().payload;
    payload.edit_scopes(|_, scope| {
        scope.push_metric(|metric| {
            metric.set_kind(MetricKind::Summary);
            metric.points(|points| match points {
                super::PointsMut::Summary(mut list) => list.push(|_| ()),
                other => panic!("{other:?} in a summary"),
            });
        });
    });
    assert_eq!(payload.items(), 1);
    payload.edit_metrics(|_, _, metric| metric.points_with_metric(|metric, _| metric.remove()));
    assert!(payload.is_empty() && payload.chunks().is_empty());
}

#[test]
fn chunks_that_do_not_change_are_kept_beside_those_that_do() {
    let request = |name: &str| {
        let mut out = Vec::new();
        put_message(&mut out, 1, |r| {
            put_message(r, 2, |s| put_message(s, 2, |s| put_len(s, 5, name.as_bytes())))
        });
        Payload::decode(Signal::Traces, out.into()).unwrap().payload
    };
    let mut payload = request("keep");
    payload.append(request("drop"));
    payload.append(request("edit"));
    let before: Vec<Bytes> = payload.chunks().to_vec();
    payload.edit_spans(|_, _, span| match span.view().name.as_str() {
        "drop" => span.remove(),
        "edit" => span.set_name("edited"),
        _ => {}
    });
    let [kept, edited] = payload.chunks() else { panic!("two chunks") };
    assert_eq!(kept.as_ptr(), before[0].as_ptr());
    assert_eq!((payload.items(), payload.encoded_len()), (2, kept.len() + edited.len()));
    check(&payload);
}

#[test]
fn value_that_would_nest_too_deep_is_refused_and_nothing_changes() {
    let mut request = Vec::new();
    put_message(&mut request, 1, |r| put_message(r, 2, |s| put_message(s, 2, |_| {})));
    let mut payload = Payload::decode(Signal::Traces, request.into()).unwrap().payload;
    // The value of a span's attribute is message 5; each list adds two of the hundred.
    payload.edit_spans(|_, _, span| {
        let mut attributes = span.attributes();
        assert_eq!(attributes.set("deep", &deep(48)), Err(TooDeep));
        assert_eq!(attributes.insert("deep", &deep(48)), Err(TooDeep));
        assert!(!attributes.contains("deep"));
        attributes.set("deep", &deep(47)).unwrap();
        assert_eq!(attributes.update("deep", &deep(48)), Err(TooDeep));
        let deeper = attributes.edit("deep", |value| {
            assert_eq!(value.set(&deep(48)), Err(TooDeep));
            value.array(|list| list.edit(0, |value| value.set(&deep(47)))).flatten()
        });
        assert_eq!(deeper, Some(Some(Err(TooDeep))));
    });
    check(&payload);
    assert_eq!(payload.items(), 1);
}

fn deep(depth: usize) -> ValueBuf {
    (0..depth).fold(ValueBuf::from(1), |inner, _| {
        ValueBuf::array(|list| list.push(|value| value.set(&inner)).unwrap())
    })
}

#[test]
fn nothing_is_put_where_messages_nest_as_deep_as_they_may() {
    // An empty list as message 100: the body is message 4, the map adds three, and each list two.
    let mut request = Vec::new();
    let value = (0..46).fold(vec![0x2a, 0], |inner, _| {
        let mut out = Vec::new();
        put_message(&mut out, 5, |list| put_len(list, 1, &inner));
        out
    });
    put_message(&mut request, 1, |r| {
        put_message(r, 2, |s| {
            put_message(s, 2, |record| {
                put_message(record, 5, |body| {
                    put_message(body, 6, |map| {
                        put_message(map, 1, |entry| put_len(entry, 2, &value))
                    });
                });
            });
        });
    });
    let decoded = Payload::decode(Signal::Logs, request.into());
    let mut payload = decoded.unwrap().payload;
    payload.edit_log_records(|_, _, record| {
        fn innermost(value: &mut super::ValueMut<'_>) {
            value.array(|list| {
                if list.edit(0, innermost).is_none() {
                    list.push(|value| value.set(1)).unwrap();
                }
            });
        }
        let found = record.body(|body| body.map(|map| map.edit("", innermost)));
        assert_eq!(found, Some(Some(())));
    });
    check(&payload);
}

#[test]
fn items_of_other_signals_are_neither_visited_nor_added() {
    let mut request = Vec::new();
    put_message(&mut request, 1, |r| put_message(r, 2, |s| put_message(s, 2, |_| {})));
    let mut payload = Payload::decode(Signal::Logs, request.into()).unwrap().payload;
    payload.edit_spans(|_, _, _| panic!("no spans in logs"));
    payload.edit_metrics(|_, _, _| panic!("no metrics in logs"));
    let mut scopes = 0;
    payload.edit_scopes(|_, scope| {
        scopes += 1;
        assert!(scope.push_span(|_| ()).is_none() && scope.push_metric(|_| ()).is_none());
        assert!(scope.push_log_record(|record| record.set_event_name("new")).is_some());
    });
    assert_eq!((scopes, payload.items()), (1, 2));
    check(&payload);
}

#[test]
fn points_of_all_kinds_share_their_fields() {
    let kinds = [
        MetricKind::Gauge,
        MetricKind::Sum,
        MetricKind::Histogram,
        MetricKind::ExponentialHistogram,
        MetricKind::Summary,
    ];
    let mut payload = Payload::decode(Signal::Metrics, scope_of_metrics().into()).unwrap().payload;
    payload.edit_scopes(|_, scope| {
        for kind in kinds {
            scope.push_metric(|metric| {
                metric.set_kind(kind);
                metric.points(|points| match points {
                    super::PointsMut::Number(mut list) => list.push(|_| ()),
                    super::PointsMut::Histogram(mut list) => list.push(|_| ()),
                    super::PointsMut::ExponentialHistogram(mut list) => list.push(|_| ()),
                    super::PointsMut::Summary(mut list) => list.push(|_| ()),
                });
            });
        }
    });
    assert_eq!(payload.items(), 5);
    payload.edit_metrics(|_, _, metric| {
        metric.points_with_metric(|_, mut point: DataPointMut<'_, '_>| {
            point.set_time_unix_nano(1);
            point.set_start_time_unix_nano(2);
            point.set_flags(3);
            point.attributes().set("k", "v").unwrap();
        });
    });
    let Request::Metrics(request) = views(&payload) else { unreachable!() };
    let text = format!("{request:?}");
    for field in ["start_time_unix_nano: 2", "time_unix_nano: 1", "flags: 3", "\"k\""] {
        assert_eq!(text.matches(&format!(" {field}")).count(), 5, "{field}");
    }
    payload.edit_metrics(|_, _, metric| metric.points_with_metric(|_, mut point| point.remove()));
    assert!(payload.is_empty());
    check(&payload);
}

fn scope_of_metrics() -> Vec<u8> {
    let mut request = Vec::new();
    put_message(&mut request, 1, |r| put_message(r, 2, |_| {}));
    request
}
