//! A service of AWS that questions are put to.

use std::fmt;
use std::sync::OnceLock;

use ::config::HttpClient as ClientSettings;
use aws::{Scope, Service, Session, body_sha256, sign};
use bytes::Bytes;
use http::{StatusCode, Uri, request};
use net::BoxFuture;
use net::auth::{AuthError, ClientAuth, Outgoing};
use net::client::{Body, ClientOptions, Environment, HttpClient, Reply, Request};
use net::error::TransportError;
use pipeline::Deadline;

use crate::config::{Proxy, Route};

/// The longest answer: rules of a whole account, 25 kilobytes for each hundred.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Connections that are kept.
const IDLE_MAX: usize = 2;

/// A service, and the way there.
pub(super) struct Target {
    route: Route,
    settings: ClientSettings,
    environment: Environment,
    session: Session,
    client: OnceLock<HttpClient>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody knows where the service is.
    #[error("{0}")]
    Nowhere(#[from] aws::Error),
    /// It was not reached, or did not answer; or the request could not be signed.
    #[error("{0}")]
    Unreached(#[from] TransportError),
    /// The request can't be sent.
    #[error("{0}")]
    Unsendable(String),
    /// The answer is too long.
    #[error("AWS's answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

impl Target {
    /// The way to a route's service. Nothing is opened, read or looked for before the first question.
    pub(super) fn new(route: &Route, proxy: &Proxy, environment: &aws::Environment) -> Self {
        let settings = ClientSettings {
            tls: proxy.tls.clone(),
            proxy_url: proxy.proxy_url.clone(),
            max_idle_conns: IDLE_MAX,
            ..ClientSettings::default()
        };
        Self {
            session: Session::new(route.aws.clone(), environment.clone()),
            environment: environment.network(),
            route: route.clone(),
            settings,
            client: OnceLock::new(),
        }
    }

    /// Whether questions at this path, without its first slash, are for this service.
    pub(super) fn takes(&self, path: &str) -> bool {
        let paths = self.route.paths.as_ref();
        paths.is_none_or(|paths| paths.iter().any(|known| known == path))
    }

    /// Puts a question.
    pub(super) async fn ask(
        &self,
        head: request::Parts,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<Reply, Failure> {
        let uri = self.url(&head.uri).await?;
        let body = if body.is_empty() { Body::empty() } else { Body::plain(vec![body]) };
        let request = Request { method: head.method, uri, headers: head.headers, body };
        let mut reply = self.client().send(&request, deadline.instant()).await?;
        if has_expired(&reply) {
            // Others may be there by now.
            self.session.forget_credentials();
            reply = self.client().send(&request, deadline.instant()).await?;
        }
        if reply.is_truncated { Err(Failure::TooLong) } else { Ok(reply) }
    }

    /// Ends the connections.
    pub(super) async fn close(&self) {
        if let Some(client) = self.client.get() {
            client.close().await;
        }
    }

    fn client(&self) -> &HttpClient {
        self.client.get_or_init(|| {
            let service = self.route.service.clone();
            let options = ClientOptions {
                environment: self.environment.clone(),
                auth: Some(std::sync::Arc::new(Signer { service, session: self.session.clone() })),
                response_bytes_max: Some(ANSWER_BYTES_MAX),
                ..ClientOptions::default()
            };
            HttpClient::new(&self.settings, options)
        })
    }

    /// The URL of a question: its path and query, at the service.
    async fn url(&self, asked: &Uri) -> Result<Uri, Failure> {
        let base = match &self.route.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => self.usual_endpoint().await?,
        };
        let path = asked.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
        url.parse().map_err(|_| Failure::Unsendable("the path makes no URL".to_owned()))
    }

    /// Where the service is in the region; for X-Ray, where the environment or the profile say.
    async fn usual_endpoint(&self) -> Result<String, Failure> {
        let xray = Service::XRAY;
        if self.route.service == xray.host {
            return Ok(self.session.endpoint(xray).await?.to_string());
        }
        let region = self.session.region().await?;
        let of_xray = aws::endpoint(xray, &region, aws::Variant::default()).to_string();
        Ok(of_xray.replacen(xray.host, &self.route.service, 1))
    }
}

/// Signs for a service of any name.
struct Signer {
    service: String,
    session: Session,
}

impl ClientAuth for Signer {
    fn authorize<'a>(&'a self, mut request: Outgoing<'a>) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move {
            let credentials = self.session.credentials().await?;
            let region = self.session.region().await?;
            let hash = body_sha256(request.body).await;
            let scope = Scope { service: &self.service, region: region.as_str() };
            sign(&mut request, &hash, &credentials, scope, self.session.now())?;
            Ok(())
        })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("service", &self.service).finish_non_exhaustive()
    }
}

/// Whether AWS no longer takes the credentials.
fn has_expired(reply: &Reply) -> bool {
    const NAME: &[u8] = b"ExpiredToken";
    let is_refusal = matches!(reply.status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN);
    is_refusal && reply.body.windows(NAME.len()).any(|part| part == NAME)
        || reply
            .headers
            .get("x-amzn-errortype")
            .is_some_and(|name| name.as_bytes().starts_with(NAME))
}

#[cfg(test)]
mod tests {
    use confmap::{Diagnostics, Section};

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn services_are_in_the_region_by_their_names() {
        let diagnostics = Diagnostics::new();
        let proxy = Config::read(Section::new(None, "receivers::awsxray", &diagnostics)).proxy;
        let asked = Uri::from_static("/GetSamplingRules");
        for (service, region, variable, expected) in [
            ("xray", "eu-west-1", None, "https://xray.eu-west-1.amazonaws.com/GetSamplingRules"),
            (
                "logs",
                "cn-north-1",
                None,
                "https://logs.cn-north-1.amazonaws.com.cn/GetSamplingRules",
            ),
            ("xray", "eu-west-1", Some("http://x:1/y"), "http://x:1/y/GetSamplingRules"),
        ] {
            let route = Route { service: service.to_owned(), ..proxy.routes[0].clone() };
            let variables = variable.map(|url| ("AWS_ENDPOINT_URL_XRAY", url));
            let variables =
                variables.into_iter().chain([("AWS_REGION", region), ("HOME", "/none")]);
            let target = Target::new(&route, &proxy, &aws::Environment::of(variables));
            assert_eq!(target.url(&asked).await.unwrap().to_string(), expected);
        }
    }
}
