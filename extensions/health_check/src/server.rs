//! The extension: a small HTTP server around the page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::HttpServer;
use http::{HeaderValue, Request, Response, StatusCode, header};
use net::ReplyBody;
use net::server::{Server, ServerSettings, handler_fn};
use pipeline::{
    BoxFuture, Component, Context, Deadline, Extension, Listener, Socket, StartError, Vitals,
};

use crate::config::Config;
use crate::page::Health;

/// Askers at the same time; more wait.
const CONNECTIONS_MAX: usize = 64;

/// The extension.
pub(crate) struct HealthCheck {
    config: Arc<Config>,
    context: Context,
    health: Arc<Mutex<Health>>,
    running: Mutex<Option<(Server, Listener)>>,
}

impl HealthCheck {
    /// The extension, not yet started.
    pub(crate) fn new(config: Arc<Config>, context: Context) -> Self {
        let health = Arc::new(Mutex::new(Health::starting()));
        Self { config, context, health, running: Mutex::default() }
    }

    fn serve(&self) -> Result<(), StartError> {
        let http: &HttpServer = &self.config.http;
        let address = crate::config::address(&http.address);
        let listener = self.context.listen(&address)?;
        let failed = |error: std::io::Error| StartError(format!("cannot serve {address}: {error}"));
        let socket = match listener.socket.try_clone().map_err(failed)? {
            Socket::Tcp(socket) => net::server::Listener::Tcp(socket),
            Socket::Unix(socket) => net::server::Listener::Unix(socket),
        };
        let (config, health) = (self.config.clone(), self.health.clone());
        let vitals = self.context.process.vitals.clone();
        let handler = handler_fn(move |request: Request<_>, _peer| {
            let response = answer(&config, &health, &vitals, request.uri().path());
            async { response }
        });
        let id = self.context.id.to_string();
        let settings =
            ServerSettings { max_connections: CONNECTIONS_MAX, ..ServerSettings::http(id, http) };
        let server = Server::serve(vec![socket], settings, handler).map_err(failed)?;
        *lock(&self.running) = Some((server, listener));
        Ok(())
    }
}

impl Component for HealthCheck {
    fn start(&self) -> BoxFuture<'_, Result<(), StartError>> {
        Box::pin(async { self.serve() })
    }

    fn shutdown(&self, deadline: Deadline) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let running = lock(&self.running).take();
            if let Some((server, _listener)) = running {
                let _drained = server.shutdown(deadline.instant()).await;
            }
            0
        })
    }
}

impl Extension for HealthCheck {
    fn pipelines_ready(&self) {
        lock(&self.health).ready();
    }

    fn pipelines_stopping(&self) {
        lock(&self.health).stopping();
    }

    fn reloaded(&self, result: Result<(), &str>) {
        lock(&self.health).reloaded(result);
    }
}

/// Any method is answered, as upstream.
fn answer(
    config: &Config,
    health: &Mutex<Health>,
    vitals: &Vitals,
    path: &str,
) -> Response<ReplyBody> {
    if config.path != "/" && path != config.path {
        let mut response = Response::new(ReplyBody::from("404 page not found\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let (status, content_type, body) = lock(health).page(&config.form, &vitals.stuck());
    let mut response = Response::new(ReplyBody::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    let _absent_before = response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
