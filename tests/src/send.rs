//! Senders: one request, one answer, with nothing hidden.

use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::HeaderMap;
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::net::TcpStream;

use crate::otlp::status::Status;
use crate::wait::PATIENCE;

/// The method of the trace service.
pub const TRACE_EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// An answer over HTTP.
#[derive(Debug)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// An answer over gRPC.
#[derive(Debug)]
pub struct GrpcReply {
    /// The status code; 0 is success.
    pub code: u32,
    /// The status message.
    pub message: String,
    /// The delay of an attached `RetryInfo`.
    pub retry_delay: Option<Duration>,
    /// The response message, when there is one.
    pub response: Bytes,
}

/// Sends traces over gRPC.
///
/// # Panics
///
/// When the agent does not answer.
pub fn traces_grpc(port: u16, request: &ExportTraceServiceRequest) -> GrpcReply {
    grpc(port, TRACE_EXPORT, &[], &framed(&request.encode_to_vec()))
}

/// Sends traces over HTTP with protobuf.
///
/// # Panics
///
/// When the agent does not answer.
pub fn traces_http(port: u16, request: &ExportTraceServiceRequest) -> HttpReply {
    let kind = [("content-type", "application/x-protobuf")];
    http(port, "/v1/traces", &kind, request.encode_to_vec())
}

/// Posts a body over HTTP/1.1.
///
/// # Panics
///
/// When the agent does not answer.
pub fn http(port: u16, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> HttpReply {
    call("POST", port, path, headers, body.into())
}

/// Puts a body over HTTP/1.1.
///
/// # Panics
///
/// When nothing answers.
pub fn put(port: u16, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> HttpReply {
    call("PUT", port, path, headers, body.into())
}

/// Asks for a page over HTTP/1.1.
///
/// # Panics
///
/// When nothing answers.
pub fn get(port: u16, path: &str) -> HttpReply {
    get_with(port, path, &[])
}

/// Asks for a page over HTTP/1.1, with headers.
///
/// # Panics
///
/// When nothing answers.
pub fn get_with(port: u16, path: &str, headers: &[(&str, &str)]) -> HttpReply {
    call("GET", port, path, headers, Bytes::new())
}

/// Posts a gRPC body, prefix included, with more headers than every call has.
///
/// # Panics
///
/// When the agent does not answer, or not as gRPC.
pub fn grpc(port: u16, path: &str, headers: &[(&str, &str)], body: &[u8]) -> GrpcReply {
    let uri = Uri::builder()
        .scheme("http")
        .authority(format!("127.0.0.1:{port}"))
        .path_and_query(path)
        .build()
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut request =
        Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body)));
    let request = request.unwrap_or_else(|error| panic!("a gRPC request: {error}"));
    block_on(&format!("a gRPC answer from port {port}"), async {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let (mut sender, driver) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let driver = tokio::spawn(driver);
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let collected = body.collect().await?;
        let mut headers = head.headers;
        headers.extend(collected.trailers().cloned().unwrap_or_default());
        driver.abort();
        Ok(GrpcReply::read(&headers, collected.to_bytes()))
    })
}

/// A gRPC body: the prefix of an uncompressed message, and the message.
///
/// # Panics
///
/// When the message is longer than the prefix can say.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or_else(|_| panic!("a message too long"));
    [[0].as_slice(), &length.to_be_bytes(), message].concat()
}

impl GrpcReply {
    fn read(headers: &HeaderMap, body: Bytes) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let code = text("grpc-status").and_then(|code| code.parse().ok());
        let details = text("grpc-status-details-bin").map(|text| {
            let bytes = LENIENT.decode(text).unwrap_or_default();
            Status::decode(bytes.as_slice()).unwrap_or_default()
        });
        Self {
            code: code
                .unwrap_or_else(|| panic!("an answer that is not gRPC: {headers:?} {body:?}")),
            message: text("grpc-message").unwrap_or_default().to_owned(),
            retry_delay: details.and_then(|status| status.retry_delay()),
            response: body.get(5..).map(Bytes::copy_from_slice).unwrap_or_default(),
        }
    }
}

/// gRPC lets a sender pad binary headers or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn call(method: &str, port: u16, path: &str, headers: &[(&str, &str)], body: Bytes) -> HttpReply {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("host", format!("127.0.0.1:{port}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body));
    let request = request.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    block_on(&format!("{method} {path} on port {port}"), async {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(driver);
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        driver.abort();
        Ok(HttpReply { status: head.status.as_u16(), headers: head.headers, body })
    })
}

type Failure = Box<dyn std::error::Error>;

fn block_on<T>(what: &str, work: impl Future<Output = Result<T, Failure>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime to send with: {error}"));
    match runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await }) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("{what}: {error}"),
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}
