use std::sync::Arc;
use std::time::Duration;

use config::{Curve, PemSource, TlsMaterial, TlsVersion};
use confmap::Opaque;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::advance;

use super::{ServerTls, TlsError};
use crate::client::{Body, ClientOptions, Environment, HttpClient, Request};
use crate::error::{Cause, CertificateFault, TransportError};
use crate::server::{Listener, Server, ServerSettings};
use crate::testing::{Authority, echo, file, serve, settings, soon, trusting, within};

/// The version of HTTP that a client and a server of these settings agree on, or why they can't.
async fn contact(client: &HttpClient, port: u16) -> Result<http::StatusCode, TransportError> {
    let request = Request {
        method: http::Method::POST,
        uri: format!("https://localhost:{port}/").parse().unwrap(),
        headers: http::HeaderMap::new(),
        body: Body::plain(vec!["hello".into()]),
    };
    let reply = within("an answer", client.send(&request, soon())).await?;
    assert_eq!(reply.body, "hello");
    Ok(reply.status)
}

fn client(tls: config::TlsClient) -> HttpClient {
    let settings = config::HttpClient { tls, ..config::HttpClient::default() };
    HttpClient::new(&settings, ClientOptions::default())
}

fn with_tls(tls: config::TlsServer) -> ServerSettings {
    ServerSettings { tls: Some(tls), ..settings() }
}

fn cause(result: Result<http::StatusCode, TransportError>) -> Cause {
    result.expect_err("the handshake must fail").cause
}

#[tokio::test]
async fn trusted_server_is_talked_to_in_either_version_of_http() {
    let authority = Authority::new();
    let (address, _server) = serve(with_tls(authority.issue("localhost").server()), echo());
    for force_attempt_http2 in [true, false] {
        let tls = trusting(&authority);
        let settings = config::HttpClient { tls, force_attempt_http2, ..Default::default() };
        let client = HttpClient::new(&settings, ClientOptions::default());
        assert_eq!(contact(&client, address.port()).await.unwrap(), 200);
        assert_eq!(contact(&client, address.port()).await.unwrap(), 200, "over the kept one");
        client.close().await;
    }
}

#[tokio::test]
async fn server_that_is_not_to_be_trusted_is_refused_with_the_reason() {
    let (authority, other) = (Authority::new(), Authority::new());
    let against = async |tls: config::TlsServer| {
        let (address, _server) = serve(with_tls(tls), echo());
        cause(contact(&client(trusting(&authority)), address.port()).await)
    };
    let unknown = against(other.issue("localhost").server()).await;
    assert!(matches!(unknown, Cause::Certificate(CertificateFault::UnknownIssuer)), "{unknown}");
    let name = against(authority.issue("elsewhere.example").server()).await;
    let Cause::Certificate(CertificateFault::Name(names)) = &name else { panic!("{name}") };
    assert!(names.iter().any(|name| name.contains("elsewhere.example")), "{name}");
    assert!(name.to_string().contains("tls.server_name_override"));
    let time = against(authority.issue_expired("localhost").server()).await;
    assert!(matches!(time, Cause::Certificate(CertificateFault::Time)), "{time}");
}

#[tokio::test]
async fn check_of_the_server_is_bent_as_the_settings_say() {
    let (authority, other) = (Authority::new(), Authority::new());
    let elsewhere = authority.issue("elsewhere.example").server();
    let (address, _server) = serve(with_tls(elsewhere), echo());
    let server_name = Some("elsewhere.example".to_owned());
    let renamed = config::TlsClient { server_name, ..trusting(&authority) };
    assert!(contact(&client(renamed), address.port()).await.is_ok());
    let blind = config::TlsClient { insecure_skip_verify: true, ..trusting(&other) };
    assert!(contact(&client(blind), address.port()).await.is_ok());
}

#[tokio::test]
async fn authorities_of_the_environment_replace_the_public_ones() {
    let authority = Authority::new();
    let (address, _server) = serve(with_tls(authority.issue("localhost").server()), echo());
    let of = |environment| {
        HttpClient::new(
            &config::HttpClient::default(),
            ClientOptions { environment, ..ClientOptions::default() },
        )
    };
    let ssl_cert_file = Some(authority.ca());
    let named = of(Environment { ssl_cert_file, ..Environment::default() });
    assert!(contact(&named, address.port()).await.is_ok());
    let public = of(Environment::default());
    let unknown = cause(contact(&public, address.port()).await);
    assert!(matches!(unknown, Cause::Certificate(CertificateFault::UnknownIssuer)), "{unknown}");
}

#[tokio::test]
async fn client_certificate_is_demanded_and_verified() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut tls = authority.issue("localhost").server();
    tls.client_ca_file = Some(authority.ca());
    let (address, _server) = serve(with_tls(tls), echo());
    let with = |pair: Option<crate::testing::Pair>| {
        let mut tls = trusting(&authority);
        if let Some(pair) = pair {
            let ca = tls.material.ca.take();
            tls.material = TlsMaterial { ca, ..pair.material() };
        }
        client(tls)
    };
    let good = with(Some(authority.issue("agent")));
    assert!(contact(&good, address.port()).await.is_ok());
    let none = cause(contact(&with(None), address.port()).await);
    assert!(matches!(none, Cause::ClientCertificate), "{none}");
    assert!(none.to_string().contains("tls.cert_file"));
    let foreign = cause(contact(&with(Some(other.issue("agent"))), address.port()).await);
    assert!(matches!(foreign, Cause::Alert(_)), "{foreign}");
}

#[tokio::test]
async fn versions_and_curves_are_kept_to() {
    let authority = Authority::new();
    let mut tls = authority.issue("localhost").server();
    tls.material.min_version = TlsVersion::Tls13;
    tls.material.curve_preferences = vec![Curve::P384];
    let (address, _server) = serve(with_tls(tls), echo());
    let mut old = trusting(&authority);
    old.material.max_version = TlsVersion::Tls12;
    assert!(contact(&client(old), address.port()).await.is_err());
    let mut curves = trusting(&authority);
    curves.material.curve_preferences = vec![Curve::X25519];
    assert!(contact(&client(curves), address.port()).await.is_err());
    assert!(contact(&client(trusting(&authority)), address.port()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn changed_certificate_is_taken_up_when_its_interval_is_over() {
    let (before, after) = (Authority::new(), Authority::new());
    let pair = before.issue("localhost");
    let mut tls = pair.server();
    tls.material.reload_interval = Some(Duration::from_secs(60));
    let (address, _server) = serve(with_tls(tls), echo());
    let trusts = async |authority| contact(&client(trusting(authority)), address.port()).await;
    assert!(trusts(&before).await.is_ok());
    after.issue("localhost").replace(&pair);
    assert!(trusts(&before).await.is_ok(), "too early");
    advance(Duration::from_secs(61)).await;
    assert!(trusts(&after).await.is_ok());
    assert!(trusts(&before).await.is_err());
    std::fs::write(&pair.cert, "half a certifi").unwrap();
    advance(Duration::from_secs(61)).await;
    assert!(trusts(&after).await.is_ok(), "a broken file must not take the old one away");
}

#[tokio::test(start_paused = true)]
async fn changed_authority_of_client_certificates_is_taken_up() {
    let (authority, other) = (Authority::new(), Authority::new());
    let client_ca = authority.path("clients.pem");
    std::fs::copy(authority.ca(), &client_ca).unwrap();
    let mut tls = authority.issue("localhost").server();
    tls.client_ca_file = Some(client_ca.clone());
    tls.client_ca_file_reload = true;
    let (address, _server) = serve(with_tls(tls), echo());
    let with = |authority_of_client: &Authority| {
        let ca = Some(file(&authority.ca()));
        let material = authority_of_client.issue("agent").material();
        client(config::TlsClient {
            material: TlsMaterial { ca, ..material },
            ..config::TlsClient::default()
        })
    };
    assert!(contact(&with(&other), address.port()).await.is_err());
    std::fs::copy(other.ca(), &client_ca).unwrap();
    advance(Duration::from_secs(2)).await;
    assert!(contact(&with(&other), address.port()).await.is_ok());
    assert!(contact(&with(&authority), address.port()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn client_takes_up_its_changed_files_for_new_connections() {
    let (before, after) = (Authority::new(), Authority::new());
    let ca = before.path("trusted.pem");
    std::fs::copy(before.ca(), &ca).unwrap();
    let mut tls = trusting(&before);
    tls.material.ca = Some(file(&ca));
    tls.material.reload_interval = Some(Duration::from_secs(60));
    let settings = config::HttpClient {
        tls,
        disable_keep_alives: true,
        force_attempt_http2: false,
        ..config::HttpClient::default()
    };
    let client = HttpClient::new(&settings, ClientOptions::default());
    let (old, _server) = serve(with_tls(before.issue("localhost").server()), echo());
    let (new, _server) = serve(with_tls(after.issue("localhost").server()), echo());
    assert!(contact(&client, old.port()).await.is_ok());
    assert!(contact(&client, new.port()).await.is_err());
    std::fs::copy(after.ca(), &ca).unwrap();
    assert!(contact(&client, new.port()).await.is_err(), "too early");
    advance(Duration::from_secs(61)).await;
    assert!(contact(&client, new.port()).await.is_ok());
}

#[tokio::test]
async fn client_in_plain_text_is_told_in_the_words_of_go() {
    let authority = Authority::new();
    let (address, _server) = serve(with_tls(authority.issue("localhost").server()), echo());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello").await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
    assert!(answer.contains("Client sent an HTTP request to an HTTPS server."), "{answer}");
}

#[tokio::test]
async fn client_without_alpn_is_understood_by_its_first_bytes() {
    use rustls::pki_types::ServerName;
    let authority = Authority::new();
    let (address, _server) = serve(with_tls(authority.issue("localhost").server()), echo());
    let tls = super::ClientTls::new(&trusting(&authority), &[], &Environment::default());
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls).config().await.unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = within("the handshake", connector.connect(name, stream)).await.unwrap();
    stream.write_all(b"POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("hi"), "{answer}");
}

#[test]
fn material_that_cannot_be_used_is_named_by_its_key() {
    let authority = Authority::new();
    let (pair, other) = (authority.issue("localhost"), authority.issue("localhost"));
    let error = |change: &dyn Fn(&mut config::TlsServer)| {
        let mut tls = pair.server();
        change(&mut tls);
        ServerTls::load(&tls).expect_err("must not load")
    };
    let missing = error(&|tls| tls.material.cert = Some(PemSource::File("/no/such".into())));
    assert!(matches!(missing, TlsError::Read { key: "cert_file", .. }));
    assert!(missing.to_string().contains("/no/such"));
    let text = error(&|tls| tls.material.cert = Some(PemSource::Pem(Opaque::new("s3cret"))));
    assert!(matches!(text, TlsError::NoCertificate { .. }) && !text.to_string().contains("s3cret"));
    let key = error(&|tls| tls.material.key = Some(PemSource::Pem(Opaque::new("s3cret"))));
    assert!(matches!(key, TlsError::NoKey { .. }), "{key}");
    let foreign = error(&|tls| tls.material.key = Some(file(&other.key)));
    assert!(matches!(foreign, TlsError::Pair(_)), "{foreign}");
    let client_ca = error(&|tls| tls.client_ca_file = Some(pair.key.clone()));
    assert!(client_ca.to_string().starts_with("tls.client_ca_file /"), "{client_ca}");
}

#[test]
fn client_is_told_what_it_could_not_use_before_it_connects() {
    let authority = Authority::new();
    let (pair, other) = (authority.issue("agent"), authority.issue("agent"));
    let check = |change: &dyn Fn(&mut TlsMaterial)| {
        let mut tls = config::TlsClient { material: pair.material(), ..Default::default() };
        tls.material.ca = Some(file(&authority.ca()));
        change(&mut tls.material);
        super::check_client(&tls).map_err(|error| error.to_string())
    };
    let pem = |text: &str| Some(PemSource::Pem(Opaque::new(text)));
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(super::check_client(&config::TlsClient::default()).ok(), Some(()));
    let missing = check(&|material| material.ca = Some(PemSource::File("/no/such".into())));
    assert!(missing.unwrap_err().starts_with("can't read tls.ca_file /no/such: "));
    let key = format!("tls.ca_file {} has no valid certificate in PEM format", pair.key.display());
    assert_eq!(check(&|material| material.ca = Some(file(&pair.key))), Err(key));
    for (change, expected) in [
        (&|m: &mut TlsMaterial| m.ca = pem("xx"), "tls.ca_pem has no valid certificate"),
        (&|m: &mut TlsMaterial| m.cert = pem("xx"), "tls.cert_pem has no valid certificate"),
        (&|m: &mut TlsMaterial| m.key = pem("xx"), "tls.key_pem has no valid private key"),
        (&|m: &mut TlsMaterial| m.key = Some(file(&other.key)), "can't be used with its key"),
    ] as [(&dyn Fn(&mut TlsMaterial), &str); 4]
    {
        let error = check(change).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn server_whose_tls_cannot_be_used_does_not_start() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut tls = Authority::new().issue("localhost").server();
    tls.material.key = None;
    let error = Server::serve(vec![Listener::Tcp(listener)], with_tls(tls), echo()).unwrap_err();
    assert!(error.to_string().contains("cert_file"), "{error}");
}
