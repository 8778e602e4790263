//! The EC2 instance metadata service, version 2: a token first, then what is asked for with it.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use net::client::HttpClient;
use net::error::Cause as NetCause;

use super::{Attempts, ask, direct_client, request, text};
use crate::environment::Environment;
use crate::error::{Cause, Hint};

const IPV4: &str = "http://169.254.169.254";
const IPV6: &str = "http://[fd00:ec2::254]";

const TOKEN_TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// Two attempts, of as long as aws-sdk-go-v2 gives each: where nobody answers, that is how long it takes to find out.
const ATTEMPTS: Attempts =
    Attempts { number: 2, timeout: Duration::from_millis(750), after_refusal: false };

/// An instance's metadata, for the moment: the token that it is asked with lasts five minutes.
pub struct Instance {
    client: HttpClient,
    base: String,
    token: HeaderValue,
}

impl Instance {
    /// Makes contact. `AWS_EC2_METADATA_DISABLED`, `AWS_EC2_METADATA_SERVICE_ENDPOINT` and `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE` are heeded.
    ///
    /// # Errors
    /// When this is no instance, its metadata service is off, or it does not answer.
    pub async fn connect(environment: &Environment) -> Result<Self, Cause> {
        Self::connect_with(environment, ATTEMPTS.number).await
    }

    /// The same, with so many attempts; 0 stands for as many as it takes.
    ///
    /// # Errors
    /// When this is no instance, its metadata service is off, or it does not answer.
    pub async fn connect_with(environment: &Environment, attempts: u32) -> Result<Self, Cause> {
        if environment.is_true("AWS_EC2_METADATA_DISABLED") {
            return Err(Cause::Disabled);
        }
        let base = base(environment);
        let uri = uri(&base, "/latest/api/token")?;
        let client = direct_client();
        let headers = HeaderMap::from_iter([(TOKEN_TTL, HeaderValue::from_static("300"))]);
        let number = if attempts == 0 { u32::MAX } else { attempts };
        let attempts = Attempts { number, ..ATTEMPTS };
        let reply = ask(&client, &request(Method::PUT, uri, headers), attempts).await;
        let reply = reply.map_err(|cause| match cause {
            // A token that does not come back has died on the way through a container's network.
            Cause::Transport(error, _) if matches!(error.cause, NetCause::Timeout { .. }) => {
                Cause::Transport(Arc::clone(&error), Hint::HopLimit)
            }
            other => other,
        })?;
        let token = HeaderValue::from_str(text(&reply)?.trim());
        let mut token = token.map_err(|_invalid| Cause::Answer("is no token"))?;
        token.set_sensitive(true);
        Ok(Self { client, base, token })
    }

    /// The text at a path below `/latest`, such as `/meta-data/instance-id`; nothing when there is none.
    ///
    /// # Errors
    /// When there is no answer, or one that makes no sense.
    pub async fn get(&self, path: &str) -> Result<Option<String>, Cause> {
        let uri = uri(&self.base, &format!("/latest{path}"))?;
        let headers = HeaderMap::from_iter([(TOKEN, self.token.clone())]);
        let reply = ask(&self.client, &request(Method::GET, uri, headers), ATTEMPTS).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        text(&reply).map(|text| Some(text.to_owned()))
    }
}

fn base(environment: &Environment) -> String {
    if let Some(endpoint) = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        return endpoint.trim_end_matches('/').to_owned();
    }
    let mode = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    let is_ipv6 = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    if is_ipv6 { IPV6 } else { IPV4 }.to_owned()
}

fn uri(base: &str, path: &str) -> Result<Uri, Cause> {
    format!("{base}{path}")
        .parse()
        .map_err(|_invalid| Cause::Url("AWS_EC2_METADATA_SERVICE_ENDPOINT"))
}
