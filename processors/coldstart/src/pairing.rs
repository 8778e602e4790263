//! Which spans belong together, and what becomes of them. Pure: no clock, and nothing waits.

use bytes::Bytes;
use pdata::view::{AnyValue, Message, Span};
use pdata::wire::{self, FieldValue, Reader};
use pdata::{Payload, Signal};

// Field numbers of OTLP's `trace.proto`.
const RESOURCE_SPANS: u32 = 1;
const HEADER: u32 = 1;
const CHILDREN: u32 = 2;
const SCHEMA_URL: u32 = 3;

/// What is remembered between payloads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Pairing {
    /// Neither span has come.
    #[default]
    Open,
    /// The cold start's span, kept back until it is known where it belongs.
    ColdStart(Found),
    /// Where the cold start's span belongs.
    Invocation(Found),
    /// They have been put together. Nothing is looked at any more.
    Done,
}

/// A span with what it stands in, each as its encoded fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Resource and schema URL of the `ResourceSpans`.
    resource: Vec<u8>,
    /// Scope and schema URL of the `ScopeSpans`.
    scope: Vec<u8>,
    /// The inside of the span.
    span: Vec<u8>,
}

impl Pairing {
    /// Takes a payload, and gives what goes on of it.
    pub(crate) fn take(&mut self, mut payload: Payload) -> Payload {
        if *self == Self::Done {
            return payload;
        }
        if let Some(cold) = find(&payload, is_cold_start) {
            remove_first(&mut payload, is_cold_start);
            match std::mem::take(self) {
                Self::Invocation(invocation) => {
                    payload.append(cold.joined_to(&invocation));
                    *self = Self::Done;
                    return payload;
                }
                // A snapshot is initialised once and restored later: the later span is what an invocation waited for.
                Self::ColdStart(earlier) => payload.append(earlier.alone()),
                Self::Open | Self::Done => {}
            }
            *self = Self::ColdStart(cold);
        }
        if let Some(invocation) = find(&payload, is_invocation) {
            match std::mem::take(self) {
                Self::ColdStart(cold) => {
                    payload.append(cold.joined_to(&invocation));
                    *self = Self::Done;
                }
                Self::Open => *self = Self::Invocation(invocation),
                other => *self = other,
            }
        }
        payload
    }

    /// The span that is kept back and will not find its place any more, as it came.
    pub(crate) fn give_up(&mut self) -> Option<Payload> {
        match std::mem::replace(self, Self::Done) {
            Self::ColdStart(cold) => Some(cold.alone()),
            Self::Open | Self::Invocation(_) | Self::Done => None,
        }
    }

    /// How many spans are kept back.
    pub(crate) fn held(&self) -> usize {
        usize::from(matches!(self, Self::ColdStart(_)))
    }
}

impl Found {
    /// The cold start's span in the trace of an invocation, with its parent, resource and scope: it stands beside the invocation's
    /// span. Its own resource says less.
    fn joined_to(&self, invocation: &Found) -> Payload {
        let joined = Found { span: self.span.clone(), ..invocation.clone() };
        let mut payload = joined.alone();
        let other = Span::read(&invocation.span);
        payload.edit_spans(|_, _, span| {
            span.set_trace_id(other.trace_id);
            span.set_parent_span_id(other.parent_span_id);
        });
        payload
    }

    /// A payload of this span alone.
    fn alone(&self) -> Payload {
        let mut request = Vec::new();
        wire::put_message(&mut request, RESOURCE_SPANS, |out| {
            out.extend_from_slice(&self.resource);
            wire::put_message(out, CHILDREN, |out| {
                out.extend_from_slice(&self.scope);
                wire::put_len(out, CHILDREN, &self.span);
            });
        });
        let decoded = Payload::decode(Signal::Traces, Bytes::from(request));
        decoded.expect("its parts are those of a payload, which are sound").payload
    }
}

/// The mark of the span that tells of a cold start.
fn is_cold_start(span: &Span<'_>) -> bool {
    matches!(span.attribute("faas.coldstart"), Some(AnyValue::Bool(true)))
}

/// The mark of an invocation's span, by its current name and by that before semantic conventions 1.19.
fn is_invocation(span: &Span<'_>) -> bool {
    !is_cold_start(span)
        && ["faas.invocation_id", "faas.execution"].iter().any(|key| span.attribute(key).is_some())
}

/// The first span that `wanted` says yes to.
fn find(payload: &Payload, wanted: impl Fn(&Span<'_>) -> bool) -> Option<Found> {
    let groups = payload.chunks().iter().flat_map(|chunk| messages(chunk, RESOURCE_SPANS));
    for group in groups {
        for scope in messages(group, CHILDREN) {
            if let Some(span) = messages(scope, CHILDREN).find(|span| wanted(&Span::read(span))) {
                let (resource, scope) = (around(group), around(scope));
                return Some(Found { resource, scope, span: span.to_vec() });
            }
        }
    }
    None
}

fn remove_first(payload: &mut Payload, wanted: impl Fn(&Span<'_>) -> bool) {
    let mut is_done = false;
    payload.edit_spans(|_, _, span| {
        if !is_done && wanted(&span.view()) {
            span.remove();
            is_done = true;
        }
    });
}

/// The messages under a number.
fn messages(body: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Reader::new(body).filter_map(move |field| match field.value {
        FieldValue::Len(message) if field.number == number => Some(message),
        _ => None,
    })
}

/// What a group says of all its children: header and schema URL.
fn around(body: &[u8]) -> Vec<u8> {
    let fields = Reader::new(body).filter(|field| matches!(field.number, HEADER | SCHEMA_URL));
    fields.flat_map(|field| field.raw.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn payload(service: &str, scope: &str, spans: &[Value]) -> Payload {
        let attribute = json!({"key": "service.name", "value": {"stringValue": service}});
        let request = json!({"resourceSpans": [{
            "resource": {"attributes": [attribute]},
            "scopeSpans": [{"scope": {"name": scope}, "spans": spans}]
        }]});
        Payload::from_json(Signal::Traces, request.to_string().as_bytes()).unwrap().payload
    }

    fn span(name: &str, trace: u8, parent: &str, attributes: &[(&str, Value)]) -> Value {
        let attributes = attributes.iter().map(|(key, value)| json!({"key": key, "value": value}));
        json!({
            "name": name, "traceId": format!("{trace:032x}"), "spanId": "00000000000000aa", "parentSpanId": parent,
            "attributes": attributes.collect::<Vec<_>>()
        })
    }

    fn cold_start() -> Payload {
        let mark = ("faas.coldstart", json!({"boolValue": true}));
        payload("telemetryapi", "receiver", &[span("init f", 1, "", &[mark])])
    }

    fn invocation(key: &str, trace: u8) -> Payload {
        let mark = (key, json!({"stringValue": "r-1"}));
        let spans = [
            span("other", trace, "00000000000000bb", &[]),
            span("f", trace, "00000000000000bb", &[mark]),
        ];
        payload("shop", "instrumentation", &spans)
    }

    /// Service, scope, name, trace and parent of each span.
    fn told(payload: &Payload) -> Vec<String> {
        let mut json = Vec::new();
        payload.to_json(&mut json);
        let json: Value = serde_json::from_slice(&json).unwrap();
        let mut told = Vec::new();
        for group in json["resourceSpans"].as_array().into_iter().flatten() {
            let service = &group["resource"]["attributes"][0]["value"]["stringValue"];
            for scope in group["scopeSpans"].as_array().unwrap() {
                for span in scope["spans"].as_array().unwrap() {
                    let trace = span["traceId"].as_str().unwrap().trim_start_matches('0');
                    let parent = span["parentSpanId"].as_str().unwrap_or("-");
                    let (name, scope) = (&span["name"], &scope["scope"]["name"]);
                    let parent = parent.trim_start_matches('0');
                    told.push(
                        format!("{service} {scope} {name} {trace} {parent}").replace('"', ""),
                    );
                }
            }
        }
        told
    }

    const JOINED: &str = "shop instrumentation init f 2 bb";
    const INVOCATION: [&str; 2] =
        ["shop instrumentation other 2 bb", "shop instrumentation f 2 bb"];

    #[test]
    fn cold_start_that_comes_first_waits_for_the_invocation() {
        for key in ["faas.invocation_id", "faas.execution"] {
            let mut pairing = Pairing::default();
            assert!(pairing.take(cold_start()).is_empty());
            assert_eq!(pairing.held(), 1);
            let out = told(&pairing.take(invocation(key, 2)));
            assert_eq!(out, [INVOCATION[0], INVOCATION[1], JOINED]);
            assert_eq!(pairing.held(), 0);
            assert!(pairing.give_up().is_none());
        }
    }

    #[test]
    fn invocation_that_comes_first_is_passed_on_and_remembered() {
        let mut pairing = Pairing::default();
        assert_eq!(told(&pairing.take(invocation("faas.invocation_id", 2))), INVOCATION);
        assert_eq!(told(&pairing.take(invocation("faas.invocation_id", 3))).len(), 2);
        assert_eq!(told(&pairing.take(cold_start())), [JOINED], "it belongs to the first");
    }

    #[test]
    fn both_in_one_payload_find_each_other() {
        for order in [true, false] {
            let mut both = if order { cold_start() } else { invocation("faas.invocation_id", 2) };
            both.append(if order { invocation("faas.invocation_id", 2) } else { cold_start() });
            let out = told(&Pairing::default().take(both));
            assert_eq!(out, [INVOCATION[0], INVOCATION[1], JOINED]);
        }
    }

    #[test]
    fn after_the_first_pair_everything_passes_as_it_came() {
        let mut pairing = Pairing::default();
        pairing.take(cold_start());
        pairing.take(invocation("faas.invocation_id", 2));
        let second = cold_start();
        assert_eq!(pairing.take(second.clone()).to_bytes(), second.to_bytes());
    }

    #[test]
    fn span_that_finds_no_invocation_is_given_up_as_it_came() {
        let mut pairing = Pairing::default();
        pairing.take(cold_start());
        assert_eq!(told(&pairing.give_up().unwrap()), ["telemetryapi receiver init f 1 -"]);
        assert!(pairing.give_up().is_none());
    }

    #[test]
    fn restore_takes_the_place_of_an_init_that_nobody_waited_for() {
        let mut pairing = Pairing::default();
        pairing.take(cold_start());
        let mark = ("faas.coldstart", json!({"boolValue": true}));
        let restore = payload("telemetryapi", "receiver", &[span("restore f", 4, "", &[mark])]);
        assert_eq!(told(&pairing.take(restore)), ["telemetryapi receiver init f 1 -"]);
        let out = told(&pairing.take(invocation("faas.invocation_id", 2)));
        assert_eq!(out[2], "shop instrumentation restore f 2 bb");
    }

    #[test]
    fn neighbours_of_a_cold_start_and_false_marks_pass() {
        let mut pairing = Pairing::default();
        let marks = [json!({"boolValue": false}), json!({"stringValue": "true"})];
        let spans = marks.map(|mark| span("plain", 5, "", &[("faas.coldstart", mark)]));
        let plain = payload("shop", "scope", &spans);
        assert_eq!(pairing.take(plain.clone()).to_bytes(), plain.to_bytes());
        let mark = ("faas.coldstart", json!({"boolValue": true}));
        let spans = [span("init f", 1, "", &[mark]), span("beside", 6, "", &[])];
        let mixed = payload("telemetryapi", "receiver", &spans);
        assert_eq!(told(&pairing.take(mixed)), ["telemetryapi receiver beside 6 -"]);
    }
}
