//! The whole receiver over real sockets.

use std::future::{Future as _, poll_fn};
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use std::pin::pin;
use std::task::Poll;

use confmap::{Diagnostics, Node, Section};
use pipeline::testing::{Recorder, within_patience};
use pipeline::{ComponentId, ComponentKind, Outlet, Process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

fn id() -> ComponentId {
    "awsxray".parse().unwrap()
}

/// A receiver, made by its factory, on these ports.
fn receiver(process: Process, next: &Recorder, udp: &str, tcp: &str) -> Arc<dyn Receiver> {
    let yaml = format!(
        "{{endpoint: \"{udp}\", proxy_server: {{endpoint: \"{tcp}\", aws_endpoint: \"http://127.0.0.1:1\"}}}}"
    );
    let node = Node::from_yaml("test.yaml", &yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let section = Section::new(Some(&node), "receivers::awsxray", &diagnostics);
    let build = (crate::FACTORY.parse)(section);
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let context = Context::new(process, ComponentKind::Receiver, id(), None, None);
    let outlets = Outlets::default().with(Signal::Traces, Outlet::to(Arc::new(next.clone())));
    build(context, outlets).unwrap()
}

/// A receiver that listens on free ports: it shares the sockets that its id has already.
async fn started(next: &Recorder) -> (Arc<dyn Receiver>, SocketAddr, SocketAddr) {
    let process = Process::default();
    let datagrams = process.listeners.bind_udp(&id(), "127.0.0.1:0").unwrap();
    let udp = datagrams.socket.local_addr().unwrap();
    let any = TransportAddress::Tcp("127.0.0.1:0".to_owned());
    let listener = process.listeners.bind(&id(), &any).unwrap();
    let tcp = listener.local_addr().unwrap();
    let receiver = receiver(process, next, &udp.to_string(), &tcp.to_string());
    receiver.start().await.unwrap();
    (receiver, udp, tcp)
}

fn send(to: SocketAddr, id: u64) {
    let document = format!(
        r#"{{"name":"shop","id":"{id:016x}","trace_id":"1-6554ab10-a1b2c3d4e5f60718293a4b5c","start_time":1,"end_time":2}}"#
    );
    let socket = StdUdpSocket::bind("127.0.0.1:0").unwrap();
    let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
    assert_eq!(socket.send_to(datagram.as_bytes(), to).unwrap(), datagram.len());
}

#[tokio::test]
async fn segments_sent_over_a_socket_arrive_and_nonsense_between_them_does_no_harm() {
    let next = Recorder::default();
    let (receiver, udp, _) = started(&next).await;
    send(udp, 1);
    next.wait_for_items(1).await;
    let socket = StdUdpSocket::bind("127.0.0.1:0").unwrap();
    for nonsense in [&b""[..], b"x", &[0xff; 60_000]] {
        socket.send_to(nonsense, udp).unwrap();
    }
    send(udp, 2);
    next.wait_for_items(2).await;
    assert_eq!(receiver.shutdown(Deadline::after(Duration::from_secs(5))).await, 0);
}

#[tokio::test]
async fn what_has_come_before_the_end_is_handed_on_before_the_receiver_has_stopped() {
    let next = Recorder::default();
    let (receiver, udp, _) = started(&next).await;
    next.close(true);
    send(udp, 1);
    next.wait_for_offers(1).await;
    // Unread when the receiver is told to stop: nobody has run since.
    for id in 2..=5 {
        send(udp, id);
    }
    let mut stopping = pin!(receiver.shutdown(Deadline::after(Duration::from_secs(30))));
    let begun = poll_fn(|cx| Poll::Ready(stopping.as_mut().poll(cx)));
    assert!(begun.await.is_pending(), "the receiver did not wait for the segments");
    next.close(false);
    assert_eq!(within_patience("the receiver to stop", stopping).await, 0);
    assert_eq!(next.items(), 5);
}

#[tokio::test]
async fn what_is_not_taken_by_the_deadline_is_given_up_and_said() {
    let next = Recorder::default();
    let (receiver, udp, _) = started(&next).await;
    next.close(true);
    send(udp, 1);
    next.wait_for_offers(1).await;
    assert_eq!(receiver.shutdown(Deadline::after(Duration::from_millis(10))).await, 1);
    assert_eq!(next.items(), 0);
}

#[tokio::test]
async fn question_that_nobody_answers_gets_an_error_in_the_form_of_awss() {
    let next = Recorder::default();
    let (receiver, _, tcp) = started(&next).await;
    let mut stream = TcpStream::connect(tcp).await.unwrap();
    stream
        .write_all(b"POST /GetSamplingRules HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
        .await
        .unwrap();
    let mut answer = String::new();
    within_patience("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: ServiceUnavailableException"), "{answer}");
    receiver.shutdown(Deadline::after(Duration::from_secs(5))).await;
    assert!(TcpStream::connect(tcp).await.is_err(), "the port is still open");
}

#[tokio::test]
async fn ports_in_use_are_named_and_stop_without_start_is_safe() {
    let next = Recorder::default();
    let udp = StdUdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = "127.0.0.1:0".to_owned();
    for (udp, tcp, named) in [
        (udp.local_addr().unwrap().to_string(), free.clone(), udp.local_addr().unwrap()),
        (free.clone(), tcp.local_addr().unwrap().to_string(), tcp.local_addr().unwrap()),
    ] {
        let receiver = receiver(Process::default(), &next, &udp, &tcp);
        let error = receiver.start().await.unwrap_err().to_string();
        assert!(error.contains(&named.to_string()), "{error}");
        assert_eq!(receiver.shutdown(Deadline::after(Duration::from_secs(1))).await, 0);
    }
}

#[test]
fn receiver_without_a_pipeline_of_traces_is_not_built() {
    let diagnostics = Diagnostics::new();
    let build = (crate::FACTORY.parse)(Section::new(None, "receivers::awsxray", &diagnostics));
    let context = Context::new(Process::default(), ComponentKind::Receiver, id(), None, None);
    assert!(build(context, Outlets::default()).is_err());
}
