//! The receiver's life: its port opened and drained.

use std::sync::{Arc, Mutex, PoisonError};

use http::Request;
use net::auth::ServerAuthenticator;
use net::server::{self, Peer, Server, ServerSettings};
use pdata::Signal;
use pipeline::{
    BoxFuture, BuildError, Component, Context, Deadline, Outlets, Receiver, StartError,
    TransportAddress,
};

use crate::config::Config;
use crate::intake::Intake;
use crate::server::Port;

/// The receiver.
pub(crate) struct ZipkinReceiver {
    config: Arc<Config>,
    context: Context,
    intake: Arc<Intake>,
    running: Mutex<Option<Open>>,
}

/// An open port. The listener keeps its address for a successor.
struct Open {
    server: Server,
    _listener: pipeline::Listener,
}

impl ZipkinReceiver {
    /// The receiver, not yet started.
    pub(crate) fn try_new(
        config: Arc<Config>,
        context: Context,
        outlets: &Outlets,
    ) -> Result<Self, BuildError> {
        let next = outlets.get(Signal::Traces).cloned().ok_or_else(|| {
            BuildError(format!("receiver \"{}\" is in no pipeline of traces", context.id))
        })?;
        let intake = Arc::new(Intake::new(&context, next, config.parse_string_tags));
        Ok(Self { config, context, intake, running: Mutex::default() })
    }

    fn port(&self) -> Result<Port, StartError> {
        let settings = self.config.server.clone();
        let authenticator = match &settings.auth {
            Some(auth) => {
                let id = auth
                    .authenticator
                    .parse()
                    .map_err(|error| StartError(format!("auth::authenticator: {error}")))?;
                Some(self.context.capability::<ServerAuthenticator>(&id)?)
            }
            None => None,
        };
        Ok(Port { intake: self.intake.clone(), settings, authenticator })
    }

    fn open(&self) -> Result<Open, StartError> {
        let address = &self.config.server.address;
        let transport = match address.unix_path() {
            Some(path) => TransportAddress::Unix(path),
            None => TransportAddress::Tcp(address.bind_address()),
        };
        let listener = self.context.listen(&transport)?;
        let socket = listener.socket.try_clone().map_err(|error| {
            StartError(format!("cannot use the socket for {transport}: {error}"))
        })?;
        let socket = match socket {
            pipeline::Socket::Tcp(socket) => server::Listener::Tcp(socket),
            pipeline::Socket::Unix(socket) => server::Listener::Unix(socket),
        };
        let port = Arc::new(self.port()?);
        let handler = server::handler_fn(move |request: Request<_>, peer: Arc<Peer>| {
            let port = port.clone();
            async move { port.answer(request, peer.address).await }
        });
        let settings = ServerSettings::http(self.context.id.to_string(), &self.config.server);
        let server = Server::serve(vec![socket], settings, handler)
            .map_err(|error| StartError(format!("cannot serve {transport}: {error}")))?;
        tracing::info!(
            "otelcol.component.id" = %self.context.id,
            endpoint = %transport,
            "Starting server"
        );
        Ok(Open { server, _listener: listener })
    }
}

impl Component for ZipkinReceiver {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async {
            let open = self.open()?;
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
            Ok(())
        })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let open = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
            // What was not answered was not accepted: its sender still has it, so nothing is given up here.
            if let Some(Open { server, .. }) = open {
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

impl Receiver for ZipkinReceiver {}

#[cfg(test)]
mod tests;
