//! The extension: an authenticator for HTTP clients.

use std::any::{Any, TypeId};
use std::sync::Arc;

use aws::{Scope, Session, body_sha256, sign};
use net::BoxFuture;
use net::auth::{AuthError, ClientAuth, ClientAuthenticator, Outgoing};
use pipeline::{Component, Deadline, Extension};

use crate::config::Config;
use crate::scope::infer;

/// The extension.
pub(crate) struct SigV4Auth {
    signer: Arc<Signer>,
}

/// Signs for the service and region of the settings, else of the host, else, for the region, of the environment.
struct Signer {
    service: Option<String>,
    region: Option<String>,
    session: Session,
}

impl SigV4Auth {
    /// The extension. Nothing is looked for before the first request.
    pub(crate) fn new(config: &Config, session: Session) -> Self {
        let (service, region) = (config.service.clone(), config.settings.region.clone());
        Self { signer: Arc::new(Signer { service, region, session }) }
    }
}

impl ClientAuth for Signer {
    fn authorize<'a>(&'a self, mut request: Outgoing<'a>) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move {
            let host = host(&request).to_owned();
            let inferred = infer(&host);
            let service = self.service.as_deref().or(inferred.service).ok_or_else(|| {
                AuthError::Refused(format!(
                    "the AWS service can't be told from the host {host:?}; set \"service\" of sigv4auth, such as service: xray"
                ))
            })?;
            let found;
            let region = match self.region.as_deref().or(inferred.region) {
                Some(region) => region,
                None => {
                    found = self.session.region().await?;
                    found.as_str()
                }
            };
            let credentials = self.session.credentials().await?;
            let hash = body_sha256(request.body).await;
            let scope = Scope { service, region };
            sign(&mut request, &hash, &credentials, scope, self.session.now())?;
            Ok(())
        })
    }
}

/// The host that the request is for, which a `Host` header may replace.
fn host<'a>(request: &'a Outgoing<'_>) -> &'a str {
    let header = request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| request.uri.host()).unwrap_or_default();
    match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    }
}

impl Component for SigV4Auth {
    fn shutdown(&self, _deadline: Deadline) -> pipeline::BoxFuture<'_, usize> {
        Box::pin(async { 0 })
    }
}

impl Extension for SigV4Auth {
    fn capability(self: Arc<Self>, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        let authenticator = ClientAuthenticator(self.signer.clone());
        (wanted == TypeId::of::<ClientAuthenticator>())
            .then(|| Arc::new(authenticator) as Arc<dyn Any + Send + Sync>)
    }
}

#[cfg(test)]
mod tests {
    use aws::Environment;
    use bytes::Bytes;
    use http::header::{AUTHORIZATION, HOST};
    use http::{HeaderMap, HeaderValue, Method, Uri};
    use pipeline::testing::PATIENCE;

    use super::*;

    const KEYS: [(&str, &str); 2] =
        [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "not-to-be-seen")];

    fn extension(service: &str, region: &str, variables: &[(&str, &str)]) -> Arc<SigV4Auth> {
        let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let settings = aws::Settings { region: set(region), ..aws::Settings::default() };
        let environment = Environment::of(KEYS.iter().chain(variables).copied());
        let session = Session::new(settings.clone(), environment);
        Arc::new(SigV4Auth::new(&Config { service: set(service), settings }, session))
    }

    /// What the request is signed for, as `region/service`.
    async fn signed(
        extension: &Arc<SigV4Auth>,
        url: &str,
        host: Option<&'static str>,
    ) -> Result<String, AuthError> {
        let wanted = TypeId::of::<ClientAuthenticator>();
        let capability = extension.clone().capability(wanted).unwrap();
        let authenticator = capability.downcast::<ClientAuthenticator>().unwrap();
        let uri: Uri = url.parse().unwrap();
        let host = host.map(|host| (HOST, HeaderValue::from_static(host)));
        let mut headers = HeaderMap::from_iter(host);
        let body = [Bytes::from_static(b"body")];
        let request =
            Outgoing { method: &Method::POST, uri: &uri, headers: &mut headers, body: &body };
        authenticator.0.authorize(request).await?;
        let authorization = headers[AUTHORIZATION].to_str().unwrap();
        let mut scope = authorization.split('/').skip(2);
        Ok(format!("{}/{}", scope.next().unwrap(), scope.next().unwrap()))
    }

    #[tokio::test]
    async fn settings_win_over_the_host_and_the_host_over_the_environment() {
        let xray = "https://xray.eu-west-1.amazonaws.com/v1/traces";
        let proxy = "http://127.0.0.1:4318/v1/traces";
        let environment = &[("AWS_REGION", "ap-south-1")][..];
        for (service, region, url, host, expected) in [
            ("", "", xray, None, "eu-west-1/xray"),
            ("logs", "us-east-1", xray, None, "us-east-1/logs"),
            ("", "us-east-1", xray, None, "us-east-1/xray"),
            ("logs", "", xray, None, "eu-west-1/logs"),
            ("xray", "", proxy, None, "ap-south-1/xray"),
            ("", "", proxy, Some("logs.eu-west-3.amazonaws.com:443"), "eu-west-3/logs"),
        ] {
            let extension = extension(service, region, environment);
            assert_eq!(signed(&extension, url, host).await.unwrap(), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn a_service_that_cannot_be_told_is_refused_with_the_key_to_set() {
        let extension = extension("", "eu-west-1", &[]);
        let error = signed(&extension, "http://[::1]:4318/v1/traces", None).await.unwrap_err();
        assert!(matches!(&error, AuthError::Refused(text) if text.contains("set \"service\"")));
    }

    #[tokio::test]
    async fn a_region_that_is_nowhere_is_one_clear_error() {
        let extension = extension("xray", "", &[("AWS_EC2_METADATA_DISABLED", "true")]);
        let error = signed(&extension, "http://127.0.0.1:4318/", None).await.unwrap_err();
        assert!(error.to_string().starts_with("no AWS region: set"), "{error}");
    }

    #[tokio::test]
    async fn it_is_a_client_authenticator_and_nothing_else_and_stops_at_once() {
        let extension = extension("xray", "", &[]);
        assert!(
            extension.clone().capability(TypeId::of::<net::auth::ServerAuthenticator>()).is_none()
        );
        extension.start().await.unwrap();
        assert_eq!(extension.shutdown(Deadline::after(PATIENCE)).await, 0);
    }
}
