use std::time::Duration;

use confmap::{Diagnostics, Node, Section};
use pipeline::testing::{PATIENCE, within_patience};
use pipeline::{ComponentKind, Process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

struct Running {
    extension: HealthCheck,
    process: Process,
}

async fn start(yaml: &str) -> Running {
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "extensions::health_check", &diagnostics));
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    let (process, id) = (Process::default(), "health_check".parse().unwrap());
    let context = Context::new(process.clone(), ComponentKind::Extension, id, None, None);
    let extension = HealthCheck::new(Arc::new(config), context);
    extension.start().await.unwrap();
    Running { extension, process }
}

impl Running {
    /// Status and body of the answer to a request.
    async fn ask(&self, request_line: &str) -> (u16, String) {
        let (_, address) = self.process.listeners.addresses()[0].clone();
        let text = within_patience("an answer", async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request =
                format!("{request_line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        });
        let text = text.await;
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        (status, text.split("\r\n\r\n").nth(1).unwrap().to_owned())
    }

    async fn stop(self) {
        self.extension.shutdown(Deadline::after(PATIENCE)).await;
    }
}

#[tokio::test]
async fn page_follows_the_pipelines_and_answers_any_method_and_path() {
    let running = start("endpoint: 'localhost:0'").await;
    assert_eq!(running.ask("GET /").await.0, 503);
    running.extension.pipelines_ready();
    for request in ["GET /", "POST /", "DELETE /any/where?x=1"] {
        let (status, body) = running.ask(request).await;
        assert_eq!(status, 200, "{request}");
        assert!(body.contains("Server available"), "{body}");
    }
    running.extension.reloaded(Err("exporters::x: no"));
    assert!(running.ask("GET /").await.1.contains("exporters::x: no"));
    running.extension.pipelines_stopping();
    assert_eq!(running.ask("GET /").await.0, 503);
    running.stop().await;
}

#[tokio::test]
async fn path_of_its_own_is_the_only_one() {
    let running = start("{endpoint: '127.0.0.1:0', path: /health}").await;
    running.extension.pipelines_ready();
    assert_eq!(running.ask("GET /health").await.0, 200);
    assert_eq!(running.ask("GET /health?verbose").await.0, 200);
    assert_eq!(running.ask("GET /").await.0, 404);
    running.stop().await;
}

#[tokio::test]
async fn nobody_listens_after_the_end() {
    let running = start("endpoint: '127.0.0.1:0'").await;
    let (_, address) = running.process.listeners.addresses()[0].clone();
    let process = running.process.clone();
    running.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert!(process.listeners.addresses().is_empty());
}

#[tokio::test]
async fn port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let node = Node::from_yaml("test", &format!("endpoint: '{address}'")).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "x", &diagnostics));
    let id = "health_check".parse().unwrap();
    let context = Context::new(Process::default(), ComponentKind::Extension, id, None, None);
    let error = HealthCheck::new(Arc::new(config), context).start().await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn unusable_certificate_is_found_at_start() {
    let yaml = "{endpoint: '127.0.0.1:0', tls: {cert_pem: no, key_pem: no}}";
    let node = Node::from_yaml("test", yaml).unwrap();
    let diagnostics = Diagnostics::new();
    let config = Config::read(Section::new(Some(&node), "x", &diagnostics));
    assert!(config.http.tls.is_some(), "{diagnostics}");
    let id = "health_check".parse().unwrap();
    let context = Context::new(Process::default(), ComponentKind::Extension, id, None, None);
    let error = HealthCheck::new(Arc::new(config), context).start().await.unwrap_err();
    assert!(error.to_string().contains("cannot serve"), "{error}");
}

#[tokio::test]
async fn page_tells_of_what_is_stuck() {
    let running = start("endpoint: 127.0.0.1:0").await;
    running.extension.pipelines_ready();
    let id = "otlp/slow".parse().unwrap();
    let watch = running.process.vitals.watch(ComponentKind::Exporter, &id, Duration::ZERO, || 5);
    assert_eq!(running.ask("GET /").await.0, 200);
    // Not while a socket is waited for, or the clock would run on.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    tokio::time::resume();
    let (status, body) = running.ask("GET /").await;
    assert!(status == 503 && body.contains("exporter \\\"otlp/slow\\\" holds 5 items"), "{body}");
    watch.beat(Duration::ZERO);
    assert_eq!(running.ask("GET /").await.0, 200);
    running.stop().await;
}
