//! What a connection speaks, seen from its first bytes.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// What every HTTP/2 connection begins with, RFC 9113 section 3.4.
pub(super) const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a peer begins to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// A handshake of TLS.
    Tls,
    /// HTTP/2 with prior knowledge.
    Http2,
    /// Anything else, which is for the HTTP/1 parser to judge.
    Http1,
}

/// Bytes that were read ahead and are still to be given.
pub(super) struct First {
    bytes: [u8; HTTP2_PREFACE.len()],
    pending: Range<usize>,
}

impl First {
    /// No bytes.
    pub(super) fn none() -> Self {
        Self { bytes: [0; HTTP2_PREFACE.len()], pending: 0..0 }
    }

    /// Gives bytes, if there are any.
    pub(super) fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let pending = self.bytes.get(self.pending.clone()).unwrap_or_default();
        let len = pending.len().min(buffer.remaining());
        buffer.put_slice(pending.get(..len).unwrap_or_default());
        self.pending.start += len;
        true
    }
}

/// Reads as many bytes as it takes to tell protocols apart. Nothing when the peer went away
/// without a byte.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(First, Protocol)>> {
    let mut first = First::none();
    let protocol = loop {
        let room = first.bytes.get_mut(first.pending.end..).unwrap_or_default();
        let read = stream.read(room).await?;
        if read == 0 && first.pending.is_empty() {
            return Ok(None);
        }
        first.pending.end += read;
        match recognise(first.bytes.get(first.pending.clone()).unwrap_or_default()) {
            Some(protocol) => break protocol,
            None if read == 0 => break Protocol::Http1,
            None => {}
        }
    };
    Ok(Some((first, protocol)))
}

/// The protocol; nothing while it could still be HTTP/2.
pub(super) fn recognise(bytes: &[u8]) -> Option<Protocol> {
    match bytes {
        // A handshake record of any version, RFC 8446 section 5.1.
        [0x16, ..] => Some(Protocol::Tls),
        _ if bytes == HTTP2_PREFACE => Some(Protocol::Http2),
        _ if HTTP2_PREFACE.starts_with(bytes) => None,
        _ => Some(Protocol::Http1),
    }
}
