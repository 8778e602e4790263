//! Where the platform posts its events.
//!
//! Whatever comes is answered with 200, as soon as all of it is here: the platform sends one batch at a time and drops the next while
//! one is not answered, and what is answered otherwise comes again.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use bytes::Bytes;
use config::Compression;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use net::ReplyBody;
use net::body::{BodyError, BodyLimits, content_encoding, read_body};
use net::server::{self, Server, ServerSettings};
use pipeline::Deadline;
use telemetry::names::EventDropReason;

use super::hub::Hub;

/// The largest body, also after decompression. A subscription asks for batches of 256 KiB; a batch exceeds what it asks for by the
/// last event, which is a megabyte at most.
const BODY_BYTES_MAX: usize = 8 << 20;

/// The codecs that a body may come in.
const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Zlib, Compression::Deflate, Compression::Zstd];

/// A port that takes events. Dropping it closes it.
#[derive(Debug)]
pub struct Listener {
    server: Server,
    port: u16,
}

impl Listener {
    /// Opens a port (0: any) for the hub. It is on every address of the sandbox, since the platform calls
    /// `sandbox.localdomain`, which is not the same address everywhere. Must be called within a runtime.
    ///
    /// # Errors
    /// When the port is in use.
    pub fn open(hub: Arc<Hub>, port: u16) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
        let port = socket.local_addr()?.port();
        socket.set_nonblocking(true)?;
        let handler = server::handler_fn(move |request: Request<_>, _peer| {
            let hub = hub.clone();
            async move { answer(&hub, request).await }
        });
        let settings =
            ServerSettings { max_connections: 16, ..ServerSettings::new("telemetryapi") };
        let server = Server::serve(vec![server::Listener::Tcp(socket)], settings, handler)?;
        Ok(Self { server, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes nothing new and lets the batch that is coming in finish, until the deadline.
    pub async fn shutdown(self, deadline: Deadline) {
        let _drained = self.server.shutdown(deadline.instant()).await;
    }
}

/// Answers a request, whatever it is.
async fn answer<B>(hub: &Hub, request: Request<B>) -> Response<ReplyBody>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (head, mut body) = request.into_parts();
    let read = match content_encoding(&head.headers, &CODECS) {
        Ok(codec) => read_body(&mut body, codec, &BodyLimits::of(BODY_BYTES_MAX), |_| Ok(())).await,
        Err(error) => Err(error),
    };
    match read {
        Ok(body) => hub.receive(body).await,
        Err(BodyError::TooLarge { .. }) => hub.drop_events(EventDropReason::TooLarge, 1),
        Err(_) => hub.drop_events(EventDropReason::Malformed, 1),
    }
    let mut response = Response::new(ReplyBody::empty());
    if !body.is_end_stream() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests;
