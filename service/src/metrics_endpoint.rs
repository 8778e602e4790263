//! The page of the process's own metrics, as Prometheus text.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use net::ReplyBody;
use net::server::{Listener, Server, ServerSettings, handler_fn};
use pipeline::{ComponentId, Deadline, Listeners, Socket, TransportAddress};
use telemetry::{MetricsLevel, Registry, render_with};

use crate::own_telemetry::Endpoint;

/// Time for a scrape that is going on when the endpoint ends.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The running endpoints.
#[derive(Default)]
pub struct MetricsEndpoints {
    running: Vec<(Endpoint, Server)>,
    level: MetricsLevel,
}

/// An endpoint that the user asked for cannot listen.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot serve the process's own metrics on {address}: {error}; set another port in service::telemetry::metrics::readers"
)]
pub struct EndpointError {
    address: String,
    error: io::Error,
}

impl MetricsEndpoints {
    /// Goes over to these endpoints and this level; those that run already at this level go on.
    ///
    /// # Errors
    /// When an endpoint that the user asked for cannot listen. One of the defaults is warned about: two agents beside each
    /// other, as in one task, should both run.
    pub async fn serve(
        &mut self,
        endpoints: &[Endpoint],
        level: MetricsLevel,
        registry: &Arc<Registry>,
        listeners: &Listeners,
    ) -> Result<(), EndpointError> {
        let same_level = level == self.level;
        let (kept, ended): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|(endpoint, _)| same_level && endpoints.contains(endpoint));
        self.running = kept;
        self.level = level;
        stop(ended).await;
        for endpoint in endpoints {
            if self.running.iter().any(|(running, _)| running == endpoint) {
                continue;
            }
            match start(endpoint, level, registry.clone(), listeners) {
                Ok(server) => self.running.push((endpoint.clone(), server)),
                Err(error) if endpoint.is_configured => {
                    return Err(EndpointError { address: endpoint.address.clone(), error });
                }
                Err(error) => tracing::warn!(
                    address = endpoint.address,
                    error = %error,
                    "The process's own metrics cannot be read. Set another port in service::telemetry::metrics::readers."
                ),
            }
        }
        Ok(())
    }

    /// Ends all of them.
    pub async fn stop(self) {
        stop(self.running).await;
    }
}

async fn stop(endpoints: Vec<(Endpoint, Server)>) {
    let deadline = Deadline::after(STOP_TIMEOUT);
    for (_, server) in endpoints {
        let _drained = server.shutdown(deadline.instant()).await;
    }
}

fn start(
    endpoint: &Endpoint,
    level: MetricsLevel,
    registry: Arc<Registry>,
    listeners: &Listeners,
) -> io::Result<Server> {
    let owner: ComponentId =
        "telemetry".parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let address = TransportAddress::Tcp(endpoint.address.clone());
    let listener = match listeners.bind(&owner, &address)?.socket {
        Socket::Tcp(socket) => Listener::Tcp(socket),
        Socket::Unix(socket) => Listener::Unix(socket),
    };
    let suffixes = endpoint.suffixes;
    let handler = handler_fn(move |request: Request<_>, _peer| {
        let page = || render_with(&registry, level, suffixes);
        let response = answer(request.method(), request.uri().path(), page);
        async { response }
    });
    let settings =
        ServerSettings { max_connections: 16, ..ServerSettings::new("service::telemetry") };
    Server::serve(vec![listener], settings, handler)
}

fn answer(method: &Method, path: &str, page: impl FnOnce() -> String) -> Response<ReplyBody> {
    let (status, body) = match (method, path) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, ReplyBody::from(page())),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, ReplyBody::from("only GET\n")),
        _ => (StatusCode::NOT_FOUND, ReplyBody::from("the metrics are at /metrics\n")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if status == StatusCode::OK {
        let content_type = HeaderValue::from_static(telemetry::CONTENT_TYPE);
        let _absent_before = response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_of_metrics_renders_the_page() {
        for (method, path, status) in [
            (Method::GET, "/metrics", 200),
            (Method::HEAD, "/metrics", 200),
            (Method::POST, "/metrics", 405),
            (Method::GET, "/", 404),
        ] {
            let mut rendered = false;
            let response = answer(&method, path, || {
                rendered = true;
                "page".to_owned()
            });
            assert_eq!(response.status(), status, "{method} {path}");
            assert_eq!(rendered, status == 200, "{method} {path}");
        }
    }
}
