//! A user and a password in a URL.

use super::*;

#[tokio::test]
async fn user_and_password_of_the_url_are_basic_authentication_and_stand_nowhere_else() {
    let (handler, mut seen) = recorder();
    let (address, _server) = serve(settings(), handler);
    let authority = Authority::new();
    let tls = ServerSettings { tls: Some(authority.issue("localhost").server()), ..settings() };
    let (handler, mut seen_encrypted) = recorder();
    let (encrypted, _encrypted_server) = serve(tls, handler);
    let of = |change: &dyn Fn(&mut config::HttpClient), auth: Option<Arc<dyn ClientAuth>>| {
        let mut settings =
            config::HttpClient { tls: trusting(&authority), ..config::HttpClient::default() };
        change(&mut settings);
        HttpClient::new(&settings, ClientOptions { auth, ..ClientOptions::default() })
    };
    let plain = of(&|_| {}, None);
    let request = post(format!("http://user:pa%24s@{address}/a?b"), Body::empty());
    send(&plain, &request).await.unwrap();
    let arrived = seen.recv().await.unwrap();
    assert_eq!(arrived.headers["authorization"], "Basic dXNlcjpwYSRz");
    assert_eq!(arrived.headers["host"], *address.to_string());
    assert_eq!(arrived.uri, "/a?b");
    let port = encrypted.port();
    send(&plain, &post(format!("https://user:pa%24s@localhost:{port}/a"), Body::empty()))
        .await
        .unwrap();
    let arrived = seen_encrypted.recv().await.unwrap();
    assert_eq!(arrived.headers["authorization"], "Basic dXNlcjpwYSRz");
    assert_eq!(arrived.uri, *format!("https://localhost:{port}/a"));
    // Other credentials win.
    let headed = of(&|settings| settings.headers = headers(&[("Authorization", "mine")]), None);
    send(&headed, &request).await.unwrap();
    assert_eq!(seen.recv().await.unwrap().headers["authorization"], "mine");
    let signed = of(&|_| {}, Some(Arc::new(Naming) as Arc<dyn ClientAuth>));
    send(&signed, &request).await.unwrap();
    let arrived = seen.recv().await.unwrap();
    assert_eq!(arrived.headers["authorization"], *format!("signed http://{address}/a?b"));
    // A proxy is told neither, unless it is the way to an http URL, whose headers it passes on.
    let proxied = of(
        &|settings| settings.proxy_url = Some(confmap::Opaque::new(format!("http://{address}"))),
        None,
    );
    send(&proxied, &post("http://user:pa%24s@backend.example/a", Body::empty())).await.unwrap();
    let arrived = seen.recv().await.unwrap();
    assert_eq!(arrived.uri, "http://backend.example/a");
    assert_eq!(arrived.headers["authorization"], "Basic dXNlcjpwYSRz");
    let error = failure(&plain, format!("http://user:canary@{}/", nobody())).await;
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}

/// Signs with the URL it is shown.
struct Naming;

impl ClientAuth for Naming {
    fn authorize<'a>(&'a self, request: Outgoing<'a>) -> BoxFuture<'a, Result<(), AuthError>> {
        let value = HeaderValue::try_from(format!("signed {}", request.uri)).unwrap();
        request.headers.insert("authorization", value);
        Box::pin(std::future::ready(Ok(())))
    }
}
