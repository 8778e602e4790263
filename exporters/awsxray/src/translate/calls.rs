//! Bodies of `PutTraceSegments`: no more documents each than X-Ray takes, and where each document stands.

use std::ops::Range;

use bytes::Bytes;

use super::document::{ID_OFFSET, TRACE_ID_OFFSET};

/// More documents are not taken in one call.
pub const DOCUMENTS_MAX: usize = 50;
/// The longest document, in bytes. X-Ray's limit is 64 kB.
pub const DOCUMENT_BYTES_MAX: usize = 64_000;

const OPENING: &[u8] = b"{\"TraceSegmentDocuments\":[\"";
const BETWEEN: &[u8] = b"\",\"";
const CLOSING: &[u8] = b"\"]}";

/// One call's body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The body.
    pub body: Bytes,
    /// Where its documents stand, as JSON strings without their quotes.
    pub documents: Vec<Document>,
    /// The spans whose documents it holds.
    pub spans: usize,
}

/// A document in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Where it stands.
    pub place: Range<usize>,
    /// The span of the call that it was made of.
    pub span: usize,
}

impl Call {
    /// The id of a document: 16 hex digits.
    #[must_use]
    pub fn id(&self, document: &Document) -> &[u8] {
        let start = document.place.start + ID_OFFSET;
        self.body.get(start..start + 16).unwrap_or_default()
    }

    /// The id of the trace that a document is of, in X-Ray's form.
    #[must_use]
    pub fn trace_id(&self, document: &Document) -> &[u8] {
        let start = document.place.start + TRACE_ID_OFFSET;
        self.body.get(start..start + 35).unwrap_or_default()
    }

    /// A body with some of the documents.
    #[must_use]
    pub fn body_of<'d>(&self, documents: impl Iterator<Item = &'d Document>) -> Vec<u8> {
        let mut body = Vec::new();
        for document in documents {
            body.extend_from_slice(if body.is_empty() { OPENING } else { BETWEEN });
            body.extend_from_slice(self.body.get(document.place.clone()).unwrap_or_default());
        }
        body.extend_from_slice(CLOSING);
        body
    }
}

/// Writes calls, one after the other.
pub(super) struct Calls {
    done: Vec<Call>,
    body: Vec<u8>,
    documents: Vec<Document>,
    spans: usize,
    /// What a body can be expected to take.
    expected_len: usize,
    /// Where the open span began: its documents and its body.
    span: (usize, usize),
}

impl Calls {
    /// For so many bytes of bodies and spans, as can be expected.
    pub(super) fn new(expected_len: usize, spans: usize) -> Self {
        let a_document = expected_len.checked_div(spans).unwrap_or_default();
        let expected_len = a_document.saturating_mul(spans.min(DOCUMENTS_MAX)).min(4 << 20);
        let mut this = Self {
            done: Vec::new(),
            body: Vec::new(),
            documents: Vec::new(),
            spans: 0,
            expected_len,
            span: (0, 0),
        };
        this.open();
        this
    }

    fn open(&mut self) {
        self.body.reserve(self.expected_len);
        self.body.extend_from_slice(OPENING);
    }

    /// Begins a span of so many documents, which stay together.
    pub(super) fn begin_span(&mut self, documents: usize) {
        if self.documents.len() + documents > DOCUMENTS_MAX {
            self.close();
            self.open();
        }
        self.span = (self.documents.len(), self.body.len());
    }

    /// Begins a document; what it returns ends it.
    pub(super) fn begin_document(&mut self) -> usize {
        let mark = self.body.len();
        if !self.documents.is_empty() {
            self.body.extend_from_slice(BETWEEN);
        }
        mark
    }

    /// What documents are appended to.
    pub(super) fn body(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    /// Ends a document. Takes it back if it is too long.
    pub(super) fn end_document(&mut self, mark: usize) -> bool {
        let between = if self.documents.is_empty() { 0 } else { BETWEEN.len() };
        let place = mark + between..self.body.len();
        let document = self.body.get(place.clone()).unwrap_or_default();
        if document.len() > DOCUMENT_BYTES_MAX && plain_len(document) > DOCUMENT_BYTES_MAX {
            self.body.truncate(mark);
            return false;
        }
        self.documents.push(Document { place, span: self.spans });
        true
    }

    /// Ends a span.
    pub(super) fn end_span(&mut self) {
        self.spans += 1;
    }

    /// Takes back what there is of a span.
    pub(super) fn take_back_span(&mut self) {
        let (documents, len) = self.span;
        self.documents.truncate(documents);
        self.body.truncate(len);
    }

    fn close(&mut self) {
        let mut body = std::mem::take(&mut self.body);
        let documents = std::mem::take(&mut self.documents);
        let spans = std::mem::take(&mut self.spans);
        if !documents.is_empty() {
            body.extend_from_slice(CLOSING);
            body.shrink_to_fit();
            self.done.push(Call { body: Bytes::from(body), documents, spans });
        }
    }

    /// All calls. None of them is without a document.
    pub(super) fn finish(mut self) -> Vec<Call> {
        self.close();
        self.done
    }
}

/// The length of a document without the escapes that make it a JSON string.
fn plain_len(document: &[u8]) -> usize {
    let mut escapes = 0;
    let mut bytes = document.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            escapes += 1;
            bytes.next();
        }
    }
    document.len() - escapes
}
