//! OTLP spans to Zipkin v2 bodies, from views straight into the request's buffer. Pure: no clock, no network.
//!
//! The mapping is that of open-telemetry/opentelemetry-collector-contrib `pkg/translator/zipkin/zipkinv2` (0.160, default
//! gates) with the losses that this component's README lists mended. Tags of resource and scope are rendered once for all spans of
//! a scope and copied; a span that sets one of their keys again takes a slower path.

mod endpoint;
mod form;
mod inherited;
mod json;
mod proto;
mod slots;
mod span;

use pdata::Payload;

use form::Form;
use inherited::{Inherited, Resource};
use json::Json;
use proto::Proto;
use span::SpanWriter;

/// An encoding of Zipkin v2 spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON array of spans.
    Json,
    /// `ListOfSpans` of openzipkin/zipkin-api `zipkin.proto`.
    Proto,
}

impl Format {
    /// Typical length of a body in lengths of its payload.
    pub fn growth(self) -> usize {
        match self {
            Format::Json => Json::GROWTH,
            Format::Proto => Proto::GROWTH,
        }
    }

    /// The body's content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Proto => "application/x-protobuf",
        }
    }
}

/// A body and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The encoded spans: a whole request body.
    pub body: Vec<u8>,
    /// Spans in the body.
    pub spans: usize,
    /// Spans that were taken from the payload and cannot be sent.
    pub dropped: Dropped,
}

impl Translation {
    /// Spans taken from the front of the payload: those in the body and those dropped.
    pub fn consumed(&self) -> usize {
        self.spans + self.dropped.total()
    }
}

/// Spans that Zipkin has no form for, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Their trace id is all zero or not 16 bytes long.
    pub trace_id: usize,
    /// Their span id is all zero or not 8 bytes long.
    pub span_id: usize,
}

impl Dropped {
    /// All of them.
    pub fn total(&self) -> usize {
        self.trace_id + self.span_id
    }

    fn count(&mut self, reason: Unsendable) {
        match reason {
            Unsendable::TraceId => self.trace_id += 1,
            Unsendable::SpanId => self.span_id += 1,
        }
    }
}

/// Why a span cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsendable {
    TraceId,
    SpanId,
}

/// How a payload is to be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// The encoding.
    pub format: Format,
    /// The name of services without one.
    pub default_service_name: &'a str,
    /// The longest body in bytes. The first span always goes in, however large.
    pub body_len_max: usize,
}

impl Options<'_> {
    /// The name that upstream gives to services without one (open-telemetry/opentelemetry-collector-contrib
    /// `internal/coreinternal/tracetranslator`).
    pub const NO_SERVICE_NAME: &'static str = "OTLPResourceNoServiceName";

    /// Bodies of any length in this encoding, with upstream's name for services without one.
    pub fn of(format: Format) -> Self {
        let default_service_name = Self::NO_SERVICE_NAME;
        Self { format, default_service_name, body_len_max: usize::MAX }
    }
}

/// Translates spans from the front of a payload of traces until they are all in the body, or the next one would make it longer
/// than it may be. Callers cut [`Translation::consumed`] spans off the payload and come back for the rest.
pub fn translate(payload: &Payload, options: &Options<'_>) -> Translation {
    match options.format {
        Format::Json => translate_to::<Json>(payload, options),
        Format::Proto => translate_to::<Proto>(payload, options),
    }
}

fn translate_to<F: Form>(payload: &Payload, options: &Options<'_>) -> Translation {
    let body_len_max = options.body_len_max;
    let expected = payload.encoded_len().saturating_mul(F::GROWTH).min(body_len_max);
    let mut out = Vec::with_capacity(expected);
    let (mut spans, mut dropped) = (0, Dropped::default());
    let mut writer = SpanWriter::default();
    let mut inherited = Inherited::default();
    F::open_body(&mut out);
    'body: for resource_spans in payload.resource_spans() {
        let resource = Resource::of(&resource_spans.resource, options.default_service_name);
        for scope_spans in resource_spans.scope_spans {
            inherited.render::<F>(&resource, &scope_spans.scope);
            for span in scope_spans.spans {
                let mark = out.len();
                match writer.write::<F>(&mut out, &span, &inherited) {
                    Err(reason) => dropped.count(reason),
                    Ok(()) if out.len() + F::CLOSING_LEN > body_len_max && spans > 0 => {
                        out.truncate(mark);
                        break 'body;
                    }
                    Ok(()) => spans += 1,
                }
            }
        }
    }
    F::close_body(&mut out);
    Translation { body: out, spans, dropped }
}

#[cfg(test)]
mod tests;
