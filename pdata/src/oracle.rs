//! What the tests hold this crate against: prost and opentelemetry-proto.
//!
//! [`entropy`] turns bytes that proptest draws (and shrinks) into decisions, [`arbitrary`] builds requests of them with every field
//! that OTLP has, [`flat`] lists a request's items, [`mutate`] changes their bytes as protobuf allows, [`read`] turns views back into prost's types and [`shape`] is
//! OTLP with its strings as bytes: what prost accepts when text does not count.

pub(crate) mod arbitrary;
pub(crate) mod entropy;
pub(crate) mod flat;
pub(crate) mod mutate;
pub(crate) mod read;
pub(crate) mod shape;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use proptest::prelude::ProptestConfig;
use prost::Message;

use crate::{Payload, Signal};

/// As many cases, and no file of failed ones: a failure is to become a test of its own.
pub(crate) fn cases(number: u32) -> ProptestConfig {
    ProptestConfig { cases: number, failure_persistence: None, ..ProptestConfig::default() }
}

/// A request in prost's types.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

impl Request {
    pub(crate) fn decode(signal: Signal, bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        Ok(match signal {
            Signal::Traces => Request::Traces(Message::decode(bytes)?),
            Signal::Metrics => Request::Metrics(Message::decode(bytes)?),
            Signal::Logs => Request::Logs(Message::decode(bytes)?),
        })
    }

    /// What the chunks of a payload hold.
    pub(crate) fn of(payload: &Payload) -> Self {
        Self::decode(payload.signal(), &payload.to_bytes()).expect("a payload is a sound request")
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Request::Traces(request) => request.encode_to_vec(),
            Request::Metrics(request) => request.encode_to_vec(),
            Request::Logs(request) => request.encode_to_vec(),
        }
    }

    pub(crate) fn signal(&self) -> Signal {
        match self {
            Request::Traces(_) => Signal::Traces,
            Request::Metrics(_) => Signal::Metrics,
            Request::Logs(_) => Signal::Logs,
        }
    }

    pub(crate) fn payload(&self) -> Payload {
        let decoded = Payload::decode(self.signal(), self.encode().into()).expect("prost wrote it");
        assert_eq!(decoded.repaired_strings, 0);
        decoded.payload
    }

    pub(crate) fn items(&self) -> usize {
        match self {
            Request::Traces(request) => {
                let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
                scopes.map(|s| s.spans.len()).sum()
            }
            Request::Metrics(request) => {
                let scopes = request.resource_metrics.iter().flat_map(|r| &r.scope_metrics);
                scopes.flat_map(|s| &s.metrics).map(|m| points(m.data.as_ref())).sum()
            }
            Request::Logs(request) => {
                let scopes = request.resource_logs.iter().flat_map(|r| &r.scope_logs);
                scopes.map(|s| s.log_records.len()).sum()
            }
        }
    }
}

/// Equal when they encode the same: not-a-number equals itself.
impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.signal() == other.signal() && self.encode() == other.encode()
    }
}

fn points(data: Option<&Data>) -> usize {
    match data {
        None => 0,
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
    }
}
