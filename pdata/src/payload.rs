//! The payload: encoded bytes of one signal, joined and split without decoding.

use bytes::Bytes;

use crate::normalise::normalise;
use crate::schema::{Message, logs, metrics, trace};
use crate::split;
use crate::validate::{DecodeError, validate};

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metrics, counted in data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

    /// The name in configuration: `traces`, `metrics` or `logs`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
        }
    }

    /// What an item is called in the names of the Collector's own metrics: `spans`, `metric_points` or `log_records`.
    pub fn item_name(self) -> &'static str {
        match self {
            Signal::Traces => "spans",
            Signal::Metrics => "metric_points",
            Signal::Logs => "log_records",
        }
    }

    /// The export request's schema.
    pub fn request_schema(self) -> &'static Message {
        match self {
            Signal::Traces => &trace::REQUEST,
            Signal::Metrics => &metrics::REQUEST,
            Signal::Logs => &logs::REQUEST,
        }
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Telemetry of one signal on its way through a pipeline: encoded, validated, cheap to clone.
///
/// The bytes stand in chunks, each of which is an export request of its own; one after the other they are one too, since
/// protobuf merges repeated fields by concatenation. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Payload {
    signal: Signal,
    chunks: Vec<Bytes>,
    items: usize,
    encoded_len: usize,
}

/// A payload fresh from its sender, with what had to be mended.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The payload.
    pub payload: Payload,
    /// Strings that were not UTF-8 and have U+FFFD in them now.
    pub repaired_strings: usize,
}

impl Payload {
    /// A payload of nothing.
    pub fn empty(signal: Signal) -> Self {
        Self { signal, chunks: Vec::new(), items: 0, encoded_len: 0 }
    }

    /// Takes a received export request: checks it, counts its items, repairs its text. Keeps the bytes themselves unless something had
    /// to be rewritten.
    ///
    /// # Errors
    /// When the bytes are not a protobuf message of the signal's schema; see [`crate::Malformation`].
    pub fn decode(signal: Signal, request: Bytes) -> Result<Decoded, DecodeError> {
        let schema = signal.request_schema();
        let mut found = validate(schema, &request)?;
        let repaired_strings = found.bad_text;
        let mut request = request;
        if found.irregular {
            request = Bytes::from(normalise(schema, &request));
            found = validate(schema, &request)?;
        }
        Ok(Decoded { payload: Self::trusted(signal, request, found.items), repaired_strings })
    }

    /// A payload of bytes that this crate wrote or cut itself.
    pub(crate) fn trusted(signal: Signal, request: Bytes, items: usize) -> Self {
        let chunks = if request.is_empty() { Vec::new() } else { vec![request] };
        Self::of_chunks(signal, chunks, items)
    }

    /// The signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Spans, data points or log records in it.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// Bytes of the encoded request.
    pub fn encoded_len(&self) -> usize {
        self.encoded_len
    }

    /// The encoded request in pieces: one after the other they are one export request, and each is one by itself.
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// The encoded request in one piece. Copies when there are several chunks.
    pub fn to_bytes(&self) -> Bytes {
        match self.chunks.as_slice() {
            [only] => only.clone(),
            chunks => {
                let mut all = Vec::with_capacity(self.encoded_len);
                chunks.iter().for_each(|chunk| all.extend_from_slice(chunk));
                Bytes::from(all)
            }
        }
    }

    /// Appends another payload of the same signal (asserted in debug builds) without copying. To join many small ones, use a
    /// [`Joiner`](crate::Joiner).
    pub fn append(&mut self, other: Payload) {
        debug_assert_eq!(self.signal, other.signal);
        self.items += other.items;
        self.encoded_len += other.encoded_len;
        self.chunks.extend(other.chunks);
    }

    /// Cuts off what is behind the first `items` items and returns it. Resource and scope stand in both parts where the cut
    /// goes through them. Cuts between items never fail; asking for more than there is leaves the rest empty. To cut into many
    /// parts use [`split_every`](Self::split_every).
    #[must_use]
    pub fn split_off(&mut self, items: usize) -> Payload {
        let schema = self.signal.request_schema();
        let (mut head, mut rest, mut left) = (Vec::new(), Vec::new(), items);
        for chunk in self.chunks.drain(..) {
            let within = if left == 0 { 0 } else { split::count(schema, &chunk) };
            if left == 0 {
                rest.push(chunk);
            } else if within <= left {
                head.push(chunk);
            } else {
                split::slice(schema, &chunk, 0..left, &mut head);
                split::slice(schema, &chunk, left..usize::MAX, &mut rest);
            }
            left -= within.min(left);
        }
        let taken = self.items.min(items);
        let rest = Self::of_chunks(self.signal, rest, self.items - taken);
        *self = Self::of_chunks(self.signal, head, taken);
        rest
    }

    /// Cuts into parts of `items` items each, the last one of what is left. Zero counts as one. What a part copies is
    /// its own resources and scopes only, however many parts there are.
    pub fn split_every(self, items: usize) -> Vec<Payload> {
        let (schema, signal, items) = (self.signal.request_schema(), self.signal, items.max(1));
        if self.items <= items {
            return vec![self];
        }
        let (mut parts, mut chunks, mut left) = (Vec::new(), Vec::new(), items);
        for chunk in self.chunks {
            let (count, mut at) = (split::count(schema, &chunk), 0);
            loop {
                if left == 0 && at < count {
                    parts.push(Self::of_chunks(signal, std::mem::take(&mut chunks), items));
                    left = items;
                }
                if count - at <= left {
                    split::slice(schema, &chunk, at..usize::MAX, &mut chunks);
                    left -= count - at;
                    break;
                }
                split::slice(schema, &chunk, at..at + left, &mut chunks);
                at += left;
                left = 0;
            }
        }
        parts.push(Self::of_chunks(signal, chunks, items - left));
        parts
    }

    /// Takes out the chunks, to put back others.
    pub(crate) fn take_chunks(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.chunks)
    }

    /// A payload of chunks that this crate wrote or cut itself.
    pub(crate) fn of_chunks(signal: Signal, chunks: Vec<Bytes>, items: usize) -> Self {
        let encoded_len = chunks.iter().map(Bytes::len).sum();
        Self { signal, chunks, items, encoded_len }
    }
}

#[cfg(test)]
mod tests;
