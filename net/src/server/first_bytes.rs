//! What a connection speaks, seen from its first bytes.

use std::io;

use tokio::io::AsyncReadExt;

use super::socket::{Rewound, Socket};

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

/// Reads as many bytes as it takes to tell protocols apart. Nothing when the peer went away
/// without a byte.
pub(super) async fn read(mut socket: Socket) -> io::Result<Option<(Rewound, Protocol)>> {
    let mut first = [0; HTTP2_PREFACE.len()];
    let mut len = 0;
    let protocol = loop {
        let room = first.get_mut(len..).unwrap_or_default();
        let read = socket.read(room).await?;
        if read == 0 && len == 0 {
            return Ok(None);
        }
        len += read;
        match recognise(first.get(..len).unwrap_or_default()) {
            Some(protocol) => break protocol,
            None if read == 0 => break Protocol::Http1,
            None => {}
        }
    };
    Ok(Some((Rewound::new(socket, first, len), protocol)))
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
