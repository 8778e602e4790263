use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use confmap::{Providers, Redaction, ResolveOptions, limits::MAX_DOCUMENT_BYTES, resolve};
use net::client::Environment;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::HttpProvider;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Accepted = Pin<Box<dyn Future<Output = Option<Box<dyn Stream>>> + Send>>;

/// A web server on loopback with one answer for each path; ends when it is dropped.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

/// What stands behind a path: status line and headers, then the body; nothing to stay silent.
type Answer = Option<(String, Vec<u8>)>;

impl Server {
    async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(answer, |stream| Box::pin(async { Some(Box::new(stream) as _) })).await
    }

    async fn start_with(
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
        accept: impl Fn(TcpStream) -> Accepted + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), requests.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (accepted, answer, noted) = (accept(stream), answer.clone(), noted.clone());
                connections.spawn(async move {
                    if let Some(mut stream) = accepted.await {
                        let _ = serve(&mut stream, &*answer, &noted).await;
                    }
                });
            }
        });
        Self { port, requests, _tasks: tasks }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// Answers one request, and closes.
async fn serve(
    stream: &mut Box<dyn Stream>,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
    noted: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    noted.lock().expect("no panic").push(head);
    let Some((status, body)) = answer(&path) else {
        return std::future::pending().await;
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

fn ok(body: &str) -> Answer {
    Some(("200 OK".to_owned(), body.as_bytes().to_vec()))
}

/// Resolves locations, and gives the YAML or the report.
async fn read(locations: &[String], environment: Environment) -> Result<String, String> {
    let providers = Providers::new()
        .with(HttpProvider::http(environment.clone()))
        .with(HttpProvider::https(environment));
    resolve(locations, &[], &providers, ResolveOptions { default_scheme: None })
        .await
        .map(|resolved| resolved.root.to_yaml(&Redaction::none()))
        .map_err(|diagnostics| diagnostics.to_string())
}

async fn get(server: &Server, path: &str) -> Result<String, String> {
    read(&[format!("http://127.0.0.1:{}{path}", server.port)], Environment::default()).await
}

#[tokio::test]
async fn a_configuration_is_fetched_and_its_references_side_by_side() {
    let server = Server::start(|path| match path {
        "/a" => ok("[1, 0x10]"),
        "/b" => ok("text"),
        _ => Some(("404 Not Found".to_owned(), Vec::new())),
    })
    .await;
    let port = server.port.to_string();
    let outer = Server::start(move |_| {
        ok(&format!("a: ${{http://127.0.0.1:{port}/a}}\nb: x${{http://127.0.0.1:{port}/b}}\n"))
    })
    .await;
    let resolved = get(&outer, "/config.yaml?v=1").await;
    assert_eq!(resolved.as_deref(), Ok("a:\n  - 1\n  - 16\nb: xtext\n"));
    let mut asked: Vec<String> = server
        .requests()
        .iter()
        .map(|head| head.lines().next().unwrap_or_default().to_owned())
        .collect();
    asked.sort();
    assert_eq!(asked, ["GET /a HTTP/1.1", "GET /b HTTP/1.1"]);
    let head = outer.requests().remove(0).to_ascii_lowercase();
    assert!(head.starts_with("get /config.yaml?v=1 http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: 127.0.0.1:{}\r\n", outer.port)), "{head}");
    assert!(head.contains("\r\nuser-agent: hikyaku/"), "{head}");
}

#[tokio::test]
async fn credentials_of_a_url_are_sent_and_not_shown() {
    let server = Server::start(|path| match path {
        "/ok" => ok("a: 1"),
        "/yaml" => ok("a: [\n"),
        _ => Some(("403 Forbidden".to_owned(), Vec::new())),
    })
    .await;
    let fetch = async |path: &str| {
        let url = format!("http://user:hunter2@127.0.0.1:{}{path}", server.port);
        read(&[url], Environment::default()).await
    };
    assert_eq!(fetch("/ok").await.as_deref(), Ok("a: 1\n"));
    let head = server.requests().remove(0).to_ascii_lowercase();
    assert!(head.contains("\r\nauthorization: basic dxnlcjpodw50zxiy\r\n"), "{head}");
    for path in ["/refused", "/yaml"] {
        let report = fetch(path).await.expect_err("refused");
        assert!(
            report.contains("http://[REDACTED]@127.0.0.1") && !report.contains("hunter2"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn redirects_are_followed_within_reason() {
    let server = Server::start(|path| match path {
        "/old" => Some(("301 Moved\r\nLocation: /folder/next".to_owned(), Vec::new())),
        "/folder/next" => Some(("307 Temporary\r\nLocation: new".to_owned(), Vec::new())),
        "/folder/new" => ok("a: 1"),
        "/loop" => Some(("302 Found\r\nLocation: /loop".to_owned(), Vec::new())),
        "/ftp" => Some(("302 Found\r\nLocation: ftp://h/".to_owned(), Vec::new())),
        _ => Some(("302 Found".to_owned(), Vec::new())),
    })
    .await;
    assert_eq!(get(&server, "/old").await.as_deref(), Ok("a: 1\n"));
    let report = get(&server, "/loop").await.expect_err("no end");
    assert!(report.contains("/loop\" redirects more than 10 times"), "{report}");
    for path in ["/ftp", "/nowhere"] {
        let report = get(&server, path).await.expect_err("nowhere to go");
        assert!(report.contains("redirects to no http or https location"), "{report}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_configuration_is_an_error_with_a_remedy() {
    let server = Server::start(|path| match path {
        "/large" => Some(("200 OK".to_owned(), vec![b' '; MAX_DOCUMENT_BYTES + 1])),
        "/fits" => Some(("200 OK".to_owned(), vec![b'\n'; MAX_DOCUMENT_BYTES])),
        "/latin" => Some(("200 OK".to_owned(), b"a: caf\xe9".to_vec())),
        "/500" => Some(("500 Oops".to_owned(), b"a: 1".to_vec())),
        "/204" => Some(("204 No Content".to_owned(), Vec::new())),
        _ => Some(("404 Not Found".to_owned(), Vec::new())),
    })
    .await;
    assert_eq!(get(&server, "/fits").await.as_deref(), Ok("{}\n"));
    let uri = |path| format!("uri \"http://127.0.0.1:{}{path}\"", server.port);
    for (path, before, after, help) in [
        ("/x", "failed to load resource from ", ". status code: 404", "check the path of the URL"),
        ("/500", "failed to load resource from ", ". status code: 500", "ask for the URL with"),
        ("/204", "failed to load resource from ", ". status code: 204", "ask for the URL with"),
        ("/large", "the response from ", " is larger than 1048576 bytes", "name the URL of a YAML"),
        ("/latin", "the response from ", " is not valid UTF-8", "name the URL of a YAML file"),
    ] {
        let report = get(&server, path).await.expect_err("no configuration");
        let message = format!("cannot retrieve the configuration: {before}{}{after}\n", uri(path));
        assert!(report.contains(&message), "{message}: {report}");
        assert!(report.contains(&format!("= help: {help}")), "{report}");
    }
}

#[tokio::test]
async fn every_location_that_fails_is_reported() {
    let locations = ["http:x", "http://", "https:/x"].map(str::to_owned);
    let report = read(&locations, Environment::default()).await.expect_err("no URLs");
    for location in locations {
        assert!(report.contains(&format!("invalid uri {location:?}")), "{report}");
    }
}

#[tokio::test]
async fn nobody_listening_names_the_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}/c");
    let report =
        read(std::slice::from_ref(&url), Environment::default()).await.expect_err("nobody");
    let begin =
        format!("unable to download the file via HTTP GET for uri {url:?}: 127.0.0.1:{port}");
    assert!(report.contains(&begin) && report.contains("connection refused"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let server = Server::start(|_| None).await;
    let report = get(&server, "/c").await.expect_err("no answer");
    assert!(report.contains("timed out after 30.0 s"), "{report}");
}

#[tokio::test]
async fn https_trusts_the_authorities_it_is_told_of_and_no_others() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a key");
    let mut pem = tempfile::NamedTempFile::new().expect("a file");
    std::io::Write::write_all(&mut pem, key.cert.pem().as_bytes()).expect("written");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![key.cert.der().clone()],
            key.signing_key.serialize_der().try_into().expect("a key"),
        )
        .expect("a certificate");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = Server::start_with(
        |path| match path {
            "/down" => Some(("302 Found\r\nLocation: http://localhost/x".to_owned(), Vec::new())),
            _ => ok("a: 1"),
        },
        move |stream| {
            let accept = acceptor.accept(stream);
            Box::pin(async { accept.await.ok().map(|stream| Box::new(stream) as _) })
        },
    )
    .await;
    let url = |path| [format!("https://localhost:{}{path}", server.port)];
    let trusting =
        Environment { ssl_cert_file: Some(pem.path().to_owned()), ..Environment::default() };
    assert_eq!(read(&url("/"), trusting.clone()).await.as_deref(), Ok("a: 1\n"));
    let report = read(&url("/down"), trusting).await.expect_err("plain text");
    assert!(report.contains("redirects to no http or https location"), "{report}");
    let report = read(&url("/"), Environment::default()).await.expect_err("an unknown issuer");
    assert!(report.contains("certificate is refused"), "{report}");
}
