//! The receiver's life: its ports opened and drained.

use std::sync::{Arc, Mutex, PoisonError};

use ::config::{Compression, ListenAddress};
use http::Request;
use net::auth::ServerAuthenticator;
use net::server::{self, Peer, Server, ServerSettings};
use pipeline::{
    BoxFuture, Component, Context, Deadline, Outlets, Receiver, StartError, TransportAddress,
};

use crate::config::{Config, HttpProtocol, Paths};
use crate::intake::Intake;
use crate::server::{Auth, Port};

/// The receiver.
pub(crate) struct OtlpReceiver {
    config: Arc<Config>,
    context: Context,
    grpc: Arc<Intake>,
    http: Arc<Intake>,
    running: Mutex<Vec<Open>>,
}

/// An open port. The listener keeps its address for a successor.
struct Open {
    server: Server,
    _listener: pipeline::Listener,
}

impl OtlpReceiver {
    /// The receiver, not yet started.
    pub(crate) fn new(config: Arc<Config>, context: Context, outlets: Outlets) -> Self {
        let intake = |transport| Arc::new(Intake::new(&context, outlets.clone(), transport));
        let (grpc, http) = (intake("grpc"), intake("http"));
        Self { config, context, grpc, http, running: Mutex::default() }
    }

    fn open(
        &self,
        address: &ListenAddress,
        settings: ServerSettings,
        port: Port,
    ) -> Result<Open, StartError> {
        let transport = match address.unix_path() {
            Some(path) => TransportAddress::Unix(path),
            None => TransportAddress::Tcp(address.bind_address()),
        };
        let listener = self.context.listen(&transport)?;
        let socket = listener.socket.try_clone().map_err(|error| {
            StartError(format!("cannot use the socket for {transport}: {error}"))
        })?;
        let port = Arc::new(port);
        let handler = server::handler_fn(move |request: Request<_>, peer: Arc<Peer>| {
            let port = port.clone();
            async move { port.answer(request, peer.address).await }
        });
        let server = Server::serve(vec![net_listener(socket)], settings, handler)
            .map_err(|error| StartError(format!("cannot serve {transport}: {error}")))?;
        tracing::info!(
            "otelcol.component.id" = %self.context.id,
            endpoint = %transport,
            "Starting server"
        );
        Ok(Open { server, _listener: listener })
    }

    /// The service extension that a port's `auth` names.
    fn authenticator(&self, auth: Option<&::config::Auth>) -> Result<Option<Auth>, StartError> {
        let Some(auth) = auth else { return Ok(None) };
        let id = auth
            .authenticator
            .parse()
            .map_err(|error| StartError(format!("auth::authenticator: {error}")))?;
        let authenticator = self.context.capability::<ServerAuthenticator>(&id)?;
        Ok(Some(Auth { authenticator, request_params: auth.request_params.clone() }))
    }

    fn open_all(&self) -> Result<Vec<Open>, StartError> {
        let name = self.context.id.to_string();
        let base = self.config.http.clone();
        let paths = base.as_ref().map_or_else(Paths::default, |http| http.paths.clone());
        let http_max = base
            .as_ref()
            .map_or(::config::DEFAULT_MAX_BODY_BYTES, |http| http.server.max_body_bytes);
        let compression = base
            .as_ref()
            .map_or_else(|| Compression::ALL.to_vec(), |h| h.server.compression_algorithms.clone());
        let grpc_max = self.config.grpc.as_ref().map(|grpc| grpc.max_message_bytes);
        let port = |read_timeout, include_metadata, auth| Port {
            grpc: self.grpc.clone(),
            http: self.http.clone(),
            paths: paths.clone(),
            grpc_body_bytes_max: grpc_max.unwrap_or(http_max),
            http_body_bytes_max: http_max,
            compression: compression.clone(),
            read_timeout,
            include_metadata,
            auth,
        };
        let mut open = Vec::new();
        if let Some(grpc) = &self.config.grpc {
            let settings = ServerSettings::grpc(name.as_str(), grpc);
            let auth = self.authenticator(grpc.auth.as_ref())?;
            open.push(self.open(
                &grpc.address,
                settings,
                port(None, grpc.include_metadata, auth),
            )?);
        }
        if let Some(HttpProtocol { server, .. }) = &self.config.http {
            let settings = ServerSettings::http(name.as_str(), server);
            let auth = self.authenticator(server.auth.as_ref())?;
            let port = port(server.read_timeout, server.include_metadata, auth);
            open.push(self.open(&server.address, settings, port)?);
        }
        Ok(open)
    }
}

impl Component for OtlpReceiver {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async {
            let open = self.open_all()?;
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = open;
            Ok(())
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let open =
                std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
            // What was not answered was not accepted: its sender still has it, so nothing is given up here.
            for Open { server, .. } in open {
                let drained = server.shutdown(deadline.instant()).await;
                if drained.aborted > 0 {
                    tracing::warn!(
                        "otelcol.component.id" = %self.context.id,
                        connections = drained.aborted,
                        "connections were cut at the deadline in the middle of a request"
                    );
                }
            }
            self.context.tasks.join(deadline).await;
            0
        })
    }
}

impl Receiver for OtlpReceiver {}

fn net_listener(socket: pipeline::Socket) -> server::Listener {
    match socket {
        pipeline::Socket::Tcp(socket) => server::Listener::Tcp(socket),
        pipeline::Socket::Unix(socket) => server::Listener::Unix(socket),
    }
}
