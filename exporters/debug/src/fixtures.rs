//! What the tests of several modules share: payloads from OTLP/JSON, and texts on file.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use pdata::{Payload, Signal};
use prost::Message;
use serde_json::Value;

/// A payload of OTLP/JSON; the signal is told by its only key.
pub(crate) fn payload(json: &str) -> Payload {
    let value: Value = serde_json::from_str(json).unwrap();
    let signal = match value.as_object().unwrap().keys().next().unwrap().as_str() {
        "resourceSpans" => Signal::Traces,
        "resourceMetrics" => Signal::Metrics,
        _ => Signal::Logs,
    };
    fn encode<T: Message + serde::de::DeserializeOwned>(json: &str) -> Vec<u8> {
        serde_json::from_str::<T>(json).unwrap().encode_to_vec()
    }
    let bytes = match signal {
        Signal::Traces => encode::<ExportTraceServiceRequest>(json),
        Signal::Metrics => encode::<ExportMetricsServiceRequest>(json),
        Signal::Logs => encode::<ExportLogsServiceRequest>(json),
    };
    Payload::decode(signal, Bytes::from(bytes)).unwrap().payload
}

/// The folders of a kind of golden cases.
pub(crate) fn cases(kind: &str) -> Vec<PathBuf> {
    test_golden::cases(env!("CARGO_MANIFEST_DIR"), &format!("testdata/{kind}"))
}

/// The payload of a case.
pub(crate) fn input(case: &Path) -> Payload {
    payload(&test_golden::input(case))
}

/// Compares a text with what is on file. `HIKYAKU_REFRESH_GOLDEN=1` writes it anew, to be reviewed as a diff.
pub(crate) fn check(case: &Path, name: &str, actual: &[u8]) {
    test_golden::assert_none(test_golden::check_text(
        &case.join(name),
        str::from_utf8(actual).unwrap(),
    ));
}
