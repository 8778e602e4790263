//! Bodies that end before they are too long.

use pdata::wire;

use super::{Body, Options};

/// `AgentPayload.tracerPayloads`.
const TRACER_PAYLOADS: u32 = 5;
/// `TracerPayload.chunks`.
const CHUNKS: u32 = 6;
/// What the lengths of full tracer payloads and of most chunks take.
const TRACER_LEN_BYTES: usize = 4;
const CHUNK_LEN_BYTES: usize = 2;
/// The environment of an agent that is told none. The payloads of tracers have their own.
const ENV: &str = "none";
/// Traces and errors a second that the intake is told an agent aims for; those of an agent without settings.
const TARGET_TPS: f64 = 10.0;
/// More than the lengths of the messages that are still open can grow by.
const SLACK: usize = 32;

/// Writes bodies one after the other, and hands each over when it is full. The memory of one serves the next.
pub(super) struct Bodies<'o> {
    options: &'o Options,
    seal: &'o mut dyn FnMut(&mut Body),
    body: Body,
    /// The open tracer payload.
    tracer: Option<Open>,
    /// The open chunk, and the spans in it.
    chunk: Option<Open>,
    spans_of_chunk: usize,
    tracer_head: Vec<u8>,
    chunk_head: Vec<u8>,
    language: String,
}

/// A message whose length is not written yet.
#[derive(Clone, Copy)]
struct Open {
    /// Where its key stands.
    at: usize,
    /// Where its body starts.
    inside: usize,
}

impl<'o> Bodies<'o> {
    /// Writes into the memory of `bytes`.
    pub(super) fn new(
        options: &'o Options,
        bytes: Vec<u8>,
        seal: &'o mut dyn FnMut(&mut Body),
    ) -> Self {
        let mut this = Self {
            options,
            seal,
            body: Body { bytes, ..Body::default() },
            tracer: None,
            chunk: None,
            spans_of_chunk: 0,
            tracer_head: Vec::new(),
            chunk_head: Vec::new(),
            language: String::new(),
        };
        this.open_body();
        this
    }

    fn open_body(&mut self) {
        self.body.spans = 0;
        self.body.languages.clear();
        let out = &mut self.body.bytes;
        out.clear();
        if !self.options.fallback_host.is_empty() {
            wire::put_len(out, 1, self.options.fallback_host.as_bytes());
        }
        wire::put_len(out, 2, ENV.as_bytes());
        let version = concat!("datadogexporter-hikyaku-", env!("CARGO_PKG_VERSION"));
        wire::put_len(out, 7, version.as_bytes());
        wire::put_fixed64(out, 8, TARGET_TPS.to_bits());
        wire::put_fixed64(out, 9, TARGET_TPS.to_bits());
    }

    /// Begins the tracer payload of a resource: its fields but the chunks, and the language of its SDK.
    pub(super) fn begin_resource(&mut self, head: Vec<u8>, language: &str) {
        self.tracer_head = head;
        language.clone_into(&mut self.language);
    }

    /// Ends the tracer payload of a resource. One without a chunk has nothing to say, and goes.
    pub(super) fn end_resource(&mut self) {
        let Some(tracer) = self.tracer.take() else { return };
        if self.body.bytes.len() == tracer.inside + self.tracer_head.len() {
            self.body.bytes.truncate(tracer.at);
        } else {
            wire::end_message_of(&mut self.body.bytes, tracer.inside, TRACER_LEN_BYTES);
        }
    }

    /// Begins a chunk: its fields but the spans.
    pub(super) fn begin_chunk(&mut self, head: Vec<u8>) {
        self.chunk_head = head;
        self.open_chunk();
    }

    fn open_chunk(&mut self) {
        let out = &mut self.body.bytes;
        if self.tracer.is_none() {
            let at = out.len();
            let inside = wire::begin_message_of(out, TRACER_PAYLOADS, TRACER_LEN_BYTES);
            out.extend_from_slice(&self.tracer_head);
            self.tracer = Some(Open { at, inside });
        }
        let at = out.len();
        let inside = wire::begin_message_of(out, CHUNKS, CHUNK_LEN_BYTES);
        out.extend_from_slice(&self.chunk_head);
        self.chunk = Some(Open { at, inside });
        self.spans_of_chunk = 0;
    }

    /// Ends the chunk.
    pub(super) fn end_chunk(&mut self) {
        let Some(chunk) = self.chunk.take() else { return };
        if self.spans_of_chunk == 0 {
            self.body.bytes.truncate(chunk.at);
            return;
        }
        wire::end_message_of(&mut self.body.bytes, chunk.inside, CHUNK_LEN_BYTES);
        self.body.spans += self.spans_of_chunk;
        if !self.language.is_empty() && !self.body.languages.contains(&self.language) {
            self.body.languages.push(self.language.clone());
        }
    }

    /// Appends a span to the chunk. Where the body gets too long, the chunk moves to the next one, or ends before the span and goes on
    /// there. Tells whether the span is in; alone in a body it can still be too long.
    pub(super) fn push_span(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mark = self.body.bytes.len();
        write(&mut self.body.bytes);
        self.settle(mark)
    }

    /// Sees to the span that was written from `mark` on.
    fn settle(&mut self, mark: usize) -> bool {
        if self.fits() {
            self.spans_of_chunk += 1;
            return true;
        }
        let is_alone = self.body.spans == 0 && self.spans_of_chunk == 0;
        let Some(chunk) = self.chunk.filter(|_| !is_alone) else {
            self.body.bytes.truncate(mark);
            return false;
        };
        let span = self.body.bytes.split_off(mark);
        if self.body.spans == 0 {
            // The trace fills a body by itself.
            self.end_chunk();
            self.next_body();
            self.open_chunk();
        } else {
            let spans = self.body.bytes.split_off(chunk.inside + self.chunk_head.len());
            let moved = std::mem::take(&mut self.spans_of_chunk);
            self.end_chunk();
            self.next_body();
            self.open_chunk();
            self.body.bytes.extend_from_slice(&spans);
            self.spans_of_chunk = moved;
        }
        let mark = self.body.bytes.len();
        self.body.bytes.extend_from_slice(&span);
        self.settle(mark)
    }

    fn fits(&self) -> bool {
        self.body.bytes.len() + SLACK <= self.options.body_len_max
    }

    fn next_body(&mut self) {
        self.end_resource();
        self.close_body();
        self.open_body();
    }

    fn close_body(&mut self) {
        if self.body.spans > 0 {
            (self.seal)(&mut self.body);
        }
    }

    /// Hands over the last body. None is without a span. Gives back the memory.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.end_resource();
        self.close_body();
        self.body.bytes
    }
}
