//! OTLP spans to segment documents, from views straight into the bodies of `PutTraceSegments`. Pure: no clock, no network.
//!
//! The mapping is that of open-telemetry/opentelemetry-collector-contrib `exporter/awsxrayexporter/internal/translator` (0.161, default
//! gates) with the losses that this component's README lists mended, and the stable conventions understood. What depends on the resource
//! alone is rendered once for all its spans and copied.

mod annotations;
mod attributes;
mod aws;
mod calls;
mod cause;
mod document;
mod http;
mod ids;
mod keys;
mod limits;
mod names;
mod options;
mod resource;
mod sql;
mod stack;
mod text;
mod url;

use pdata::Payload;
use pdata::view::{AnyValue, Span};

use calls::Calls;
use document::{Documents, Writer};
use limits::LEVELS;
use resource::ResourceParts;

pub use calls::{Call, DOCUMENT_BYTES_MAX, DOCUMENTS_MAX};
pub use limits::Trimmed;
pub use options::Options;

/// The longest name that X-Ray takes.
const NAME_BYTES_MAX: usize = 200;

/// The scope of the `telemetryapi` receiver, and the mark of the spans whose ids are those of Lambda's own segments.
const PLATFORM_SCOPE: &str =
    "github.com/open-telemetry/opentelemetry-lambda/collector/receiver/telemetryapi";
const PLATFORM_SPAN: &str = "aws.lambda.platform_span";

/// Typical length of the bodies in lengths of the payload.
pub const GROWTH: usize = 3;

/// The calls that a payload becomes, and what could not be sent.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    /// The calls, in the order of the spans.
    pub calls: Vec<Call>,
    /// Spans whose trace or span id is none.
    pub without_ids: usize,
    /// Spans of which a document is too long, whatever is left out of it.
    pub too_large: usize,
    /// Spans that X-Ray has from Lambda itself.
    pub known_to_xray: usize,
    /// Documents that something was left out of.
    pub trimmed: Trimmed,
}

/// What a document stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A span like most.
    Plain,
    /// The local root of a service: a segment, whatever the span's kind.
    LocalRoot,
    /// The call of another service that is a local root, too: a subsegment below the segment that is made up for the service.
    Dependency,
    /// That segment.
    Service,
}

/// Translates a payload of traces.
#[must_use]
pub fn translate(payload: &Payload, options: &Options) -> Translation {
    let mut translation = Translation::default();
    let mut calls = Calls::new(payload.encoded_len().saturating_mul(GROWTH), payload.items());
    let mut writer = Writer::default();
    for resource_spans in payload.resource_spans() {
        let resource = ResourceParts::of(&resource_spans.resource, options);
        for scope_spans in resource_spans.scope_spans {
            let is_of_platform = scope_spans.scope.name == PLATFORM_SCOPE;
            for span in scope_spans.spans {
                if is_of_platform && span.attribute(PLATFORM_SPAN) == Some(AnyValue::Bool(true)) {
                    translation.known_to_xray += 1;
                    continue;
                }
                put_span(&mut calls, &mut writer, &span, &resource, options, &mut translation);
            }
        }
    }
    translation.calls = calls.finish();
    translation
}

/// Appends a span's documents, with as much of them left out as it takes.
fn put_span<'a>(
    calls: &mut Calls,
    writer: &mut Writer<'a>,
    span: &Span<'a>,
    resource: &ResourceParts<'a>,
    options: &Options,
    translation: &mut Translation,
) {
    let Some(documents) = Documents::of(span, writer) else {
        translation.without_ids += 1;
        return;
    };
    calls.begin_span(documents.roles().len());
    for role in documents.roles() {
        let mut fits = false;
        for limits in &LEVELS {
            let mut trimmed = Trimmed::default();
            let mark = calls.begin_document();
            let out = calls.body();
            writer.put(out, &documents.scene(*role, span, resource, options), limits, &mut trimmed);
            if calls.end_document(mark) {
                translation.trimmed += trimmed;
                fits = true;
                break;
            }
        }
        if !fits {
            calls.take_back_span();
            translation.too_large += 1;
            return;
        }
    }
    calls.end_span();
}

#[cfg(test)]
mod tests;
