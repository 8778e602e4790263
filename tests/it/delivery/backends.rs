//! The ways out, behind one face, so that every fault is tried on each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tests::agent::Agent;
use tests::answer::Answer;
use tests::datadog::{DatadogIntake, Settings};
use tests::desk::Decoded as _;
use tests::gateway::{Gateway, QUICK_RETRIES};
use tests::metrics::Branch;
use tests::otlp::OtlpBackend;
use tests::spans::{self, SpanId};
use tests::xray::{self, XRayBackend};
use tests::zipkin::{self, ZipkinBackend};
use tests::{ports, send};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Zipkin,
    OtlpHttp,
    OtlpGrpc,
    Datadog,
    XRay,
}

pub(crate) const WAYS: [Way; 5] =
    [Way::Zipkin, Way::OtlpHttp, Way::OtlpGrpc, Way::Datadog, Way::XRay];

impl Way {
    /// The exporter's id in the configuration, which its metrics bear.
    pub(crate) fn exporter(self) -> &'static str {
        match self {
            Self::Zipkin => "zipkin",
            Self::OtlpHttp => "otlphttp",
            Self::OtlpGrpc => "otlp",
            Self::Datadog => "datadog",
            Self::XRay => "awsxray",
        }
    }

    /// The exporter's settings for a backend's address.
    pub(crate) fn settings(self, address: &str, more: &str) -> String {
        let endpoint = match self {
            Self::Datadog => {
                // Spans only: what becomes of APM stats is tested elsewhere.
                let settings = Settings::for_address(address).traces("compute_stats: never");
                return settings.more(more).to_string();
            }
            Self::Zipkin => format!("endpoint: \"http://{address}{}\"", zipkin::PATH),
            Self::OtlpHttp => format!("endpoint: \"http://{address}\""),
            Self::XRay => format!("endpoint: \"http://{address}\", {}", xray::REGION),
            Self::OtlpGrpc => format!("endpoint: \"{address}\", tls: {{ insecure: true }}"),
        };
        format!(
            "{{ {endpoint}, {QUICK_RETRIES}{}{more} }}",
            if more.is_empty() { "" } else { ", " }
        )
    }

    /// The refusal of a request as such.
    pub(crate) fn bad_request(self) -> Answer {
        if self == Self::OtlpGrpc { Answer::grpc(3) } else { Answer::status(400) }
    }

    /// "Not now."
    pub(crate) fn unavailable(self) -> Answer {
        if self == Self::OtlpGrpc { Answer::grpc(14) } else { Answer::status(503) }
    }

    /// "Not now, and not before so many seconds."
    pub(crate) fn throttled(self, seconds: u32) -> Answer {
        if self == Self::OtlpGrpc {
            Answer::grpc_retry_after(8, Duration::from_secs(seconds.into()))
        } else {
            Answer::status_retry_after(429, seconds)
        }
    }
}

/// A fake backend of any kind.
pub(crate) enum Backend {
    Otlp(OtlpBackend),
    Zipkin(ZipkinBackend),
    Datadog(DatadogIntake),
    XRay(XRayBackend),
}

/// Calls a method of the desk that each kind has for spans.
macro_rules! each {
    ($backend:expr, $desk:ident => $call:expr) => {
        match $backend {
            Backend::Otlp($desk) => $call,
            Backend::Zipkin($desk) => $call,
            Backend::XRay($desk) => $call,
            Backend::Datadog(intake) => {
                let $desk = &intake.traces;
                $call
            }
        }
    };
}

impl Backend {
    pub(crate) fn start_on(way: Way, port: u16) -> Self {
        match way {
            Way::Zipkin => Self::Zipkin(ZipkinBackend::start_on(port)),
            Way::Datadog => Self::Datadog(DatadogIntake::start_on(port)),
            Way::XRay => Self::XRay(XRayBackend::start_on(port)),
            Way::OtlpHttp | Way::OtlpGrpc => Self::Otlp(OtlpBackend::start_on(port)),
        }
    }

    pub(crate) fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        each!(self, desk => desk.answer_next(answers));
    }

    pub(crate) fn answer_always(&self, answer: Answer) {
        each!(self, desk => desk.answer_always(answer));
    }

    /// Gives this answer to every request whose spans satisfy the condition.
    pub(crate) fn answer_when(
        &self,
        answer: Answer,
        condition: impl Fn(&[SpanId]) -> bool + Send + 'static,
    ) {
        each!(self, desk => desk.answer_when(move |request| {
            condition(&request.span_ids()).then(|| answer.clone())
        }));
    }

    pub(crate) fn release(&self) {
        each!(self, desk => desk.release());
    }

    pub(crate) fn wait_for_requests(&self, count: usize) {
        each!(self, desk => desk.wait_for_requests(count));
    }

    pub(crate) fn wait_for_spans(&self, ids: &[SpanId]) {
        each!(self, desk => desk.wait_for_spans(ids));
    }

    pub(crate) fn assert_delivered_once(&self, ids: &[SpanId]) {
        each!(self, desk => desk.assert_delivered_once(ids));
    }

    pub(crate) fn delivered(&self) -> BTreeMap<SpanId, usize> {
        each!(self, desk => desk.delivered())
    }

    /// When each request had arrived.
    pub(crate) fn times(&self) -> Vec<Instant> {
        each!(self, desk => desk.requests().iter().map(|entry| entry.at).collect())
    }
}

/// An agent with one exporter, and its backend.
pub(crate) struct Line {
    pub(crate) way: Way,
    pub(crate) gateway: Gateway,
    pub(crate) agent: Agent,
    pub(crate) backend: Backend,
}

impl Line {
    /// Starts both, with more exporter settings in one line.
    pub(crate) fn start(way: Way, more: &str) -> Self {
        Self::start_with(way, |address| way.settings(address, more))
    }

    /// Starts both, with exporter settings made for the backend's address.
    pub(crate) fn start_with(way: Way, settings: impl Fn(&str) -> String) -> Self {
        let backend = Backend::start_on(way, ports::free());
        let port = match &backend {
            Backend::Otlp(fake) => fake.port(),
            Backend::Zipkin(fake) => fake.port(),
            Backend::Datadog(fake) => fake.port(),
            Backend::XRay(fake) => fake.port(),
        };
        let settings = settings(&format!("127.0.0.1:{port}"));
        let gateway = Gateway::new().exporter(way.exporter(), &settings);
        let agent = gateway.start();
        Self { way, gateway, agent, backend }
    }

    /// Sends spans, `requests` times one of `spans` each, and returns their ids; all must be accepted.
    pub(crate) fn send(&self, requests: usize, spans: usize) -> Vec<SpanId> {
        send_all(&self.gateway, requests, spans)
    }

    /// The exporter's numbers once so many items have settled.
    pub(crate) fn settled(&self, accepted: usize) -> Branch {
        Branch::settled(self.gateway.metrics, self.way.exporter(), accepted)
    }
}

/// Sends spans over gRPC; all must be accepted.
pub(crate) fn send_all(gateway: &Gateway, requests: usize, count: usize) -> Vec<SpanId> {
    let mut ids = Vec::new();
    for _ in 0..requests {
        let request = spans::request(count);
        let reply = send::traces_grpc(gateway.grpc, &request);
        assert_eq!(reply.code, 0, "a request that has to be accepted: {reply:?}");
        ids.extend(spans::ids(&request));
    }
    ids
}
