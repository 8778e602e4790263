//! Request bodies: collected, decompressed, capped and accounted.
//!
//! A body that arrives in one piece is not copied, unless it is small: a small piece would pin the
//! much larger buffer it was read into.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use config::Compression;
use http::StatusCode;
use http_body::{Body, Frame};
use tokio::time::{Instant, timeout_at};

mod decode;
mod gather;
mod inflate;

pub(crate) use decode::{decode, decode_now};
pub(crate) use gather::{Gather, own};

/// How much of a body is taken, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body as it arrives, in bytes.
    pub raw: usize,
    /// The largest body after decompression, in bytes.
    pub decoded: usize,
    /// When the whole body must have arrived; `None` leaves it to `stall`.
    pub deadline: Option<Instant>,
    /// The longest time without a byte.
    pub stall: Duration,
}

/// The caller's accounting has no room for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// Why a body could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed, raw or decompressed.
    #[error("request body is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit that was hit.
        limit: usize,
    },
    /// Not what its `Content-Encoding` says.
    #[error("request body is no valid {encoding} data: {source}")]
    Malformed {
        /// The codec.
        encoding: Compression,
        /// What it found.
        source: std::io::Error,
    },
    /// Not framed as gRPC frames a message.
    #[error("request is no valid gRPC message: {reason}")]
    Framing {
        /// What is wrong.
        reason: &'static str,
    },
    /// A codec that is unknown, or not allowed.
    #[error("unsupported Content-Encoding: {encoding}")]
    UnsupportedEncoding {
        /// The name as the peer wrote it.
        encoding: String,
    },
    /// The peer went away, or broke the protocol, in the middle of the body.
    #[error("the client went away before its request was complete")]
    Disconnected,
    /// The peer was too slow.
    #[error("the request did not arrive in time")]
    TimedOut,
    /// The caller's accounting refused.
    #[error("there is no room for the request")]
    NoRoom,
}

impl BodyLimits {
    /// One limit for raw and decompressed bytes, and 30 s without a byte.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self { raw: bytes, decoded: bytes, deadline: None, stall: Duration::from_secs(30) }
    }
}

impl BodyError {
    /// The status an HTTP answer should have.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed { .. }
            | Self::Framing { .. }
            | Self::UnsupportedEncoding { .. }
            | Self::Disconnected => StatusCode::BAD_REQUEST,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The codec a request names, if it is among the allowed ones. Without the header, the plain body.
///
/// # Errors
/// [`BodyError::UnsupportedEncoding`].
pub fn content_encoding(
    headers: &http::HeaderMap,
    allowed: &[Compression],
) -> Result<Compression, BodyError> {
    let Some(value) = headers.get(http::header::CONTENT_ENCODING) else {
        return Ok(Compression::None);
    };
    let name = value.to_str().unwrap_or_default().trim();
    Compression::from_name(name).filter(|codec| allowed.contains(codec)).ok_or_else(|| {
        let encoding = String::from_utf8_lossy(value.as_bytes()).chars().take(64).collect();
        BodyError::UnsupportedEncoding { encoding }
    })
}

/// Collects a body and undoes its compression.
///
/// `account` is told how many bytes are held for the body now, each time the number changes: raw
/// bytes as they arrive, both raw and decompressed ones while decompressing, and at last those of
/// the result. It can refuse, which ends the reading.
///
/// Dropping the future drops what was collected; the connection can't be used for another HTTP/1
/// request then.
///
/// # Errors
/// See [`BodyError`]. A length announced beyond the limit is refused before a byte is read.
pub async fn read_body<B>(
    body: B,
    encoding: Compression,
    limits: &BodyLimits,
    mut account: impl FnMut(usize) -> Result<(), NoRoom>,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let raw = collect(body, limits, &mut account).await?;
    if encoding.is_compressed() {
        decode(&raw, encoding, limits.decoded, &mut account).await
    } else if raw.len() > limits.decoded {
        Err(BodyError::TooLarge { limit: limits.decoded })
    } else {
        Ok(raw)
    }
}

/// Collects the raw bytes.
async fn collect<B>(
    mut body: B,
    limits: &BodyLimits,
    account: &mut impl FnMut(usize) -> Result<(), NoRoom>,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let too_large = BodyError::TooLarge { limit: limits.raw };
    let Ok(announced) = usize::try_from(body.size_hint().lower()) else {
        return Err(too_large);
    };
    if announced > limits.raw {
        return Err(too_large);
    }
    let mut gather = Gather::default();
    while let Some(frame) = next_frame(&mut body, limits).await? {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let total = gather.len().saturating_add(data.len());
        if total > limits.raw {
            return Err(too_large);
        }
        account(total)?;
        gather.push(data, announced);
    }
    Ok(gather.finish())
}

/// The next frame; nothing at the end of the body.
pub(crate) async fn next_frame<B>(
    body: &mut B,
    limits: &BodyLimits,
) -> Result<Option<Frame<Bytes>>, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(None);
    }
    let stall = Instant::now() + limits.stall;
    let until = limits.deadline.map_or(stall, |deadline| deadline.min(stall));
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
    match timeout_at(until, frame).await {
        Err(_elapsed) => Err(BodyError::TimedOut),
        Ok(None) => Ok(None),
        Ok(Some(Ok(frame))) => Ok(Some(frame)),
        Ok(Some(Err(_broken))) => Err(BodyError::Disconnected),
    }
}

impl From<NoRoom> for BodyError {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}

#[cfg(test)]
mod tests;
