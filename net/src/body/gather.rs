//! Pieces of a body, joined without copying where one piece is all.

use bytes::{Bytes, BytesMut};

/// Bodies up to this size are copied into an allocation of their own. A piece is a slice of the
/// buffer it was read into, which can be 64 KiB: kept in a queue, a small body would hold it all.
const COPIED_UP_TO: usize = 16 * 1024;

/// The most that is reserved because a peer announced it, before its bytes are there.
const TRUSTED_BYTES: usize = 256 * 1024;

/// Collects pieces.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    first: Bytes,
    joined: BytesMut,
}

impl Gather {
    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        if self.joined.is_empty() { self.first.len() } else { self.joined.len() }
    }

    /// The bytes so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() { &self.first } else { &self.joined }
    }

    /// Takes one more piece. `announced` is how many bytes all pieces should have; it is a hint.
    pub(crate) fn push(&mut self, data: Bytes, announced: usize) {
        if data.is_empty() {
            return;
        }
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.joined.is_empty() {
            let arrived = self.first.len() + data.len();
            let capacity = announced.min(TRUSTED_BYTES.max(arrived.saturating_mul(2))).max(arrived);
            self.joined.reserve(capacity);
            self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        }
        let arrived = self.joined.len() + data.len();
        if arrived > self.joined.capacity() && announced > arrived {
            let capacity = announced.min(arrived.saturating_mul(2));
            self.joined.reserve(capacity - self.joined.len());
        }
        self.joined.extend_from_slice(&data);
    }

    /// All pieces as one, which may be a part of a larger buffer.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }

    /// All pieces as one of about their own size in memory.
    pub(crate) fn finish(self) -> Bytes {
        if self.joined.is_empty() { own(self.first) } else { self.joined.freeze() }
    }
}

/// The same bytes, which hold no more memory than about their size.
pub(crate) fn own(data: Bytes) -> Bytes {
    if data.len() <= COPIED_UP_TO { Bytes::copy_from_slice(&data) } else { data }
}
