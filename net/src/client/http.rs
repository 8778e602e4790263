//! The HTTP client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use config::{Compression, CompressionLevel};
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderName, HeaderValue,
    PROXY_AUTHORIZATION, RETRY_AFTER, USER_AGENT,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::time::{Instant, timeout_at};

use super::connect::Connector;
use super::pool::{Http2, Lease, Link, Ping, Pool, PoolSettings, peer};
use super::rope::Rope;
use super::target::{Target, UrlError};
use super::url::without_user;
use super::{ClientOptions, RESPONSE_BYTES_MAX};
use crate::auth::{ClientAuth, Outgoing};
use crate::body::{BodyError, BodyLimits, decode_now, next_frame};
use crate::compress::{compress, compress_now};
use crate::error::{Cause, Stage, TransportError, Wanted};
use crate::server::header_map;
use crate::tls::ClientTls;

/// A client for HTTP/1.1, and for HTTP/2 where a server agrees to it in TLS.
///
/// Nothing is opened, read or parsed before the first request.
pub struct HttpClient {
    pool: Pool,
    headers: HeaderMap,
    host: Option<HeaderValue>,
    compression: Compression,
    level: CompressionLevel,
    auth: Option<Arc<dyn ClientAuth>>,
    response_bytes_max: usize,
}

/// A request. Cloning it copies no body.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL. A user and a password in it are sent as basic authentication, unless an `Authorization` comes from elsewhere.
    pub uri: Uri,
    /// Headers of this request; those of the client's settings win.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A body in pieces, compressed or not. Cloning it copies nothing.
#[derive(Clone, Debug)]
pub struct Body {
    pieces: Arc<[Bytes]>,
    encoding: Compression,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read.
    pub body: Bytes,
    /// Whether there is more of it than was read.
    pub is_truncated: bool,
}

/// A request on its way. On the heap: a future that other crates hold by value is compiled anew into each of them.
type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply, TransportError>> + Send + 'a>>;

/// The longest wait for the next bytes of an answer's body.
const STALL: Duration = Duration::from_secs(30);

impl HttpClient {
    /// A client of these settings. The endpoint is not looked at: each request has its URL.
    #[must_use]
    pub fn new(settings: &config::HttpClient, options: ClientOptions) -> Self {
        // A connection of HTTP/2 is there for many requests.
        let is_http2_offered = settings.force_attempt_http2 && !settings.disable_keep_alives;
        let offered: &[&str] = if is_http2_offered { &["h2", "http/1.1"] } else { &["http/1.1"] };
        let environment = options.environment;
        let stale_after = environment.stale_after();
        let connector = Connector {
            tls: Arc::new(ClientTls::new(&settings.tls, offered, &environment)),
            proxy_tls: Arc::new(ClientTls::new(&settings.tls, &["http/1.1"], &environment)),
            proxy_url: settings.proxy_url.clone(),
            environment,
            wanted: Wanted::Http,
            #[cfg(test)]
            addresses: Vec::new(),
        };
        let ping = settings.http2_read_idle_timeout.map(|interval| Ping {
            interval,
            timeout: settings.http2_ping_timeout,
            while_idle: true,
        });
        let pool = PoolSettings {
            http2: Http2::IfAgreed,
            max_idle: settings.max_idle_conns,
            max_busy: settings.max_conns_per_host,
            idle_timeout: settings.idle_conn_timeout,
            keep_alive: !settings.disable_keep_alives,
            stale_after,
            ping,
            balance: false,
        };
        let mut headers = header_map(&settings.headers);
        let host = headers.remove(HOST).filter(|host| !host.is_empty());
        if let Some(agent) = options.user_agent
            && !headers.contains_key(USER_AGENT)
            && let Ok(agent) = HeaderValue::from_str(&agent)
        {
            headers.insert(USER_AGENT, agent);
        }
        Self {
            pool: Pool::new(connector, pool),
            headers,
            host,
            compression: settings.compression,
            level: settings.compression_level,
            auth: options.auth,
            response_bytes_max: options.response_bytes_max.unwrap_or(RESPONSE_BYTES_MAX),
        }
    }

    /// Compresses a body as the settings say, once for all attempts to send it; off the reactor
    /// when it is large.
    ///
    /// # Errors
    /// When a codec fails, which none does on memory.
    pub async fn compress(&self, pieces: Vec<Bytes>) -> io::Result<Body> {
        let pieces = compress(pieces, self.compression, self.level).await?;
        Ok(Body { pieces: pieces.into(), encoding: self.compression })
    }

    /// As [`HttpClient::compress`], here and now: for callers that have a thread for it.
    ///
    /// # Errors
    /// When a codec fails, which none does on memory.
    pub fn compress_now(&self, pieces: Vec<Bytes>) -> io::Result<Body> {
        Body::compressed(pieces, self.compression, self.level)
    }

    /// Sends a request and reads its answer, whatever its status. The future may be dropped at
    /// any point; the peer may have seen the request by then.
    ///
    /// # Errors
    /// When there is no answer by the deadline, with the peer, the cause, and the setting to
    /// change where one is likely to be wrong.
    #[must_use]
    pub fn send<'a>(&'a self, request: &'a Request, deadline: Instant) -> Sending<'a> {
        Box::pin(self.exchange(request, deadline))
    }

    async fn exchange(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<Reply, TransportError> {
        let url = |error: UrlError| {
            let text = match error {
                UrlError::Scheme => "the URL must begin with http:// or https://",
                UrlError::Invalid | UrlError::NoHost => "the URL has no scheme or no host",
            };
            TransportError::new(host_of(&request.uri), Cause::InvalidRequest(text))
        };
        let (uri, basic) = without_user(&request.uri);
        let target = Target::of(&uri).map_err(url)?;
        let begun = Instant::now();
        let mut headers = self.headers_of(request, &target);
        if let Some(auth) = &self.auth {
            let outgoing = Outgoing {
                method: &request.method,
                uri: &uri,
                headers: &mut headers,
                body: &request.body.pieces,
            };
            authorize(&**auth, outgoing, &target, deadline).await?;
        }
        if let Some(basic) = basic {
            // As Go's net/http: other credentials win.
            headers.entry(AUTHORIZATION).or_insert(basic);
        }
        let build = |link: &Link| build(request, &uri, &headers, link);
        let (response, lease) = self.pool.exchange(&target, deadline, build).await?;
        let (head, mut body) = response.into_parts();
        let limits = BodyLimits {
            raw: self.response_bytes_max,
            decoded: self.response_bytes_max,
            deadline: Some(deadline),
            stall: STALL,
        };
        let mut gather = crate::body::Gather::default();
        let mut is_truncated = false;
        loop {
            match next_frame(&mut body, &limits).await {
                Ok(None) => break,
                Ok(Some(frame)) => {
                    let Ok(mut data) = frame.into_data() else { continue };
                    let room = self.response_bytes_max - gather.len();
                    is_truncated = data.len() > room;
                    data.truncate(room);
                    gather.push(data, 0);
                    if is_truncated {
                        break;
                    }
                }
                Err(error) => {
                    let cause = match error {
                        BodyError::TimedOut => {
                            Cause::Timeout { stage: Stage::Answer, after: begun.elapsed() }
                        }
                        _ => Cause::Closed,
                    };
                    return Err(TransportError::new(peer(&target, lease.link().address), cause));
                }
            }
        }
        let reply = Reply {
            status: head.status,
            headers: head.headers,
            body: gather.finish(),
            is_truncated,
        };
        self.finish(lease, &target, reply)
    }

    /// Opens a connection to this URL's host for a request that is expected soon, unless there is one. What goes wrong is left for that
    /// request to find out. May be dropped at any point.
    pub async fn warm(&self, uri: &Uri, deadline: Instant) {
        if let Ok(target) = Target::of(uri) {
            self.pool.warm(&target, deadline).await;
        }
    }

    /// Ends every connection and joins their tasks. Requests under way fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Gives the connection back if it can serve another request.
    fn finish(&self, lease: Lease, target: &Target, reply: Reply) -> Result<Reply, TransportError> {
        let address = lease.link().address;
        if !reply.is_truncated {
            self.pool.give_back(lease);
        }
        if !target.tls && reply.status == StatusCode::BAD_REQUEST && complains_of_plain(&reply) {
            let cause = Cause::TlsPeer { wanted: Wanted::Http };
            return Err(TransportError::new(peer(target, address), cause));
        }
        Ok(reply)
    }

    /// All headers but those that depend on the connection.
    fn headers_of(&self, request: &Request, target: &Target) -> HeaderMap {
        let mut headers = request.headers.clone();
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        if request.body.encoding.is_compressed() {
            let name = HeaderValue::from_static(request.body.encoding.name());
            headers.insert(CONTENT_ENCODING, name);
        }
        let host = self.host.clone().or_else(|| {
            let authority = target.authority()?;
            HeaderValue::from_str(authority.as_str()).ok()
        });
        if let Some(host) = host {
            headers.insert(HOST, host);
        }
        if request.method != Method::GET || !request.body.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(request.body.len() as u64));
        }
        headers
    }
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::plain(Vec::new())
    }

    /// Pieces that are sent as they are.
    #[must_use]
    pub fn plain(pieces: Vec<Bytes>) -> Self {
        Self { pieces: pieces.into(), encoding: Compression::None }
    }

    /// Pieces compressed here and now, whatever the client's settings say: for protocols whose endpoints take codecs of
    /// their own.
    ///
    /// # Errors
    /// When a codec fails, which none does on memory.
    pub fn compressed(
        pieces: Vec<Bytes>,
        codec: Compression,
        level: CompressionLevel,
    ) -> io::Result<Self> {
        let pieces =
            if codec.is_compressed() { vec![compress_now(&pieces, codec, level)?] } else { pieces };
        Ok(Self { pieces: pieces.into(), encoding: codec })
    }

    /// The body before compression, for whoever has to cut it.
    ///
    /// # Errors
    /// When it is longer than `limit`.
    pub fn decompressed(&self, limit: usize) -> Result<Bytes, BodyError> {
        decode_now(&self.pieces.concat(), self.encoding, limit)
    }

    /// The number of bytes on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Reply {
    /// A header's value as text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

async fn authorize(
    auth: &dyn ClientAuth,
    outgoing: Outgoing<'_>,
    target: &Target,
    deadline: Instant,
) -> Result<(), TransportError> {
    let begun = Instant::now();
    let fail = |cause| TransportError::new(target.place.to_string(), cause);
    match timeout_at(deadline, auth.authorize(outgoing)).await {
        Ok(authorized) => authorized.map_err(|error| fail(Cause::Auth(error))),
        Err(_elapsed) => {
            Err(fail(Cause::Timeout { stage: Stage::Connect, after: begun.elapsed() }))
        }
    }
}

/// The request in the form that a connection wants it.
fn build(
    request: &Request,
    uri: &Uri,
    headers: &HeaderMap,
    link: &Link,
) -> Result<http::Request<Rope>, Cause> {
    let mut built = http::Request::new(Rope::new(request.body.pieces.clone()));
    *built.method_mut() = request.method.clone();
    *built.headers_mut() = headers.clone();
    if link.is_http2 {
        // The host goes into `:authority`.
        let mut parts = uri.clone().into_parts();
        if let Some(host) = built.headers_mut().remove(HOST) {
            parts.authority = host.as_bytes().try_into().ok().or(parts.authority);
        }
        let invalid = |_| Cause::InvalidRequest("the Host header is no valid host");
        *built.uri_mut() = Uri::from_parts(parts).map_err(invalid)?;
    } else if let Some(proxy) = &link.through {
        *built.uri_mut() = uri.clone();
        if let Some(authorization) = &proxy.authorization {
            built.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
        }
    } else {
        let root = || PathAndQuery::from_static("/");
        let path = uri.path_and_query().cloned().unwrap_or_else(root);
        *built.uri_mut() = Uri::from(path);
    }
    Ok(built)
}

/// How long a `Retry-After` asks to wait: seconds, or a date.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse() {
        return Some(Duration::from_secs(secs));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// What Go's and nginx's servers say to plain text where they expect TLS.
fn complains_of_plain(reply: &Reply) -> bool {
    let says = |text: &[u8]| reply.body.windows(text.len()).any(|window| window == text);
    says(b"HTTP request to an HTTPS server") || says(b"plain HTTP request was sent to HTTPS port")
}

/// The host of a URL for an error, never its user and password.
fn host_of(uri: &Uri) -> String {
    uri.host().unwrap_or("no host").to_owned()
}

#[cfg(test)]
mod tests;
