//! Datadog's intake: every endpoint that an exporter uses, on one port. It decodes what arrives with other people's code, and keeps every
//! limit that Datadog documents.
//!
//! The rules are those of the public API's reference (docs.datadoghq.com/api: logs, metrics, authentication), of the Agent's writers and
//! normaliser (DataDog/datadog-agent `pkg/trace/{writer,agent,traceutil}`), and of the messages' definitions (DataDog/agent-payload,
//! DataDog/libdatadog). The Collector's exporter 0.165 keeps them, over two hundred cases of all signals, but for what is of no use to anybody: calls
//! without content, a point of 1970, and stats of negative durations or names that no trace has.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use hyper::Request;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use serde_json::json;

use crate::answer::Answer;
use crate::desk::Desk;
use crate::otlp;
use crate::server::{self, Outcome, Reply, Server, Service};

mod call;
pub mod hosts;
pub mod limit;
pub mod logs;
mod names;
pub mod series;
mod settings;
mod shape;
pub mod sketches;
pub mod stats;
pub mod traces;

pub use call::{Call, Content, Endpoint};
pub use hosts::{HostMetadata, KeyCheck};
pub use limit::{Limit, Size};
pub use logs::{Log, Logs};
pub use series::MetricPayload;
pub use settings::Settings;
pub use sketches::SketchPayload;
pub use stats::StatsPayload;
pub use traces::AgentPayload;

/// The key that is configured unless a test says otherwise.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The key that takes its place when keys are rotated. The intake knows both, and no other.
pub const NEXT_KEY: &str = "fedcba9876543210fedcba9876543210";

/// A listening intake. Each endpoint has a [`Desk`] of its own.
///
/// Dropping it fails the test when anything came that Datadog would not have taken as it is.
#[derive(Debug)]
pub struct DatadogIntake {
    /// `/api/v0.2/traces`.
    pub traces: Arc<Desk<Call<AgentPayload>>>,
    /// `/api/v0.2/stats`.
    pub stats: Arc<Desk<Call<StatsPayload>>>,
    /// `/api/v2/series`.
    pub series: Arc<Desk<Call<MetricPayload>>>,
    /// `/api/beta/sketches`.
    pub sketches: Arc<Desk<Call<SketchPayload>>>,
    /// `/api/v2/logs`.
    pub logs: Arc<Desk<Call<Logs>>>,
    /// `/intake`.
    pub hosts: Arc<Desk<Call<HostMetadata>>>,
    /// `/api/v1/validate`, and the violations of calls that no endpoint takes.
    pub keys: Arc<Desk<Call<KeyCheck>>>,
    key_revoked: Arc<AtomicBool>,
    server: Server,
}

impl DatadogIntake {
    /// Listens on any free port.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// Listens on a port that the agent was told before.
    pub fn start_on(port: u16) -> Self {
        let responder = Arc::new(Responder {
            traces: Desk::new(),
            stats: Desk::new(),
            series: Desk::new(),
            sketches: Desk::new(),
            logs: Desk::new(),
            hosts: Desk::new(),
            keys: Desk::new(),
            key_revoked: Arc::default(),
        });
        Self {
            traces: Arc::clone(&responder.traces),
            stats: Arc::clone(&responder.stats),
            series: Arc::clone(&responder.series),
            sketches: Arc::clone(&responder.sketches),
            logs: Arc::clone(&responder.logs),
            hosts: Arc::clone(&responder.hosts),
            keys: Arc::clone(&responder.keys),
            key_revoked: Arc::clone(&responder.key_revoked),
            server: Server::start(port, responder),
        }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Settings of the exporter for this intake.
    pub fn settings(&self) -> Settings {
        Settings::for_port(self.port())
    }

    /// From here on, [`KEY`] is a key that Datadog does not know any more (or does again): whatever bears it is recorded and answered 403.
    pub fn revoke_key(&self, revoked: bool) {
        self.key_revoked.store(revoked, Ordering::SeqCst);
    }

    /// Sets the standing answer of every endpoint.
    pub fn answer_always(&self, answer: &Answer) {
        self.traces.answer_always(answer.clone());
        self.stats.answer_always(answer.clone());
        self.series.answer_always(answer.clone());
        self.sketches.answer_always(answer.clone());
        self.logs.answer_always(answer.clone());
        self.hosts.answer_always(answer.clone());
        self.keys.answer_always(answer.clone());
    }

    /// Lets the stalled calls of every endpoint end as if the connection had broken.
    pub fn release(&self) {
        self.traces.release();
        self.stats.release();
        self.series.release();
        self.sketches.release();
        self.logs.release();
        self.hosts.release();
        self.keys.release();
    }

    /// What Datadog would not have taken as it is, and takes it off the record.
    pub fn take_violations(&self) -> Vec<String> {
        [
            self.traces.take_violations(),
            self.stats.take_violations(),
            self.series.take_violations(),
            self.sketches.take_violations(),
            self.logs.take_violations(),
            self.hosts.take_violations(),
            self.keys.take_violations(),
        ]
        .concat()
    }
}

impl Drop for DatadogIntake {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !violations.is_empty() && !std::thread::panicking() {
            panic!("Datadog would not have taken this: {violations:#?}");
        }
    }
}

/// The serving side.
struct Responder {
    traces: Arc<Desk<Call<AgentPayload>>>,
    stats: Arc<Desk<Call<StatsPayload>>>,
    series: Arc<Desk<Call<MetricPayload>>>,
    sketches: Arc<Desk<Call<SketchPayload>>>,
    logs: Arc<Desk<Call<Logs>>>,
    hosts: Arc<Desk<Call<HostMetadata>>>,
    keys: Arc<Desk<Call<KeyCheck>>>,
    key_revoked: Arc<AtomicBool>,
}

impl Service for Responder {
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            match head.uri.path() {
                AgentPayload::PATH => self.take(&self.traces, &head, body).await,
                StatsPayload::PATH => self.take(&self.stats, &head, body).await,
                MetricPayload::PATH => self.take(&self.series, &head, body).await,
                SketchPayload::PATH => self.take(&self.sketches, &head, body).await,
                Logs::PATH => self.take(&self.logs, &head, body).await,
                HostMetadata::PATH => self.take(&self.hosts, &head, body).await,
                KeyCheck::PATH => self.take(&self.keys, &head, body).await,
                path => {
                    self.keys.violation(format!("{} {path}: no such endpoint", head.method));
                    Some(refusal(404, None))
                }
            }
        })
    }
}

impl Responder {
    async fn take<C: Content>(
        &self,
        desk: &Desk<Call<C>>,
        head: &Parts,
        body: Incoming,
    ) -> Outcome {
        let answer = if self.key_revoked.load(Ordering::SeqCst) {
            Answer::status(403)
        } else {
            desk.next_answer()
        };
        // The agent may give up while it is sending.
        let body: Bytes = otlp::read(body, answer.reading_pause()).await.ok()?;
        match Call::read(head, &body) {
            Ok(call) => server::play(desk, call, answer, success::<C>, refusal).await,
            Err(fault) => {
                desk.violation(format!("{} {}: {}", head.method, head.uri, fault.rule));
                Some(refusal(fault.status, None))
            }
        }
    }
}

fn success<C: Content>() -> Reply {
    server::json_reply(C::SUCCESS.0, C::SUCCESS.1)
}

fn refusal(code: u16, retry_after: Option<&str>) -> Reply {
    let body = json!({ "errors": [format!("answered {code}")] }).to_string();
    server::with_retry_after(server::json_reply(code, &body), retry_after)
}
