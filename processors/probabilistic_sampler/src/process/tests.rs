mod account;
mod golden;
mod properties;

use bytes::Bytes;
use confmap::{Diagnostics, Node, Section};
use pdata::wire::{put_len, put_message};

use super::*;

/// The settings that a section comes to, which may be warned about.
fn config(yaml: &str) -> Config {
    let node = Node::from_yaml("config.yaml", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config =
        Config::read(Section::new(Some(&node), "processors::probabilistic_sampler", &diagnostics));
    assert!(!diagnostics.has_errors(), "{yaml}: {diagnostics}");
    config
}

/// A request that holds these items in one scope.
fn request(signal: Signal, items: impl IntoIterator<Item = Vec<u8>>) -> Payload {
    let mut request = Vec::new();
    put_message(&mut request, 1, |resource| {
        put_message(resource, 2, |scope| {
            items.into_iter().for_each(|item| put_len(scope, 2, &item));
        });
    });
    Payload::decode(signal, Bytes::from(request)).unwrap().payload
}

/// A span of this trace.
fn span(trace_id: &[u8], trace_state: &str) -> Vec<u8> {
    let mut span = Vec::new();
    put_len(&mut span, 1, trace_id);
    put_len(&mut span, 3, trace_state.as_bytes());
    put_len(&mut span, 5, b"GET /");
    span
}

/// A log record of this trace.
fn record(trace_id: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    put_len(&mut record, 3, b"INFO");
    put_len(&mut record, 9, trace_id);
    record
}

/// The trace ids of what is left.
fn kept(payload: &Payload) -> Vec<[u8; 16]> {
    let spans = payload.resource_spans().flat_map(|resource| resource.scope_spans);
    let spans = spans.flat_map(|scope| scope.spans).map(|span| span.trace_id);
    let records = payload.resource_logs().flat_map(|resource| resource.scope_logs);
    let records = records.flat_map(|scope| scope.log_records).map(|record| record.trace_id);
    spans.chain(records).map(|id| id.try_into().unwrap()).collect()
}

/// The trace states of what is left.
fn states(payload: &Payload) -> Vec<String> {
    let spans = payload.resource_spans().flat_map(|resource| resource.scope_spans);
    let spans = spans.flat_map(|scope| scope.spans);
    spans.map(|span| span.trace_state.as_str().to_owned()).collect()
}

const TRACE: [u8; 16] = *b"\xab\xab\xab\xab\xab\xab\xab\xab\x00\xe0\x12\x34\x56\x78\x9a\xbc";

#[test]
fn what_came_empty_or_is_left_empty_is_removed() {
    let mut bytes = Vec::new();
    let scope = |out: &mut Vec<u8>, states: &[&str]| {
        put_message(out, 2, |scope| {
            put_message(scope, 1, |scope| put_len(scope, 1, b"lib"));
            states.iter().for_each(|state| put_len(scope, 2, &span(&TRACE, state)));
        });
    };
    put_message(&mut bytes, 1, |r| put_message(r, 1, |_| ()));
    put_message(&mut bytes, 1, |r| scope(r, &["ot=th:f", "ot=th:g"]));
    put_message(&mut bytes, 1, |r| {
        scope(r, &["ot=th:g"]);
        scope(r, &[]);
        scope(r, &["ot=th:g", "ot=th:d", "ot=th:g"]);
    });
    let decoded = Payload::decode(Signal::Traces, Bytes::from(bytes)).unwrap();
    let mut payload = decoded.payload;
    let tally = sample(&config("{mode: equalizing, sampling_percentage: 25}"), &mut payload);
    let shape: Vec<Vec<usize>> = payload
        .resource_spans()
        .map(|r| r.scope_spans.iter().map(|scope| scope.spans.iter().count()).collect())
        .collect();
    assert_eq!(shape, [[1]]);
    assert_eq!(states(&payload), ["ot=th:d"]);
    assert_eq!(tally.failed, 5);
}

#[test]
fn payload_whose_items_say_already_what_they_should_is_passed_on_as_it_came() {
    let cases = [
        ("{mode: equalizing, sampling_percentage: 25}", "a=1"),
        ("{mode: proportional, sampling_percentage: 25}", ""),
        ("{mode: equalizing, sampling_percentage: 25}", "ot=th:c,b=2,ot2=x"),
        ("{mode: proportional, sampling_percentage: 100}", "ot=rv:e0000000000000;th:8;x:1"),
    ];
    for (yaml, state) in cases {
        let config = config(yaml);
        let mut payload = request(Signal::Traces, [span(&TRACE, state)]);
        sample(&config, &mut payload);
        let settled = payload.to_bytes();
        sample(&config, &mut payload);
        if yaml.contains("proportional, sampling_percentage: 25") {
            assert_ne!(payload.to_bytes(), settled, "it is sampled again");
        } else {
            assert_eq!(payload.chunks()[0].as_ptr(), settled.as_ptr(), "{yaml} {state}: copied");
        }
    }
    // Malformed: what cannot be read stays.
    let mut payload = request(Signal::Traces, [span(&TRACE, "ot=zz")]);
    let before = payload.to_bytes();
    for percentage in [0, 50] {
        let yaml = format!("{{sampling_percentage: {percentage}, fail_closed: false}}");
        sample(&config(&yaml), &mut payload);
        assert_eq!(payload.chunks()[0].as_ptr(), before.as_ptr());
    }
}

#[test]
fn unknown_fields_of_an_edited_span_stay() {
    let mut unknown = span(&TRACE, "a=1");
    put_len(&mut unknown, 99, b"from the future");
    let mut payload = request(Signal::Traces, [unknown]);
    sample(&config("{mode: equalizing, sampling_percentage: 25}"), &mut payload);
    assert_eq!(states(&payload), ["ot=th:c,a=1"]);
    let bytes = payload.to_bytes();
    assert!(bytes.windows(15).any(|window| window == b"from the future"));
}

#[test]
fn trace_ids_of_another_length_are_no_randomness() {
    for id in [&[][..], &[7; 8], &[7; 17], &[0; 16]] {
        for mode in ["hash_seed", "equalizing", "proportional"] {
            for (signal, item) in [(Signal::Traces, span(id, "")), (Signal::Logs, record(id))] {
                let yaml = format!("{{mode: {mode}, sampling_percentage: 100}}");
                let mut payload = request(signal, [item]);
                let tally = sample(&config(&yaml), &mut payload);
                assert_eq!(tally.faults, [(Fault::MissingRandomness, 0, 1)], "{mode} {id:?}");
            }
        }
    }
}
