//! What this crate's tests share: servers on loopback, certificates, deadlines.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::{Compression, Headers, PemSource, TlsMaterial, TlsServer};
use confmap::Opaque;
use http::{HeaderMap, Method, Request, Response, Uri};
use hyper::body::Incoming;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::ReplyBody;
use crate::body::{BodyLimits, read_body};
use crate::server::{Handler, Listener, Peer, Server, ServerSettings, handler_fn};

/// The output of a future that must end soon.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let wait = timeout(Duration::from_secs(20), future).await;
    wait.unwrap_or_else(|_| panic!("waited 20 s for {what}"))
}

/// A deadline that no test should reach.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(crate) fn settings() -> ServerSettings {
    ServerSettings::new("test")
}

/// A server on loopback.
pub(crate) fn serve(settings: ServerSettings, handler: Arc<dyn Handler>) -> (SocketAddr, Server) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, Server::serve(vec![Listener::Tcp(listener)], settings, handler).unwrap())
}

/// Answers with the body it was sent, or the error of reading it.
pub(crate) fn echo() -> Arc<dyn Handler> {
    handler_fn(|request: Request<Incoming>, _: Arc<Peer>| async move {
        let limits = BodyLimits::of(5_000_000);
        match read_body(request.into_body(), Compression::None, &limits, |_| Ok(())).await {
            Ok(body) => Response::new(body.into()),
            Err(error) => {
                let mut response = Response::new(error.to_string().into());
                *response.status_mut() = error.http_status();
                response
            }
        }
    })
}

/// A request as a server got it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: http::Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Answers with an empty 200, and passes on what it was sent.
pub(crate) fn recorder() -> (Arc<dyn Handler>, mpsc::Receiver<Seen>) {
    let (sender, seen) = mpsc::channel(100);
    let handler = handler_fn(move |request: Request<Incoming>, _: Arc<Peer>| {
        let sender = sender.clone();
        async move {
            let (head, body) = request.into_parts();
            let limits = BodyLimits::of(100_000_000);
            let body = read_body(body, Compression::None, &limits, |_| Ok(())).await.unwrap();
            let http::request::Parts { method, uri, version, headers, .. } = head;
            sender.try_send(Seen { method, uri, version, headers, body }).unwrap();
            Response::new(ReplyBody::empty())
        }
    });
    (handler, seen)
}

/// A server that says `answer` when it has been sent something, and hangs up.
pub(crate) async fn says(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = [0; 1024];
            let _ignored = stream.read(&mut heard).await;
            let _ignored = stream.write_all(answer).await;
            let _ignored = stream.shutdown().await;
            // Reads on, so that closing does not reset the connection.
            let _ignored = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    });
    address
}

/// A server that takes connections and never says a word.
pub(crate) async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held: Vec<TcpStream> = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    address
}

/// An address at which nothing listens.
pub(crate) fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Opaque::new(*value))).collect()
}

/// An authority of certificates, with a folder for the files it issues.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

/// A certificate and its key, in files.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// The authority's own certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for `name`.
    pub(crate) fn issue(&self, name: &str) -> Pair {
        self.issue_with(name, |_| {})
    }

    /// One whose time is over.
    pub(crate) fn issue_expired(&self, name: &str) -> Pair {
        self.issue_with(name, |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    fn issue_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let unique = fastrand::u64(..);
        let (cert_path, key_path) =
            (self.path(&format!("{unique}.pem")), self.path(&format!("{unique}.key")));
        std::fs::write(&cert_path, cert.pem()).unwrap();
        std::fs::write(&key_path, key.serialize_pem()).unwrap();
        Pair { cert: cert_path, key: key_path }
    }
}

impl Pair {
    /// Puts this pair in the place of another one's files.
    pub(crate) fn replace(&self, other: &Pair) {
        std::fs::copy(&self.cert, &other.cert).unwrap();
        std::fs::copy(&self.key, &other.key).unwrap();
    }

    pub(crate) fn material(&self) -> TlsMaterial {
        TlsMaterial {
            cert: Some(file(&self.cert)),
            key: Some(file(&self.key)),
            ..TlsMaterial::default()
        }
    }

    /// A server with this certificate.
    pub(crate) fn server(&self) -> TlsServer {
        TlsServer { material: self.material(), ..TlsServer::default() }
    }
}

pub(crate) fn file(path: &Path) -> PemSource {
    PemSource::File(path.to_owned())
}

/// A client that trusts an authority.
pub(crate) fn trusting(authority: &Authority) -> config::TlsClient {
    let ca = Some(file(&authority.ca()));
    config::TlsClient {
        material: TlsMaterial { ca, ..TlsMaterial::default() },
        ..config::TlsClient::default()
    }
}
