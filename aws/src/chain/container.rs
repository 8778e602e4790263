//! The container's endpoint: an ECS task role, EKS pod identity, a Lambda function with SnapStart.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Uri};

use super::{lease_of_json, read_token};
use crate::credentials::{Lasts, Lease};
use crate::environment::Environment;
use crate::error::Cause;
use crate::metadata::{Attempts, ask, client, direct_client, json, request};

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
/// Where relative ones are.
const ECS: &str = "http://169.254.170.2";

/// The addresses besides this machine's own that are asked without encryption: ECS, and EKS over IPv4 and IPv6.
const ALLOWED: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

const ATTEMPTS: Attempts =
    Attempts { number: 3, timeout: Duration::from_secs(2), after_refusal: true };

/// Whether there is such an endpoint.
pub(super) fn is_set_up(environment: &Environment) -> bool {
    VARIABLES.iter().any(|name| environment.get(name).is_some())
}

/// The variables, for an error.
pub(super) const VARIABLES: [&str; 2] = [RELATIVE, FULL];

/// What the endpoint gives out.
pub(super) async fn credentials(environment: &Environment) -> Result<Lease, Cause> {
    let uri = uri(environment)?;
    let client = match uri.scheme_str() {
        Some("https") => client(environment.network()),
        _ => direct_client(),
    };
    let mut headers =
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    if let Some(token) = authorization(environment).await? {
        headers.insert(AUTHORIZATION, token);
    }
    let reply = ask(&client, &request(Method::GET, uri, headers), ATTEMPTS).await;
    client.close().await;
    let answer = json(&reply?)?;
    // Without a time they last until somebody says otherwise, so they are asked for again now and then.
    lease_of_json(&answer, |end| end.map_or(Lasts::UntilRewritten, Lasts::Until))
}

fn uri(environment: &Environment) -> Result<Uri, Cause> {
    if let Some(path) = environment.get(RELATIVE) {
        let uri = path.starts_with('/').then(|| format!("{ECS}{path}").parse().ok()).flatten();
        return uri.ok_or(Cause::Url(RELATIVE));
    }
    let full = environment.get(FULL).unwrap_or_default();
    let uri: Uri = full.parse().map_err(|_invalid| Cause::Url(FULL))?;
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(uri),
        Some("http") if is_allowed(host) => Ok(uri),
        Some("http") if !host.is_empty() => Err(Cause::Host(FULL)),
        _ => Err(Cause::Url(FULL)),
    }
}

/// Whether a host may be asked without encryption. Names but `localhost` are not: what they resolve to is anybody's word.
fn is_allowed(host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => {
            address.is_loopback() || ALLOWED.iter().any(|allowed| allowed.parse() == Ok(address))
        }
        Err(_name) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The token that the endpoint wants to see. The file is read each time, since what it holds is renewed.
async fn authorization(environment: &Environment) -> Result<Option<HeaderValue>, Cause> {
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(path) => Some(read_token(PathBuf::from(path)).await?),
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Arc::from),
    };
    let Some(token) = token else { return Ok(None) };
    let invalid = |_invalid| Cause::Header("authorization token");
    let mut token = HeaderValue::from_str(&token).map_err(invalid)?;
    token.set_sensitive(true);
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_asked_for_over_http_of_known_addresses_only() {
        let uri = |name, value: &str| uri(&Environment::of([(name, value)]));
        for url in [
            "http://localhost:9001/x",
            "http://127.0.0.1/x",
            "http://[::1]:80/x",
            "http://169.254.170.2/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "https://credentials.example.com/x",
        ] {
            assert_eq!(uri(FULL, url).unwrap().to_string(), url);
        }
        for url in ["http://169.254.169.254/x", "http://example.com/x", "http://127.0.0.1.nip.io/"]
        {
            let error = uri(FULL, url).unwrap_err().to_string();
            assert!(error.contains("FULL_URI names a host that is not asked over http"), "{error}");
        }
        for url in ["/path", "ftp://localhost/", "https://", "http://"] {
            let error = uri(FULL, url).unwrap_err().to_string();
            assert!(error.contains("FULL_URI is no URL"), "{error}");
        }
        let relative = uri(RELATIVE, "/v2/credentials/1").unwrap().to_string();
        assert_eq!(relative, "http://169.254.170.2/v2/credentials/1");
        assert!(uri(RELATIVE, "@evil.example/").unwrap_err().to_string().contains("is no URL"));
    }

    #[test]
    fn the_relative_one_wins() {
        let environment =
            Environment::of([(RELATIVE, "/a"), (FULL, "https://credentials.example.com/")]);
        assert_eq!(uri(&environment).unwrap().to_string(), "http://169.254.170.2/a");
    }
}
