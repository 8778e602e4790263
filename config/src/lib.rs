//! Typed settings that components share: addresses, TLS, HTTP and gRPC servers and clients, retry,
//! sending queue, timeout.
//!
//! Each type has defaults, and a `read` that takes every key of the Collector's package of the
//! same purpose from a [`confmap::Section`]: a key is carried out, warned about or refused by
//! name, never dropped in silence. Names, defaults and error texts are those of
//! open-telemetry/opentelemetry-collector `config/` and `exporter/exporterhelper/`.
//!
//! A `read` is given the section that *holds* its keys, which the caller finishes; sections below
//! it are finished here. What is wrong is reported to the section, and the default stands in for
//! it, so that all problems come at once.
//!
//! Nothing here opens a file or a socket: `net` does, from these types.

mod address;
mod auth;
mod compression;
mod grpc;
mod headers;
mod http;
mod queue;
mod retry;
mod timeout;
mod tls;

pub use address::{AddressError, ListenAddress, Transport, split_host_port};
pub use auth::{Auth, refuse_middlewares};
pub use compression::{Compression, CompressionLevel};
pub use grpc::{Balancer, ClientKeepalive, GrpcClient, GrpcServer, GrpcTarget, ServerKeepalive};
pub use headers::Headers;
pub use http::{Cors, DEFAULT_MAX_BODY_BYTES, HttpClient, HttpServer};
pub use queue::{Batch, Queue, Sizer};
pub use retry::Retry;
pub use timeout::Timeout;
pub use tls::{CipherSuite, Curve, PemSource, TlsClient, TlsMaterial, TlsServer, TlsVersion};
