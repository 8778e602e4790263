//! Unary gRPC on top of HTTP/2: message framing, status, deadlines.
//!
//! Follows grpc/grpc `doc/PROTOCOL-HTTP2.md`. A unary request or response is one message: a byte
//! that says whether it is compressed, four bytes of length, and the message; the outcome comes in
//! trailers.

use bytes::{BufMut, Bytes, BytesMut};
use config::Compression;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

mod code;
mod message;
mod status;
mod timeout;

pub use code::code_of_http;
pub use message::{PREFIX_BYTES, prefix, read_message};
pub use pdata::GrpcCode as Code;
pub use status::Status;
pub use timeout::{format_timeout, timeout};

use crate::ReplyBody;

/// The content type of gRPC.
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// The codecs a server here understands, for `grpc-accept-encoding`.
pub const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip,zstd,snappy,deflate");

const GRPC_STATUS: header::HeaderName = header::HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: header::HeaderName = header::HeaderName::from_static("grpc-message");
const GRPC_DETAILS: header::HeaderName = header::HeaderName::from_static("grpc-status-details-bin");
const GRPC_ENCODING: header::HeaderName = header::HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: header::HeaderName =
    header::HeaderName::from_static("grpc-accept-encoding");
const GRPC_TIMEOUT: header::HeaderName = header::HeaderName::from_static("grpc-timeout");

/// Whether a request is gRPC, by its content type: `application/grpc`, alone or with a format or
/// parameters. gRPC-Web is another protocol.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return false;
    };
    match value.as_bytes().strip_prefix(b"application/grpc") {
        Some([]) => true,
        Some([separator, ..]) => matches!(separator, b'+' | b';' | b' '),
        None => false,
    }
}

/// The codec of a request's or a response's message, `None` being no compression.
///
/// # Errors
/// [`Code::Unimplemented`], for a codec that is not known here.
pub fn message_encoding(headers: &HeaderMap) -> Result<Compression, Status> {
    let Some(value) = headers.get(GRPC_ENCODING) else {
        return Ok(Compression::None);
    };
    match value.as_bytes() {
        b"identity" => Ok(Compression::None),
        b"gzip" => Ok(Compression::Gzip),
        b"zstd" => Ok(Compression::Zstd),
        // In gRPC this is the framed format; the decoder knows both apart.
        b"snappy" => Ok(Compression::Snappy),
        b"deflate" => Ok(Compression::Deflate),
        other => {
            let name: String = String::from_utf8_lossy(other).chars().take(64).collect();
            let message = format!("grpc: Decompressor is not installed for grpc-encoding {name:?}");
            Err(Status::new(Code::Unimplemented, message))
        }
    }
}

/// The answer to a call that succeeded.
#[must_use]
pub fn success(message: &[u8]) -> Response<ReplyBody> {
    let data = if message.is_empty() {
        Bytes::from_static(&[0; PREFIX_BYTES])
    } else {
        let mut data = BytesMut::with_capacity(PREFIX_BYTES + message.len());
        data.put_slice(&prefix(false, message.len()));
        data.put_slice(message);
        data.freeze()
    };
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    response(ReplyBody::with_trailers(data, trailers), HeaderMap::with_capacity(1))
}

/// The answer to a call that failed: no message, the outcome in the headers.
#[must_use]
pub fn failure(status: &Status) -> Response<ReplyBody> {
    let mut headers = HeaderMap::with_capacity(4);
    status.write(&mut headers);
    if status.code == Code::Unimplemented {
        headers.insert(GRPC_ACCEPT_ENCODING, ACCEPT_ENCODING);
    }
    response(ReplyBody::empty(), headers)
}

fn response(body: ReplyBody, mut headers: HeaderMap) -> Response<ReplyBody> {
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests;
