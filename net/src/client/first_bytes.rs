//! The first bytes a server says, kept to tell what it speaks when it is not what was expected.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Any kind of connection.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The first bytes received, at most 32, and the alert that ended TLS, if one did.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstBytes(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    bytes: OnceLock<Box<[u8]>>,
    alert: OnceLock<AlertDescription>,
}

/// What the first bytes of a server are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// It has said nothing.
    Nothing,
    /// A record of TLS.
    Tls,
    /// A text of HTTP/1 that complains about the lack of TLS.
    WantsTls,
    /// HTTP/1.
    Http1,
    /// A frame of HTTP/2.
    Http2,
    /// Something else.
    Unknown,
}

impl FirstBytes {
    /// What they are.
    pub(super) fn spoken(&self) -> Spoken {
        let Some(bytes) = self.0.bytes.get() else {
            return Spoken::Nothing;
        };
        match &**bytes {
            // A handshake or an alert, RFC 8446 section 5.1.
            [0x15 | 0x16, 3, ..] => Spoken::Tls,
            // Go's answer to a request without TLS; to anything else it says so in HTTP/1.0, too.
            bytes if bytes.starts_with(b"HTTP/1.0 400") => Spoken::WantsTls,
            bytes if bytes.starts_with(b"HTTP/1.") => Spoken::Http1,
            // A frame of type SETTINGS on stream 0, RFC 9113 section 4.1.
            [_, _, _, 4, _, 0, 0, 0, 0, ..] => Spoken::Http2,
            _ => Spoken::Unknown,
        }
    }

    /// The alert with which the server ended TLS. With TLS 1.3 a client's certificate is judged
    /// after the handshake, so that a refusal comes with the first answer.
    pub(super) fn alert(&self) -> Option<AlertDescription> {
        self.0.alert.get().copied()
    }

    fn note(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.bytes.get_or_init(|| bytes.get(..32).unwrap_or(bytes).into());
        }
    }

    fn note_error(&self, error: &io::Error) {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::AlertReceived(alert)) = tls {
            self.0.alert.get_or_init(|| *alert);
        }
    }
}

/// A connection whose first bytes are noted.
pub(super) struct Noting {
    inner: Box<dyn Io>,
    first: FirstBytes,
}

impl Noting {
    pub(super) fn new(inner: Box<dyn Io>, first: FirstBytes) -> Self {
        Self { inner, first }
    }
}

impl AsyncRead for Noting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        if let Err(error) = &read {
            self.first.note_error(error);
        }
        self.first.note(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(read)
    }
}

impl AsyncWrite for Noting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{FirstBytes, Spoken};

    #[test]
    fn servers_are_told_apart_by_what_they_say_first() {
        let spoken = |bytes: &[u8]| {
            let first = FirstBytes::default();
            first.note(bytes);
            first.note(b"later bytes do not count");
            first.spoken()
        };
        assert_eq!(spoken(b"\x15\x03\x01\x00\x02\x02\x46"), Spoken::Tls);
        assert_eq!(spoken(b"HTTP/1.1 400 Bad Request\r\n"), Spoken::Http1);
        assert_eq!(spoken(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an"), Spoken::WantsTls);
        assert_eq!(spoken(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00"), Spoken::Http2);
        assert_eq!(spoken(b"220 smtp"), Spoken::Unknown);
        assert_eq!(FirstBytes::default().spoken(), Spoken::Nothing);
    }
}
