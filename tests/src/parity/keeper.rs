//! A backend that takes everything and keeps it, whatever a real one would say to it: a case may be about what nobody should send.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::Request;
use hyper::body::Incoming;

use crate::encoding;
use crate::otlp::{self, header};
use crate::server::{self, Outcome, Server, Service};

/// A listening backend.
#[derive(Debug)]
pub struct Keeper {
    kept: Arc<Kept>,
    server: Server,
}

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<(String, Vec<u8>)>>);

impl Keeper {
    /// Listens on any free port.
    pub fn start() -> Self {
        let kept = Arc::<Kept>::default();
        Self { server: Server::start(0, Arc::clone(&kept)), kept }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The bodies that came to a path, decompressed, in the order in which they came.
    pub fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

impl Service for Kept {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = otlp::read(body, None).await.ok()?;
            let encoding = header(&head, "content-encoding").unwrap_or_default();
            let Ok(plain) = encoding::undo(encoding, &body) else {
                return Some(server::reply(400));
            };
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push((head.uri.path().to_owned(), plain));
            Some(server::json_reply(202, "{}"))
        })
    }
}
