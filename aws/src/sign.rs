//! Signature version 4, by `aws-sigv4`, over the bytes that go out.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode,
};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use net::BoxFuture;
use net::auth::{AuthError, ClientAuth, Outgoing};
use sha2::{Digest as _, Sha256};

use crate::credentials::Credentials;
use crate::endpoint::Service;
use crate::error::Error;
use crate::region::Region;
use crate::session::Session;

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The service's signing name.
    pub service: &'a str,
    /// The region.
    pub region: &'a str,
}

/// Signs every request of a client for one service, with a session's credentials, for its region or another one.
///
/// Meant for [`net::client::ClientOptions::auth`].
pub struct Signer {
    session: Session,
    service: &'static str,
    region: Option<Region>,
}

/// Bodies from this size on are hashed on a thread of their own: at 0.3 GB/s, which is what a processor without instructions for it
/// does, this takes less than half a millisecond.
const INLINE_BYTES_MAX: usize = 128 * 1024;

/// Headers that a signature brings along. A request that has them already was signed before, by somebody else.
const OF_A_SIGNATURE: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-content-sha256"),
];

impl Signer {
    pub(crate) fn new(session: Session, service: Service, region: Option<Region>) -> Arc<Self> {
        Arc::new(Self { session, service: service.signing_name, region })
    }
}

impl ClientAuth for Signer {
    fn authorize<'a>(&'a self, mut request: Outgoing<'a>) -> BoxFuture<'a, Result<(), AuthError>> {
        Box::pin(async move {
            let credentials = self.session.credentials().await?;
            let region = match &self.region {
                Some(region) => region.clone(),
                None => self.session.region().await?,
            };
            let hash = body_sha256(request.body).await;
            let scope = Scope { service: self.service, region: region.as_str() };
            sign(&mut request, &hash, &credentials, scope, self.session.now())?;
            Ok(())
        })
    }
}

/// Signs a request: adds `Authorization`, `X-Amz-Date` and, with temporary credentials, `X-Amz-Security-Token`; for S3, the hash of the body,
/// too. All headers that it has are signed, but those that proxies change.
///
/// # Errors
/// When the request has a URL that is none, or a method that is none.
pub fn sign(
    request: &mut Outgoing<'_>,
    body_sha256: &str,
    credentials: &Credentials,
    scope: Scope<'_>,
    now: SystemTime,
) -> Result<(), Error> {
    for name in &OF_A_SIGNATURE {
        request.headers.remove(name);
    }
    let mut settings = SigningSettings::default();
    if scope.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let identity = credentials.for_signing().into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|_missing| Error::Unsignable("a parameter is missing"))?
        .into();
    let headers = request.headers.iter();
    // What is no text is not signed, which a signature may leave out.
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(
        request.method.as_str(),
        request.uri.to_string(),
        headers,
        SignableBody::Precomputed(body_sha256.to_owned()),
    )
    .map_err(|_invalid| Error::Unsignable("its URL is none"))?;
    let signed = aws_sigv4::http_request::sign(signable, &parameters)
        .map_err(|_invalid| Error::Unsignable("its URL or its headers are none"))?;
    let (instructions, _signature) = signed.into_parts();
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value())
            .map_err(|_invalid| Error::Unsignable("the credentials can't stand in a header"))?;
        value.set_sensitive(true);
        request.headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// The SHA-256 of a body given in pieces, in lower-case hex; off the reactor when it is large.
pub async fn body_sha256(body: &[Bytes]) -> String {
    let bytes: usize = body.iter().map(Bytes::len).sum();
    if bytes < INLINE_BYTES_MAX {
        return hash(body);
    }
    let pieces = body.to_vec();
    let hashed = tokio::task::spawn_blocking(move || hash(&pieces)).await;
    // Only a runtime that ends drops the task.
    hashed.unwrap_or_else(|_ended| hash(body))
}

fn hash(body: &[Bytes]) -> String {
    let mut hasher = Sha256::new();
    for piece in body {
        hasher.update(piece);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nothing of a session is shown.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("service", &self.service).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
