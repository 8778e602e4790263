//! Joins many payloads into one.

use bytes::Bytes;

use crate::payload::{Payload, Signal};

/// Chunks up to this size are copied together: they would otherwise hold on to the larger receive buffers they were cut from, and cost
/// more as pieces than as bytes.
const COPIED_BYTES_MAX: usize = 16 << 10;
/// Size of the buffers that small chunks are copied into.
const BLOCK_BYTES: usize = 64 << 10;

/// Collects payloads of one signal. The order of items stays.
#[derive(Debug)]
pub struct Joiner {
    signal: Signal,
    chunks: Vec<Bytes>,
    block: Vec<u8>,
    items: usize,
    encoded_len: usize,
}

impl Joiner {
    /// Nothing collected yet.
    pub fn new(signal: Signal) -> Self {
        Self { signal, chunks: Vec::new(), block: Vec::new(), items: 0, encoded_len: 0 }
    }

    /// Adds a payload of the joiner's signal (asserted in debug builds).
    pub fn push(&mut self, payload: Payload) {
        debug_assert_eq!(self.signal, payload.signal());
        self.items += payload.items();
        self.encoded_len += payload.encoded_len();
        for chunk in payload.chunks() {
            if chunk.len() > COPIED_BYTES_MAX {
                self.close_block();
                self.chunks.push(chunk.clone());
                continue;
            }
            if self.block.len() + chunk.len() > BLOCK_BYTES {
                self.close_block();
            }
            self.block.extend_from_slice(chunk);
        }
    }

    /// Items collected.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Encoded bytes collected.
    pub fn encoded_len(&self) -> usize {
        self.encoded_len
    }

    /// Whether nothing has been collected.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// Takes out everything collected, as one payload.
    pub fn take(&mut self) -> Payload {
        self.close_block();
        let items = std::mem::take(&mut self.items);
        self.encoded_len = 0;
        Payload::of_chunks(self.signal, std::mem::take(&mut self.chunks), items)
    }

    fn close_block(&mut self) {
        if !self.block.is_empty() {
            self.chunks.push(Bytes::from(std::mem::take(&mut self.block)));
        }
    }
}
