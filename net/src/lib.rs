//! HTTP and gRPC over TCP, TLS and unix sockets: servers and clients made of [`config`]'s settings.
//!
//! - [`server`]: HTTP/1.1 and HTTP/2 on one port, with or without TLS, drained in order.
//! - [`body`]: request bodies, capped before and after decompression, accounted as they arrive.
//! - [`grpc`]: unary gRPC is a five-byte prefix and trailers; there is no service framework, so a
//!   message stays the bytes that were received.
//! - [`client`]: a small pool of connections to send requests over, opened when first needed.
//! - [`host`]: where this process runs.
//! - [`tls`]: certificates, trust, and taking up changed files.
//!
//! Invariants: no wait for a peer without a deadline; no input without a cap; each connection is a
//! task with an owner that joins it; a failure to reach a peer names the peer, the cause, and the
//! setting to change where one is likely to be wrong.

pub mod auth;
pub mod body;
pub mod client;
pub mod compress;
pub mod error;
pub mod grpc;
pub mod host;
pub mod server;
pub mod tls;

mod reply;
#[cfg(test)]
mod testing;

use std::future::Future;
use std::pin::Pin;

pub use reply::ReplyBody;

/// A future behind a pointer, for object borders.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Has the kernel probe a connection that says nothing, so that a peer that vanished is noticed:
/// after 15 s, and every 15 s, as Go does.
pub(crate) fn keep_alive(stream: &tokio::net::TcpStream) -> std::io::Result<()> {
    const PROBE: std::time::Duration = std::time::Duration::from_secs(15);
    let keepalive = socket2::TcpKeepalive::new().with_time(PROBE).with_interval(PROBE);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
