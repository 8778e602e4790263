//! AWS's query protocol, which STS and EC2 speak: a form out, XML back.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Uri};
use net::auth::Outgoing;
use net::client::{Body, Reply, Request};

use crate::credentials::Credentials;
use crate::endpoint::Service;
use crate::environment::Environment;
use crate::error::{Cause, Error, first_line};
use crate::metadata::{Attempts, ask, client};
use crate::sign::{Scope, body_sha256, sign};
use crate::xml::Element;

/// A call of one of these services.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service.
    pub service: Service,
    /// The version of its API.
    pub version: &'static str,
    /// What it is to do.
    pub action: &'static str,
    /// With what.
    pub parameters: Vec<(&'static str, String)>,
}

/// Where a call goes, and who makes it.
pub(crate) struct Route<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) endpoint: Uri,
    pub(crate) region: &'a str,
    /// Nobody in particular, for calls that are not signed.
    pub(crate) credentials: Option<&'a Credentials>,
    pub(crate) now: SystemTime,
}

const ATTEMPTS: Attempts =
    Attempts { number: 3, timeout: Duration::from_secs(4), after_refusal: true };

/// Makes a call, and returns the element that its answer is.
pub(crate) async fn send(call: &Call, route: Route<'_>) -> Result<Element, Error> {
    let failed = |cause| Error::Call { service: call.service.host, action: call.action, cause };
    let request = build(call, &route).await?;
    let client = client(route.environment.network());
    let reply = ask(&client, &request, ATTEMPTS).await;
    client.close().await;
    let reply = reply.map_err(failed)?;
    let text = std::str::from_utf8(&reply.body).unwrap_or_default();
    let document = Element::parse(text);
    if !reply.status.is_success() {
        let refused = document.ok().and_then(|document| refusal(&document));
        let status = reply.status.as_u16();
        return Err(failed(refused.unwrap_or(Cause::Status { status, text: String::new() })));
    }
    if reply.is_truncated {
        return Err(failed(Cause::Answer("is too long")));
    }
    document.map_err(|_not_xml| failed(Cause::Answer("is no XML")))
}

async fn build(call: &Call, route: &Route<'_>) -> Result<Request, Error> {
    let body = [Bytes::from(form(call))];
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, form_type)]);
    if let Some(credentials) = route.credentials {
        let authority = route.endpoint.authority().map(|host| HeaderValue::from_str(host.as_str()));
        if let Some(Ok(host)) = authority {
            headers.insert(HOST, host);
        }
        let hash = body_sha256(&body).await;
        let mut outgoing = Outgoing {
            method: &Method::POST,
            uri: &route.endpoint,
            headers: &mut headers,
            body: &body,
        };
        let scope = Scope { service: call.service.signing_name, region: route.region };
        sign(&mut outgoing, &hash, credentials, scope, route.now)?;
    }
    Ok(Request {
        method: Method::POST,
        uri: route.endpoint.clone(),
        headers,
        body: Body::plain(body.into()),
    })
}

fn form(call: &Call) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", call.action).append_pair("Version", call.version);
    form.extend_pairs(call.parameters.iter().map(|(name, value)| (*name, value.as_str())));
    form.finish()
}

/// Why a service that answers in XML, such as S3, did not do what it was asked: what its error document says, or the status.
#[must_use]
pub fn refused(reply: &Reply) -> Cause {
    let text = std::str::from_utf8(&reply.body).unwrap_or_default();
    let document = Element::parse(text).ok();
    let said = document.and_then(|document| match document.name() {
        "Error" => error(&document),
        _ => refusal(&document),
    });
    said.unwrap_or(Cause::Status { status: reply.status.as_u16(), text: String::new() })
}

/// What an error document says. STS has its error in the document's element, EC2 in a list.
fn refusal(document: &Element) -> Option<Cause> {
    error(document.find(&["Error"]).or_else(|| document.find(&["Errors", "Error"]))?)
}

fn error(error: &Element) -> Option<Cause> {
    let code = first_line(error.text_of(&["Code"])?);
    let message = first_line(error.text_of(&["Message"]).unwrap_or_default());
    Some(Cause::Refused { code, message })
}

/// The cause of a failed call as that of credentials that it was to bring.
pub(crate) fn cause(error: Error) -> Cause {
    match error {
        Error::Call { cause, .. } => cause,
        other => Cause::Other(Box::new(other)),
    }
}
