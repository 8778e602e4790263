//! Whatever a span is made of, it becomes a document that X-Ray takes, or it is left out and counted.

use fastrand::Rng;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use tests::metrics::{Branch, Metrics};

use super::*;

const REQUESTS: usize = 60;
const SPANS: usize = 10;

/// Keys that documents are made of, and some that are none.
const KEYS: &str = "http.method http.request.method http.user_agent user_agent.original http.status_code http.response.status_code http.url url.full \
    http.scheme url.scheme http.host http.server_name http.target url.path url.query net.host.port net.host.name host.name net.peer.name \
    server.address net.peer.port server.port http.client_ip client.address net.peer.ip network.peer.address http.status_text \
    http.response.body.size messaging.message_payload_size_bytes message.type db.system db.system.name db.name db.namespace db.statement \
    db.query.text db.user db.connection_string rpc.system rpc.system.name rpc.service rpc.method aws.operation aws.account_id aws.region \
    aws.request_id aws.requestId aws.queue_url aws.queue.url messaging.url aws.sqs.queue.url aws.table_name aws.table.name \
    aws.dynamodb.table_names aws.service aws.local.service aws.remote.service aws.remote.operation aws.span.kind aws.xray.annotations \
    aws.xray.inprogress aws.xray.metadata.default aws.xray.metadata.own aws.http.error_message peer.service service.peer.name enduser.id \
    exception.type exception.message exception.stacktrace service.name service.version telemetry.sdk.language telemetry.sdk.name \
    telemetry.sdk.version telemetry.auto.version telemetry.distro.version cloud.provider cloud.platform cloud.account.id cloud.region \
    cloud.availability_zone aws.ecs.launchtype aws.ecs.container.arn aws.ecs.cluster.arn aws.ecs.task.arn aws.log.group.arns \
    aws.log.group.names container.name container.id container.image.tag container.image.tags host.id host.type k8s.cluster.name k8s.pod.name \
    service.namespace service.instance.id otel.resource.tier tier a-b a.b a_b é";

/// Texts that mean something to somebody.
const TEXTS: &[&str] = &[
    "",
    "LOCAL_ROOT",
    "aws-api",
    "aws",
    "aws_ecs",
    "aws_eks",
    "aws_ec2",
    "aws_elastic_beanstalk",
    "mysql",
    "10.0.0.1",
    "::1",
    "AWS.SDK.",
    "AWS::",
    "200",
    "RECEIVED",
    "java",
    "python",
    "nodejs",
    "dotnet",
    "go",
    "ruby",
    "php",
    "erlang",
    "rust",
    "{\"a\":[1,{\"b\":null}],\"a\":2}",
    "[1]",
    "{",
    "jdbc:mysql://h:1/x",
    "https://u:p@h.example:80/a?b=c#d",
    "arn:aws:logs:eu-west-1:1:log-group:/a:*&arn:",
    "\"\\\n\r\t\u{0}\u{1f}\u{7f}\u{2028}\u{feff}",
    "???",
    "E: m\n\tat a.b.C.d(E.java:1)\nCaused by: F: \n\t... 1 more\nCaused by: [CIRCULAR",
    "Traceback (most recent call last):\n  File \"a, b\", line 1, in c\n    d\nE\n\nDuring handling of the above exception, another exception occurred:\n",
    "  + Exception Group Traceback (most recent call last):\n  |   File \"a\", line 1, in c\n  | E: m\n  +-+---------------- 1 ----------------\n    | F: n\n",
    "A: a\n ---> (Inner Exception #1) B: b\n   at c in d:line 1<---\n   --- End of inner exception stack trace ---",
    "goroutine 1 [running]:\nmain.f()\n\t/a.go:1 +0x1\n",
    "a.rb:1:in `f': m (E)\n\tfrom a.rb:2\nb.rb:1:in 'g': n (F)\n",
];

#[test]
fn any_span_becomes_a_document_that_x_ray_takes_or_is_counted() {
    for (seed, settings) in [
        (1, ""),
        (2, ", index_all_attributes: true"),
        (
            3,
            ", indexed_attributes: [tier, http.method, otel.resource.service.name], aws_log_groups: [/g, \"\"]",
        ),
    ] {
        let line = Line::start_with(settings);
        let mut lot = Lot::of(seed);
        for _ in 0..REQUESTS {
            let mut request = spans::with_spans((0..SPANS).map(|_| lot.span()).collect());
            let attributes = lot.attributes(16, 0);
            request.resource_spans[0].resource =
                Some(Resource { attributes, ..Default::default() });
            let reply = send::traces_grpc(line.gateway.grpc, &request);
            assert_eq!(reply.code, 0, "seed {seed}: {reply:?}");
        }
        let all = REQUESTS * SPANS;
        let branch = Branch::settled(line.gateway.metrics, EXPORTER, all);
        let violations = line.backend.take_violations();
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
        let metrics = Metrics::read(line.gateway.metrics);
        let dropped = |reason| {
            metrics.sum(
                "otelcol_exporter_dropped_items",
                &[("exporter", EXPORTER), ("reason", reason)],
            )
        };
        assert_eq!(dropped("untranslatable"), all as f64 - lot.count as f64, "seed {seed}");
        assert_eq!(
            (branch.refused, dropped("too_large")),
            (0.0, lot.count as f64 - branch.delivered)
        );
        assert!(branch.delivered > all as f64 / 2.0, "seed {seed}: {branch:?}");
        let delivered = line.backend.delivered();
        assert!(delivered.values().all(|times| *times == 1), "seed {seed}");
        let there = (1..=lot.count).filter(|number| delivered.contains_key(&number.to_be_bytes()));
        assert_eq!(there.count() as f64, branch.delivered, "seed {seed}");
        line.stop();
    }
}

/// Spans by lot, always the same for the same seed.
struct Lot {
    rng: Rng,
    keys: Vec<&'static str>,
    /// Spans with ids so far.
    count: u64,
}

impl Lot {
    fn of(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), keys: KEYS.split_whitespace().collect(), count: 0 }
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.rng.usize(..times) == 0
    }

    fn text(&mut self) -> String {
        match self.rng.usize(..120) {
            0 => "x".repeat(self.rng.usize(..90_000)),
            1 => "é\"\\".repeat(self.rng.usize(..20_000)),
            2..30 => (0..self.rng.usize(..40)).map(|_| self.rng.char(..)).collect(),
            _ => (*self.rng.choice(TEXTS).unwrap()).to_owned(),
        }
    }

    fn value(&mut self, depth: usize) -> AnyValue {
        let kind = match self.rng.usize(..14) {
            0 => Kind::BoolValue(self.rng.bool()),
            1 => Kind::IntValue(self.rng.i64(..)),
            2 => Kind::IntValue(self.rng.i64(0..700)),
            3 => Kind::DoubleValue(f64::from_bits(self.rng.u64(..))),
            4 => Kind::DoubleValue(
                *self.rng.choice(&[f64::NAN, f64::INFINITY, -0.0, 1e300]).unwrap(),
            ),
            5 => Kind::BytesValue((0..self.rng.usize(..20)).map(|_| self.rng.u8(..)).collect()),
            6 if depth < 4 => {
                let values = (0..self.rng.usize(..4)).map(|_| self.value(depth + 1)).collect();
                Kind::ArrayValue(ArrayValue { values })
            }
            7 if depth < 4 => {
                Kind::KvlistValue(KeyValueList { values: self.attributes(4, depth + 1) })
            }
            8 => return AnyValue { value: None },
            _ => Kind::StringValue(self.text()),
        };
        AnyValue { value: Some(kind) }
    }

    /// Some attributes; a key may come twice.
    fn attributes(&mut self, most: usize, depth: usize) -> Vec<KeyValue> {
        let count = self.rng.usize(..=most);
        let mut attributes = Vec::new();
        for _ in 0..count {
            let key = match self.one_in(12) {
                true => self.text(),
                false => (*self.rng.choice(&self.keys).unwrap()).to_owned(),
            };
            let value = (!self.one_in(30)).then(|| self.value(depth));
            attributes.push(KeyValue { key, value, ..Default::default() });
        }
        attributes
    }

    fn id(&mut self, bytes: usize) -> Vec<u8> {
        match self.rng.usize(..8) {
            0 => vec![0; bytes],
            1 => Vec::new(),
            2 => vec![7; self.rng.usize(..20)],
            _ => (0..bytes).map(|_| self.rng.u8(..)).collect(),
        }
    }

    fn event(&mut self) -> Event {
        let name = match self.one_in(3) {
            true => self.text(),
            false => (*self.rng.choice(&["exception", "HTTP request failure"]).unwrap()).to_owned(),
        };
        Event {
            name,
            time_unix_nano: self.rng.u64(..),
            attributes: self.attributes(6, 1),
            ..Default::default()
        }
    }

    fn link(&mut self) -> Link {
        Link {
            trace_id: self.id(16),
            span_id: self.id(8),
            attributes: self.attributes(3, 1),
            ..Default::default()
        }
    }

    /// A span with ids, unless the lot falls on one without.
    fn span(&mut self) -> Span {
        let has_ids = !self.one_in(10);
        let (trace_id, span_id) = if has_ids {
            self.count += 1;
            ([1; 16].to_vec(), self.count.to_be_bytes().to_vec())
        } else {
            let none = [(vec![0; 16], vec![1; 8]), (vec![1; 16], vec![0; 8]), (vec![1; 7], vec![])];
            self.rng.choice(none).unwrap()
        };
        let parent_span_id = match self.rng.usize(..6) {
            0 => span_id.clone(),
            1 | 2 => Vec::new(),
            _ => self.id(8),
        };
        Span {
            trace_id,
            span_id,
            parent_span_id,
            name: self.text(),
            kind: self.rng.i32(-1..8),
            start_time_unix_nano: self.rng.u64(..),
            end_time_unix_nano: self.rng.u64(..),
            attributes: self.attributes(14, 0),
            events: (0..self.rng.usize(..4)).map(|_| self.event()).collect(),
            links: (0..self.rng.usize(..3)).map(|_| self.link()).collect(),
            status: (!self.one_in(3))
                .then(|| Status { code: self.rng.i32(-1..4), message: self.text() }),
            trace_state: self.text(),
            ..Default::default()
        }
    }
}
