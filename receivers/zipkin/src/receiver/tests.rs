//! The whole receiver over real sockets.

use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use confmap::{Diagnostics, Node, Section};
use pipeline::testing::{Recorder, within_patience};
use pipeline::{
    ComponentId, ComponentKind, Context, Deadline, Outlet, Outlets, Process, Receiver,
    TransportAddress,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Arc, Signal};

/// A receiver, made by its factory.
fn receiver(process: Process, next: &Recorder, endpoint: &str, more: &str) -> Arc<dyn Receiver> {
    let yaml = format!("{{endpoint: \"{endpoint}\"{more}}}");
    let node = Node::from_yaml("test.yaml", &yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "receivers::zipkin", &diagnostics);
    let build = (crate::FACTORY.parse)(section);
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let context = Context::new(process, ComponentKind::Receiver, id(), None, None);
    let outlets = Outlets::default().with(Signal::Traces, Outlet::to(Arc::new(next.clone())));
    build(context, outlets).unwrap()
}

fn id() -> ComponentId {
    "zipkin".parse().unwrap()
}

/// A receiver that listens on a free port: it shares the socket that its id has already.
async fn started(next: &Recorder, more: &str) -> (Arc<dyn Receiver>, SocketAddr) {
    let process = Process::default();
    let any = TransportAddress::Tcp("127.0.0.1:0".to_owned());
    let listener = process.listeners.bind(&id(), &any).unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = receiver(process, next, &address.to_string(), more);
    receiver.start().await.unwrap();
    (receiver, address)
}

/// Sends bytes and reads until the server closes the connection.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    within_patience("the server to answer and close", read).await.unwrap();
    answer
}

fn post(body: &str) -> String {
    let len = body.len();
    format!(
        "POST /api/v2/spans HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn spans_sent_over_a_socket_arrive_and_the_connection_is_closed_as_upstream_does() {
    let next = Recorder::default();
    let (receiver, address) = started(&next, "").await;
    let answer = exchange(address, &post(r#"[{"traceId":"1","id":"1"}]"#)).await;
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    next.wait_for_items(1).await;
    let answer = exchange(address, &post("[")).await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("the body ends too early"), "{answer}");
    assert_eq!(receiver.shutdown(Deadline::after(Duration::from_secs(5))).await, 0);
    assert!(TcpStream::connect(address).await.is_err(), "the port is still open");
}

#[tokio::test]
async fn request_in_the_middle_is_answered_before_the_receiver_has_stopped() {
    let next = Recorder::default();
    let (receiver, address) = started(&next, ", keep_alives_enabled: true").await;
    next.close(true);
    let sending =
        tokio::spawn(
            async move { exchange(address, &post(r#"[{"traceId":"1","id":"1"}]"#)).await },
        );
    next.wait_for_offers(1).await;
    let mut stopping = pin!(receiver.shutdown(Deadline::after(Duration::from_secs(30))));
    let begun = poll_fn(|cx| Poll::Ready(stopping.as_mut().poll(cx)));
    assert!(begun.await.is_pending(), "the receiver did not wait for the request");
    next.close(false);
    let stopped = within_patience("the receiver to stop", stopping).await;
    let answer = within_patience("the answer", sending).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
    assert_eq!(stopped, 0);
    assert_eq!(next.items(), 1);
}

#[tokio::test]
async fn port_in_use_is_named_and_stop_without_start_is_safe() {
    let next = Recorder::default();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let receiver = receiver(Process::default(), &next, &address, "");
    let error = receiver.start().await.unwrap_err().to_string();
    assert!(error.contains(&address), "{error}");
    assert_eq!(receiver.shutdown(Deadline::after(Duration::from_secs(1))).await, 0);
}

#[test]
fn receiver_without_a_pipeline_of_traces_is_not_built() {
    let diagnostics = Diagnostics::new();
    let build = (crate::FACTORY.parse)(Section::new(None, "receivers::zipkin", &diagnostics));
    let context = Context::new(Process::default(), ComponentKind::Receiver, id(), None, None);
    assert!(build(context, Outlets::default()).is_err());
}

#[tokio::test]
async fn authenticator_that_does_not_run_and_an_unusable_certificate_are_found_at_start() {
    for (more, part) in [
        (", auth: {authenticator: oidc}", "\"oidc\""),
        (", tls: {cert_pem: no, key_pem: no}", "certificate"),
    ] {
        let receiver = receiver(Process::default(), &Recorder::default(), "127.0.0.1:0", more);
        let error = receiver.start().await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
